/* One good order of each side and kind, in the notation of notation.h; 1893456000 is 2030-01-01T00:00:00Z. */
#ifndef XD_TESTS_ORDERS_H
#define XD_TESTS_ORDERS_H

#define TRUCK_OFFER                                                                                               \
    "side: offer, kind: truck, ref: o1, pallets: 14, kg: 12000, from: {lat: 31.23, lon: 121.47}, "                \
    "max_detour_km: 80, available_from: 1893456000, available_until: 1893628800"

#define TRUCK_REQUEST                                                                                             \
    "side: request, kind: truck, ref: r1, pallets: 2.5, kg: 1200, from: {lat: 31.2, lon: 121.4}, "                \
    "to: {lat: 39.9, lon: 116.4}, pickup_from: 1893456000, pickup_until: 1893499200, "                            \
    "deliver_until: 1893628800, max_price: 1500"

#define COLD_OFFER                                                                                                \
    "side: offer, kind: cold, ref: o2, pallets: 40, at: {lat: 31.3, lon: 120.6}, from_day: '2030-01-01', "        \
    "until_day: '2030-03-01', temp_c: {min: -20, max: -18}, per_pallet_day: 1.2"

#define COLD_REQUEST                                                                                              \
    "side: request, kind: cold, ref: r2, pallets: 5, at: {lat: 31.2, lon: 121.4}, radius_km: 60, "                \
    "from_day: '2030-01-05', until_day: '2030-01-20', temp_c: {min: -25, max: -15}, max_price: 900"

#define WAREHOUSE_OFFER                                                                                           \
    "side: offer, kind: warehouse, ref: o3, m2: 100, at: {lat: 31.3, lon: 120.6}, from_day: '2030-01-01', "       \
    "until_day: '2030-03-01', per_m2_day: 0.05"

#define WAREHOUSE_REQUEST                                                                                         \
    "side: request, kind: warehouse, ref: r3, m2: 60, at: {lat: 31.2, lon: 121.4}, radius_km: 200, "              \
    "from_day: '2030-01-10', until_day: '2030-01-20', max_price: 100"

#endif
