/* Orders with a wrong field or number, each with the exact error that it gets. */
#include "tests/unit/orders.h"
#include "tests/unit/refusal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define CHECK(rows) check_refusals(rows, sizeof(rows) / sizeof((rows)[0]))

static void refuses_wrong_side_and_kind_first(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        {TRUCK_OFFER, "side", "", XD_MISSING_FIELD, "side", "an order needs side: offer or request"},
        {TRUCK_OFFER, "kind", "", XD_MISSING_FIELD, "kind", "an order needs kind: truck, cold or warehouse"},
        {"", "", "", XD_MISSING_FIELD, "side", "an order needs side: offer or request"},
        {TRUCK_OFFER, "side", "side: buy", XD_BAD_VALUE, "side", "\"buy\" is not one of offer, request"},
        {TRUCK_OFFER, "side", "side: 1", XD_BAD_TYPE, "side", "1 is not one of offer, request"},
        {TRUCK_OFFER, "kind", "kind: ship", XD_BAD_VALUE, "kind",
         "\"ship\" is not one of truck, cold, warehouse"},
        {TRUCK_OFFER, "kind", "kind: nil", XD_BAD_TYPE, "kind", "nil is not one of truck, cold, warehouse"},
        {TRUCK_OFFER, "kind", "kind: ''", XD_BAD_VALUE, "kind", "\"\" is not one of truck, cold, warehouse"},
        {TRUCK_OFFER, "side", "side: 'offer\\0'", XD_BAD_VALUE, "side",
         "\"offer\\0\" is not one of offer, request"},
        {TRUCK_REQUEST, "side", "colour: red", XD_MISSING_FIELD, "side",
         "an order needs side: offer or request"},
        {TRUCK_OFFER, "kind", "kind: Truck", XD_BAD_VALUE, "kind",
         "\"Truck\" is not one of truck, cold, warehouse"},
        {TRUCK_OFFER, "side", "side: 'of\xff'", XD_BAD_UTF8, "side", "\"of?\" is not UTF-8"},
    };
    CHECK(rows);
}

static void refuses_fields_it_does_not_have(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        {TRUCK_OFFER, NULL, "colour: red", XD_UNKNOWN_FIELD, "colour",
         "a truck offer has no field \"colour\""},
        {WAREHOUSE_REQUEST, NULL, "temp: 4", XD_UNKNOWN_FIELD, "temp",
         "a warehouse request has no field \"temp\""},
        {TRUCK_OFFER, NULL, "'': 1", XD_UNKNOWN_FIELD, "", "a truck offer has no field \"\""},
        {TRUCK_OFFER, NULL, "'From': 1", XD_UNKNOWN_FIELD, "From", "a truck offer has no field \"From\""},
        {TRUCK_OFFER, NULL, "account: acme", XD_UNKNOWN_FIELD, "account",
         "a truck offer has no field \"account\""},
        {TRUCK_OFFER, NULL, "'two words\n': 1", XD_UNKNOWN_FIELD, "two words?",
         "a truck offer has no field \"two words?\""},
        {TRUCK_OFFER, NULL, "'\xc3\x28': 1", XD_BAD_UTF8, "?(", "the name of a field, \"?(\", is not UTF-8"},
        {TRUCK_OFFER, NULL, "a_name_of_a_field_that_is_longer_than_any_name_may_be: 1", XD_UNKNOWN_FIELD,
         "a_name_of_a_field_that_is_longer...",
         "a truck offer has no field \"a_name_of_a_field_that_is_longer...\""},
        {TRUCK_OFFER, NULL, "max_price: 5", XD_UNKNOWN_FIELD, "max_price",
         "a truck offer has no field \"max_price\"; it is for truck requests, cold requests, warehouse "
         "requests"},
        {TRUCK_OFFER, NULL, "to_day: 1", XD_UNKNOWN_FIELD, "to_day", "a truck offer has no field \"to_day\""},
        {TRUCK_OFFER, NULL, "load_min: 5", XD_UNKNOWN_FIELD, "load_min",
         "a truck offer has no field \"load_min\"; it is for truck requests"},
        {TRUCK_OFFER, NULL, "min_part: 2", XD_UNKNOWN_FIELD, "min_part",
         "a truck offer has no field \"min_part\"; it is for cold offers, cold requests, warehouse offers, "
         "warehouse requests"},
        {TRUCK_REQUEST, NULL, "speed_kmh: 60", XD_UNKNOWN_FIELD, "speed_kmh",
         "a truck request has no field \"speed_kmh\"; it is for truck offers"},
        {TRUCK_REQUEST, NULL, "base: 1", XD_UNKNOWN_FIELD, "base",
         "a truck request has no field \"base\"; it is for truck offers, cold offers, warehouse offers"},
        {TRUCK_REQUEST, NULL, "min_part: 1", XD_UNKNOWN_FIELD, "min_part",
         "a truck request has no field \"min_part\"; it is for cold offers, cold requests, warehouse offers, "
         "warehouse requests"},
        {COLD_OFFER, NULL, "per_m2_day: 1", XD_UNKNOWN_FIELD, "per_m2_day",
         "a cold offer has no field \"per_m2_day\"; it is for warehouse offers"},
        {WAREHOUSE_OFFER, NULL, "per_pallet_day: 1", XD_UNKNOWN_FIELD, "per_pallet_day",
         "a warehouse offer has no field \"per_pallet_day\"; it is for cold offers"},
        {WAREHOUSE_OFFER, NULL, "temp_c: {min: 1, max: 2}", XD_UNKNOWN_FIELD, "temp_c",
         "a warehouse offer has no field \"temp_c\"; it is for truck offers, truck requests, cold offers, "
         "cold requests"},
        {COLD_OFFER, NULL, "radius_km: 5", XD_UNKNOWN_FIELD, "radius_km",
         "a cold offer has no field \"radius_km\"; it is for cold requests, warehouse requests"},
        {COLD_OFFER, NULL, "per_access_km: 1", XD_UNKNOWN_FIELD, "per_access_km",
         "a cold offer has no field \"per_access_km\"; it is for cold requests, warehouse requests"},
        {COLD_REQUEST, NULL, "from: {lat: 1, lon: 2}", XD_UNKNOWN_FIELD, "from",
         "a cold request has no field \"from\"; it is for truck offers, truck requests"},
        {WAREHOUSE_REQUEST, NULL, "pickup_from: 1893456000", XD_UNKNOWN_FIELD, "pickup_from",
         "a warehouse request has no field \"pickup_from\"; it is for truck requests"},
        {TRUCK_OFFER, NULL, "7: 1", XD_BAD_TYPE, "", "the name of a field is a string, not 7"},
        {TRUCK_OFFER, NULL, "nil: 1", XD_BAD_TYPE, "", "the name of a field is a string, not nil"},
        {TRUCK_OFFER, NULL, "b'kg': 1", XD_BAD_TYPE, "", "the name of a field is a string, not binary data"},
        {TRUCK_OFFER, NULL, "[kg]: 1", XD_BAD_TYPE, "", "the name of a field is a string, not a list"},
    };
    CHECK(rows);
}

static void refuses_fields_given_twice(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        {TRUCK_OFFER, NULL, "kg: 12000", XD_DUPLICATE_FIELD, "kg", "kg is given twice"},
        {TRUCK_OFFER, NULL, "side: offer", XD_DUPLICATE_FIELD, "side", "side is given twice"},
        {TRUCK_OFFER, NULL, "kind: cold", XD_DUPLICATE_FIELD, "kind", "kind is given twice"},
        {COLD_REQUEST, NULL, "at: {lat: 1, lon: 2}", XD_DUPLICATE_FIELD, "at", "at is given twice"},
        {TRUCK_OFFER, NULL, "note: a, note: b", XD_DUPLICATE_FIELD, "note", "note is given twice"},
    };
    CHECK(rows);
}

static void refuses_trucks_with_fields_missing(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        {TRUCK_OFFER, "ref", "", XD_MISSING_FIELD, "ref",
         "a truck offer needs ref: the account's own name for the order, and its idempotency key: the same "
         "order sent again under it is one order"},
        {TRUCK_OFFER, "pallets", "", XD_MISSING_FIELD, "pallets",
         "a truck offer needs pallets: pallet places that an offer has, or a request needs"},
        {TRUCK_OFFER, "kg", "", XD_MISSING_FIELD, "kg",
         "a truck offer needs kg: weight that an offer can take, or a request has"},
        {TRUCK_OFFER, "from", "", XD_MISSING_FIELD, "from",
         "a truck offer needs from: where the truck is free, or the goods are picked up"},
        {TRUCK_OFFER, "max_detour_km", "", XD_MISSING_FIELD, "max_detour_km",
         "a truck offer needs max_detour_km: the most kilometres that all its loads together may add"},
        {TRUCK_OFFER, "available_from", "", XD_MISSING_FIELD, "available_from",
         "a truck offer needs available_from: when the truck is free at `from`"},
        {TRUCK_OFFER, "available_until", "", XD_MISSING_FIELD, "available_until",
         "a truck offer needs available_until: when it must be at `to`, or without it have unloaded the last "
         "load; after `available_from`"},
        {TRUCK_REQUEST, "to", "", XD_MISSING_FIELD, "to",
         "a truck request needs to: where the truck must end (left out: anywhere), or the goods go"},
        {TRUCK_REQUEST, "pickup_from", "", XD_MISSING_FIELD, "pickup_from",
         "a truck request needs pickup_from: the earliest that loading may start"},
        {TRUCK_REQUEST, "pickup_until", "", XD_MISSING_FIELD, "pickup_until",
         "a truck request needs pickup_until: the latest that loading may start; not before `pickup_from`"},
        {TRUCK_REQUEST, "deliver_until", "", XD_MISSING_FIELD, "deliver_until",
         "a truck request needs deliver_until: the latest that unloading may start; not before "
         "`pickup_from`"},
        {TRUCK_REQUEST, "max_price", "", XD_MISSING_FIELD, "max_price",
         "a truck request needs max_price: the most that the whole may cost, all in"},
    };
    CHECK(rows);
}

static void refuses_storage_with_fields_missing(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        {COLD_OFFER, "pallets", "", XD_MISSING_FIELD, "pallets",
         "a cold offer needs pallets: pallet places that an offer has, or a request needs"},
        {COLD_OFFER, "at", "", XD_MISSING_FIELD, "at",
         "a cold offer needs at: where the storage is, or is wanted"},
        {COLD_OFFER, "from_day", "", XD_MISSING_FIELD, "from_day",
         "a cold offer needs from_day: the first day"},
        {COLD_OFFER, "until_day", "", XD_MISSING_FIELD, "until_day",
         "a cold offer needs until_day: the day after the last; after `from_day` by at most 731 days"},
        {COLD_OFFER, "temp_c", "", XD_MISSING_FIELD, "temp_c",
         "a cold offer needs temp_c: the set-points that a truck can run, the band that a chamber stays in, "
         "or what the goods of a request tolerate"},
        {COLD_REQUEST, "radius_km", "", XD_MISSING_FIELD, "radius_km",
         "a cold request needs radius_km: how far from `at` the storage may be"},
        {COLD_REQUEST, "max_price", "", XD_MISSING_FIELD, "max_price",
         "a cold request needs max_price: the most that the whole may cost, all in"},
        {COLD_REQUEST, "temp_c", "", XD_MISSING_FIELD, "temp_c",
         "a cold request needs temp_c: the set-points that a truck can run, the band that a chamber stays "
         "in, or what the goods of a request tolerate"},
        {WAREHOUSE_OFFER, "m2", "", XD_MISSING_FIELD, "m2",
         "a warehouse offer needs m2: floor area in square metres"},
        {WAREHOUSE_OFFER, "at", "", XD_MISSING_FIELD, "at",
         "a warehouse offer needs at: where the storage is, or is wanted"},
        {WAREHOUSE_REQUEST, "m2", "", XD_MISSING_FIELD, "m2",
         "a warehouse request needs m2: floor area in square metres"},
        {WAREHOUSE_REQUEST, "radius_km", "", XD_MISSING_FIELD, "radius_km",
         "a warehouse request needs radius_km: how far from `at` the storage may be"},
        {WAREHOUSE_REQUEST, "max_price", "", XD_MISSING_FIELD, "max_price",
         "a warehouse request needs max_price: the most that the whole may cost, all in"},
        {WAREHOUSE_REQUEST, "until_day", "", XD_MISSING_FIELD, "until_day",
         "a warehouse request needs until_day: the day after the last; after `from_day` by at most 731 days"},
    };
    CHECK(rows);
}

static void refuses_what_is_no_number_of_kilograms(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        {TRUCK_OFFER, "kg", "kg: true", XD_BAD_TYPE, "kg", "true is not a number"},
        {TRUCK_OFFER, "kg", "kg: nil", XD_BAD_TYPE, "kg", "nil is not a number"},
        {TRUCK_OFFER, "kg", "kg: [1]", XD_BAD_TYPE, "kg", "a list is not a number"},
        {TRUCK_OFFER, "kg", "kg: {}", XD_BAD_TYPE, "kg", "a map is not a number"},
        {TRUCK_OFFER, "kg", "kg: b'1'", XD_BAD_TYPE, "kg", "binary data is not a number"},
        {TRUCK_OFFER, "kg", "kg: nan", XD_BAD_VALUE, "kg", "nan is not a number"},
        {TRUCK_OFFER, "kg", "kg: inf", XD_BAD_VALUE, "kg", "inf is not a number"},
        {TRUCK_OFFER, "kg", "kg: '-inf'", XD_BAD_VALUE, "kg", "\"-inf\" is not a number"},
        {TRUCK_OFFER, "kg", "kg: ''", XD_BAD_VALUE, "kg", "\"\" is not a number"},
        {TRUCK_OFFER, "kg", "kg: heavy", XD_BAD_VALUE, "kg", "\"heavy\" is not a number"},
        {TRUCK_OFFER, "kg", "kg: '1 2'", XD_BAD_VALUE, "kg", "\"1 2\" is not a number"},
        {TRUCK_OFFER, "kg", "kg: '0x10'", XD_BAD_VALUE, "kg", "\"0x10\" is not a number"},
        {TRUCK_OFFER, "kg", "kg: '1,5'", XD_BAD_VALUE, "kg", "\"1,5\" is not a number"},
        {TRUCK_OFFER, "kg", "kg: 0", XD_OUT_OF_RANGE, "kg", "0 is not within 1 to 1000000000 kg"},
        {TRUCK_OFFER, "kg", "kg: -1", XD_OUT_OF_RANGE, "kg", "-1 is not within 1 to 1000000000 kg"},
        {TRUCK_OFFER, "kg", "kg: 1.5", XD_TOO_MANY_DECIMALS, "kg",
         "1.5 has decimals, kg takes whole numbers"},
        {TRUCK_OFFER, "kg", "kg: 12000.5f", XD_TOO_MANY_DECIMALS, "kg",
         "12000.5 has decimals, kg takes whole numbers"},
        {TRUCK_OFFER, "kg", "kg: '12000.5'", XD_TOO_MANY_DECIMALS, "kg",
         "\"12000.5\" has decimals, kg takes whole numbers"},
        {TRUCK_OFFER, "kg", "kg: 1000000001", XD_OUT_OF_RANGE, "kg",
         "1000000001 is not within 1 to 1000000000 kg"},
        {TRUCK_OFFER, "kg", "kg: 18446744073709551615", XD_OUT_OF_RANGE, "kg",
         "18446744073709551615 is not within 1 to 1000000000 kg"},
        {TRUCK_OFFER, "kg", "kg: 1e300", XD_OUT_OF_RANGE, "kg", "1e+300 is not within 1 to 1000000000 kg"},
        {TRUCK_OFFER, "kg", "kg: '99999999999999999999'", XD_OUT_OF_RANGE, "kg",
         "\"99999999999999999999\" is not within 1 to 1000000000 kg"},
        {TRUCK_OFFER, "kg", "kg: -9223372036854775808", XD_OUT_OF_RANGE, "kg",
         "-9223372036854775808 is not within 1 to 1000000000 kg"},
        {TRUCK_OFFER, "kg", "kg: '\xff'", XD_BAD_UTF8, "kg", "\"?\" is not UTF-8"},
    };
    CHECK(rows);
}

static void refuses_bad_amounts(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        {TRUCK_OFFER, "pallets", "pallets: 0", XD_OUT_OF_RANGE, "pallets",
         "0 is not within 0.01 to 1000000 pallets"},
        {TRUCK_OFFER, "pallets", "pallets: 0.001", XD_TOO_MANY_DECIMALS, "pallets",
         "0.001 has more than 2 decimals"},
        {TRUCK_OFFER, "pallets", "pallets: 1000000.01", XD_OUT_OF_RANGE, "pallets",
         "1000000.01 is not within 0.01 to 1000000 pallets"},
        {TRUCK_OFFER, "pallets", "pallets: 1000001", XD_OUT_OF_RANGE, "pallets",
         "1000001 is not within 0.01 to 1000000 pallets"},
        {TRUCK_OFFER, "pallets", "pallets: '2.505'", XD_TOO_MANY_DECIMALS, "pallets",
         "\"2.505\" has more than 2 decimals"},
        {TRUCK_OFFER, "pallets", "pallets: -0.5", XD_OUT_OF_RANGE, "pallets",
         "-0.5 is not within 0.01 to 1000000 pallets"},
        {TRUCK_OFFER, NULL, "m3: 0.0001", XD_TOO_MANY_DECIMALS, "m3", "0.0001 has more than 3 decimals"},
        {TRUCK_OFFER, NULL, "m3: 10000001", XD_OUT_OF_RANGE, "m3",
         "10000001 is not within 0.001 to 10000000 m3"},
        {TRUCK_OFFER, NULL, "ldm: 13.605", XD_TOO_MANY_DECIMALS, "ldm", "13.605 has more than 2 decimals"},
        {TRUCK_OFFER, NULL, "ldm: 0", XD_OUT_OF_RANGE, "ldm", "0 is not within 0.01 to 10000000 ldm"},
        {COLD_OFFER, NULL, "m2: 10000000.01", XD_OUT_OF_RANGE, "m2",
         "10000000.01 is not within 0.01 to 10000000 m2"},
        {WAREHOUSE_OFFER, "m2", "m2: 0", XD_OUT_OF_RANGE, "m2", "0 is not within 0.01 to 10000000 m2"},
    };
    CHECK(rows);
}

static void refuses_bad_distances_times_and_credit(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        {TRUCK_OFFER, "max_detour_km", "max_detour_km: -1", XD_OUT_OF_RANGE, "max_detour_km",
         "-1 is not within 0 to 20000 km"},
        {TRUCK_OFFER, "max_detour_km", "max_detour_km: 20000.001", XD_OUT_OF_RANGE, "max_detour_km",
         "20000.001 is not within 0 to 20000 km"},
        {TRUCK_OFFER, "max_detour_km", "max_detour_km: 1.2345", XD_TOO_MANY_DECIMALS, "max_detour_km",
         "1.2345 has more than 3 decimals"},
        {COLD_REQUEST, "radius_km", "radius_km: 20001", XD_OUT_OF_RANGE, "radius_km",
         "20001 is not within 0 to 20000 km"},
        {WAREHOUSE_REQUEST, "radius_km", "radius_km: -0.001", XD_OUT_OF_RANGE, "radius_km",
         "-0.001 is not within 0 to 20000 km"},
        {TRUCK_OFFER, NULL, "speed_kmh: 0", XD_OUT_OF_RANGE, "speed_kmh", "0 is not within 1 to 200 km/h"},
        {TRUCK_OFFER, NULL, "speed_kmh: 0.9", XD_OUT_OF_RANGE, "speed_kmh",
         "0.9 is not within 1 to 200 km/h"},
        {TRUCK_OFFER, NULL, "speed_kmh: 200.1", XD_OUT_OF_RANGE, "speed_kmh",
         "200.1 is not within 1 to 200 km/h"},
        {TRUCK_OFFER, NULL, "speed_kmh: 60.25", XD_TOO_MANY_DECIMALS, "speed_kmh",
         "60.25 has more than 1 decimal"},
        {TRUCK_REQUEST, NULL, "load_min: -1", XD_OUT_OF_RANGE, "load_min", "-1 is not within 0 to 10080 min"},
        {TRUCK_REQUEST, NULL, "load_min: 10081", XD_OUT_OF_RANGE, "load_min",
         "10081 is not within 0 to 10080 min"},
        {TRUCK_REQUEST, NULL, "unload_min: 1.5", XD_TOO_MANY_DECIMALS, "unload_min",
         "1.5 has decimals, unload_min takes whole numbers"},
        {TRUCK_OFFER, NULL, "hold_s: 29", XD_OUT_OF_RANGE, "hold_s", "29 is not within 30 to 86400 s"},
        {TRUCK_OFFER, NULL, "hold_s: 86401", XD_OUT_OF_RANGE, "hold_s", "86401 is not within 30 to 86400 s"},
        {TRUCK_OFFER, NULL, "min_credit: 1001", XD_OUT_OF_RANGE, "min_credit",
         "1001 is not within 0 to 1000"},
        {TRUCK_OFFER, NULL, "min_credit: -1", XD_OUT_OF_RANGE, "min_credit", "-1 is not within 0 to 1000"},
        {TRUCK_OFFER, NULL, "hold_s: soon", XD_BAD_VALUE, "hold_s", "\"soon\" is not a number"},
    };
    CHECK(rows);
}

static void refuses_bad_money(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        {TRUCK_OFFER, NULL, "base: -0.01", XD_OUT_OF_RANGE, "base",
         "-0.01 is not within 0 to 1000000000 per match"},
        {TRUCK_OFFER, NULL, "base: 1000000000.01", XD_OUT_OF_RANGE, "base",
         "1000000000.01 is not within 0 to 1000000000 per match"},
        {TRUCK_OFFER, NULL, "base: 1.005", XD_TOO_MANY_DECIMALS, "base", "1.005 has more than 2 decimals"},
        {TRUCK_REQUEST, "max_price", "max_price: 0", XD_OUT_OF_RANGE, "max_price",
         "0 is not within 0.01 to 1000000000"},
        {TRUCK_REQUEST, "max_price", "max_price: 0.001", XD_TOO_MANY_DECIMALS, "max_price",
         "0.001 has more than 2 decimals"},
        {TRUCK_REQUEST, "max_price", "max_price: 1000000001", XD_OUT_OF_RANGE, "max_price",
         "1000000001 is not within 0.01 to 1000000000"},
        {TRUCK_REQUEST, "max_price", "max_price: -5", XD_OUT_OF_RANGE, "max_price",
         "-5 is not within 0.01 to 1000000000"},
        {TRUCK_OFFER, NULL, "per_t_km: 0.00001", XD_TOO_MANY_DECIMALS, "per_t_km",
         "1e-05 has more than 4 decimals"},
        {TRUCK_OFFER, NULL, "per_t_km: -1", XD_OUT_OF_RANGE, "per_t_km",
         "-1 is not within 0 to 1000000 per t km"},
        {TRUCK_OFFER, NULL, "per_detour_km: 1000001", XD_OUT_OF_RANGE, "per_detour_km",
         "1000001 is not within 0 to 1000000 per km"},
        {COLD_OFFER, "per_pallet_day", "per_pallet_day: 1.23456", XD_TOO_MANY_DECIMALS, "per_pallet_day",
         "1.23456 has more than 4 decimals"},
        {WAREHOUSE_REQUEST, NULL, "per_access_km: -0.3", XD_OUT_OF_RANGE, "per_access_km",
         "-0.3 is not within 0 to 1000000 per km"},
    };
    CHECK(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_wrong_side_and_kind_first),
        cmocka_unit_test(refuses_fields_it_does_not_have),
        cmocka_unit_test(refuses_fields_given_twice),
        cmocka_unit_test(refuses_trucks_with_fields_missing),
        cmocka_unit_test(refuses_storage_with_fields_missing),
        cmocka_unit_test(refuses_what_is_no_number_of_kilograms),
        cmocka_unit_test(refuses_bad_amounts),
        cmocka_unit_test(refuses_bad_distances_times_and_credit),
        cmocka_unit_test(refuses_bad_money),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
