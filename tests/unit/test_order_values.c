/* Orders with a wrong text, place, list, time or window, each with the exact error that it gets. */
#include "tests/unit/orders.h"
#include "tests/unit/refusal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define CHECK(rows) check_refusals(rows, sizeof(rows) / sizeof((rows)[0]))

static void refuses_bad_texts(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        {TRUCK_OFFER, "ref", "ref: ''", XD_BAD_VALUE, "ref", "\"\" is not 1 to 64 of A-Za-z0-9._:-"},
        {TRUCK_OFFER, "ref", "ref: 'a b'", XD_BAD_VALUE, "ref", "\"a b\" is not 1 to 64 of A-Za-z0-9._:-"},
        {TRUCK_OFFER, "ref", "ref: 'a/b'", XD_BAD_VALUE, "ref", "\"a/b\" is not 1 to 64 of A-Za-z0-9._:-"},
        {TRUCK_OFFER, "ref", "ref: 7", XD_BAD_TYPE, "ref", "7 is not 1 to 64 of A-Za-z0-9._:-"},
        {TRUCK_OFFER, "ref", "ref: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
         XD_TOO_LONG, "ref",
         "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\" is not 1 to 64 of "
         "A-Za-z0-9._:-"},
        {TRUCK_OFFER, "ref", "ref: 'caf\xc3\xa9'", XD_BAD_VALUE, "ref",
         "\"café\" is not 1 to 64 of A-Za-z0-9._:-"},
        {TRUCK_OFFER, "ref", "ref: 'a\xff'", XD_BAD_UTF8, "ref", "\"a?\" is not UTF-8"},
        {TRUCK_OFFER, "ref", "ref: a@b", XD_BAD_VALUE, "ref", "\"a@b\" is not 1 to 64 of A-Za-z0-9._:-"},
        {TRUCK_OFFER, "ref", "ref: b'o1'", XD_BAD_TYPE, "ref", "binary data is not 1 to 64 of A-Za-z0-9._:-"},
        {TRUCK_OFFER, NULL, "note: ''", XD_BAD_VALUE, "note", "\"\" is not a text of 1 to 256 bytes"},
        {TRUCK_OFFER, NULL, "note: 5", XD_BAD_TYPE, "note", "5 is not a text of 1 to 256 bytes"},
        {TRUCK_OFFER, NULL,
         "note: "
         "'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
         "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
         "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn'",
         XD_TOO_LONG, "note",
         "\"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn...\" is not a text of 1 to 256 "
         "bytes"},
        {TRUCK_OFFER, NULL, "note: 'caf\xe9'", XD_BAD_UTF8, "note", "\"caf?\" is not UTF-8"},
        {TRUCK_OFFER, NULL, "note: [a]", XD_BAD_TYPE, "note", "a list is not a text of 1 to 256 bytes"},
        {TRUCK_OFFER, NULL, "currency: usd", XD_BAD_VALUE, "currency",
         "\"usd\" is not three capital letters (ISO 4217)"},
        {TRUCK_OFFER, NULL, "currency: EURO", XD_BAD_VALUE, "currency",
         "\"EURO\" is not three capital letters (ISO 4217)"},
        {TRUCK_OFFER, NULL, "currency: ''", XD_BAD_VALUE, "currency",
         "\"\" is not three capital letters (ISO 4217)"},
        {TRUCK_OFFER, NULL, "currency: 978", XD_BAD_TYPE, "currency",
         "978 is not three capital letters (ISO 4217)"},
    };
    CHECK(rows);
}

static void refuses_bad_choices(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        {TRUCK_OFFER, NULL, "fill: later", XD_BAD_VALUE, "fill",
         "\"later\" is not one of rest, now, all_now"},
        {TRUCK_OFFER, NULL, "fill: all_now", XD_BAD_VALUE, "fill",
         "\"all_now\" is for requests; an offer takes rest or now"},
        {COLD_OFFER, NULL, "fill: all_now", XD_BAD_VALUE, "fill",
         "\"all_now\" is for requests; an offer takes rest or now"},
        {TRUCK_REQUEST, NULL, "fill: ALL_NOW", XD_BAD_VALUE, "fill",
         "\"ALL_NOW\" is not one of rest, now, all_now"},
        {TRUCK_OFFER, NULL, "confirm: yes", XD_BAD_VALUE, "confirm", "\"yes\" is not one of auto, manual"},
        {TRUCK_OFFER, NULL, "confirm: true", XD_BAD_TYPE, "confirm", "true is not one of auto, manual"},
    };
    CHECK(rows);
}

static void refuses_bad_places(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        {TRUCK_OFFER, "from", "from: {lat: 91, lon: 0}", XD_OUT_OF_RANGE, "from.lat",
         "91 is not within -90 to 90"},
        {TRUCK_OFFER, "from", "from: {lat: -90.1, lon: 0}", XD_OUT_OF_RANGE, "from.lat",
         "-90.1 is not within -90 to 90"},
        {TRUCK_OFFER, "from", "from: {lat: 0, lon: 180.5}", XD_OUT_OF_RANGE, "from.lon",
         "180.5 is not within -180 to 180"},
        {TRUCK_OFFER, "from", "from: {lat: 0, lon: '-181'}", XD_OUT_OF_RANGE, "from.lon",
         "\"-181\" is not within -180 to 180"},
        {TRUCK_OFFER, "from", "from: {lat: 31.23}", XD_MISSING_FIELD, "from.lon",
         "a place {lat, lon} needs lon"},
        {TRUCK_OFFER, "from", "from: {lon: 121.47}", XD_MISSING_FIELD, "from.lat",
         "a place {lat, lon} needs lat"},
        {TRUCK_OFFER, "from", "from: {}", XD_MISSING_FIELD, "from.lat", "a place {lat, lon} needs lat"},
        {TRUCK_OFFER, "from", "from: [31.23, 121.47]", XD_BAD_TYPE, "from",
         "a list is not a place {lat, lon}"},
        {TRUCK_OFFER, "from", "from: '31.23,121.47'", XD_BAD_TYPE, "from",
         "\"31.23,121.47\" is not a place {lat, lon}"},
        {TRUCK_OFFER, "from", "from: {lat: 1, lon: 2, alt: 3}", XD_UNKNOWN_FIELD, "from.alt",
         "a place {lat, lon} has no field \"alt\""},
        {TRUCK_OFFER, "from", "from: {lat: 1, lat: 1, lon: 2}", XD_DUPLICATE_FIELD, "from.lat",
         "from.lat is given twice"},
        {TRUCK_OFFER, "from", "from: {lat: north, lon: 2}", XD_BAD_VALUE, "from.lat",
         "\"north\" is not a number"},
        {TRUCK_OFFER, "from", "from: {lat: nan, lon: 2}", XD_BAD_VALUE, "from.lat", "nan is not a number"},
        {TRUCK_OFFER, "from", "from: {lat: nil, lon: 2}", XD_BAD_TYPE, "from.lat", "nil is not a number"},
        {TRUCK_OFFER, "from", "from: {1: 2, lon: 2}", XD_BAD_TYPE, "from",
         "a key of a place {lat, lon} is 1, not a string"},
        {TRUCK_OFFER, NULL, "to: nil", XD_BAD_TYPE, "to", "nil is not a place {lat, lon}"},
        {TRUCK_REQUEST, "to", "to: {latitude: 1, lon: 2}", XD_UNKNOWN_FIELD, "to.latitude",
         "a place {lat, lon} has no field \"latitude\""},
        {COLD_OFFER, "at", "at: {lat: 1e10, lon: 2}", XD_OUT_OF_RANGE, "at.lat",
         "10000000000 is not within -90 to 90"},
        {TRUCK_OFFER, "from", "from: {'l\xff': 1, lon: 2}", XD_BAD_UTF8, "from.l?",
         "the name of a field, \"l?\", is not UTF-8"},
    };
    CHECK(rows);
}

static void refuses_bad_ranges(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        {COLD_OFFER, "temp_c", "temp_c: -18", XD_BAD_TYPE, "temp_c", "-18 is not a range {min, max}"},
        {COLD_OFFER, "temp_c", "temp_c: {min: -18, max: -20}", XD_OUT_OF_RANGE, "temp_c",
         "temp_c.min -18 is above temp_c.max -20"},
        {COLD_OFFER, "temp_c", "temp_c: {min: -18.55, max: -17}", XD_TOO_MANY_DECIMALS, "temp_c.min",
         "-18.55 has more than 1 decimal"},
        {COLD_OFFER, "temp_c", "temp_c: {min: -100.1, max: 0}", XD_OUT_OF_RANGE, "temp_c.min",
         "-100.1 is not within -100 to 100 °C"},
        {COLD_OFFER, "temp_c", "temp_c: {min: 0, max: 101}", XD_OUT_OF_RANGE, "temp_c.max",
         "101 is not within -100 to 100 °C"},
        {COLD_OFFER, "temp_c", "temp_c: {min: 0}", XD_MISSING_FIELD, "temp_c.max",
         "a range {min, max} needs max"},
        {COLD_OFFER, "temp_c", "temp_c: {max: 0}", XD_MISSING_FIELD, "temp_c.min",
         "a range {min, max} needs min"},
        {COLD_OFFER, "temp_c", "temp_c: {min: 0, max: 1, avg: 1}", XD_UNKNOWN_FIELD, "temp_c.avg",
         "a range {min, max} has no field \"avg\""},
        {COLD_OFFER, "temp_c", "temp_c: {min: 0, max: 1, max: 1}", XD_DUPLICATE_FIELD, "temp_c.max",
         "temp_c.max is given twice"},
        {TRUCK_OFFER, NULL, "temp_c: [2, 8]", XD_BAD_TYPE, "temp_c", "a list is not a range {min, max}"},
        {TRUCK_REQUEST, NULL, "temp_c: {min: cold, max: 8}", XD_BAD_VALUE, "temp_c.min",
         "\"cold\" is not a number"},
    };
    CHECK(rows);
}

static void refuses_bad_lists(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        {TRUCK_OFFER, NULL, "features: tail_lift", XD_BAD_TYPE, "features",
         "\"tail_lift\" is not a list of features"},
        {TRUCK_OFFER, NULL, "features: []", XD_BAD_VALUE, "features",
         "a list of 0 is not within 1 to 36 features"},
        {TRUCK_OFFER, NULL, "features: [tail_lift, tail_lift]", XD_BAD_VALUE, "features",
         "\"tail_lift\" is in the list twice"},
        {TRUCK_OFFER, NULL, "features: [wings]", XD_BAD_VALUE, "features",
         "\"wings\" is none of tail_lift pallet_jack forklift air_ride box_body curtain_side flatbed "
         "pre_cool gps_tracking temp_log food_grade halal haccp pharma_gdp bonded racking dock_leveller "
         "blast_freezing sprinkler cctv guarded open_24h value_added adr_1..adr_9 atp_fna atp_fra atp_frb "
         "atp_frc"},
        {TRUCK_OFFER, NULL, "features: [7]", XD_BAD_TYPE, "features", "7 is not the name of a feature"},
        {TRUCK_OFFER, NULL, "features: ['\xff']", XD_BAD_UTF8, "features", "\"?\" is not UTF-8"},
        {TRUCK_OFFER, NULL,
         "features: [x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, "
         "x, x, x, x, x, x, x, x]",
         XD_TOO_LONG, "features", "a list of 37 is not within 1 to 36 features"},
        {TRUCK_OFFER, NULL, "features: {}", XD_BAD_TYPE, "features", "a map is not a list of features"},
        {TRUCK_OFFER, NULL, "only: acme", XD_BAD_TYPE, "only", "\"acme\" is not a list of accounts"},
        {TRUCK_OFFER, NULL, "only: []", XD_BAD_VALUE, "only", "a list of 0 is not within 1 to 16 accounts"},
        {TRUCK_OFFER, NULL, "only: [a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a]", XD_TOO_LONG, "only",
         "a list of 17 is not within 1 to 16 accounts"},
        {TRUCK_OFFER, NULL, "never: ['a b']", XD_BAD_VALUE, "never",
         "\"a b\" is not an account: 1 to 64 of A-Za-z0-9._:@-"},
        {TRUCK_OFFER, NULL, "never: ['']", XD_BAD_VALUE, "never",
         "\"\" is not an account: 1 to 64 of A-Za-z0-9._:@-"},
        {TRUCK_OFFER, NULL, "never: [nil]", XD_BAD_TYPE, "never",
         "nil is not an account: 1 to 64 of A-Za-z0-9._:@-"},
        {TRUCK_OFFER, NULL,
         "never: [acme, yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy]", XD_TOO_LONG,
         "never",
         "\"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy...\" is not an account: 1 to 64 of "
         "A-Za-z0-9._:@-"},
        {TRUCK_OFFER, NULL, "never: ['*']", XD_BAD_VALUE, "never",
         "\"*\" is not an account: 1 to 64 of A-Za-z0-9._:@-"},
    };
    CHECK(rows);
}

static void refuses_bad_times(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        {TRUCK_OFFER, "available_from", "available_from: tomorrow", XD_BAD_VALUE, "available_from",
         "\"tomorrow\" is not a time: RFC 3339 with an offset (2030-01-01T08:00:00+08:00), or epoch seconds"},
        {TRUCK_OFFER, "available_from", "available_from: '2030-01-01'", XD_BAD_VALUE, "available_from",
         "\"2030-01-01\" is not a time: RFC 3339 with an offset (2030-01-01T08:00:00+08:00), or epoch "
         "seconds"},
        {TRUCK_OFFER, "available_from", "available_from: '2030-01-01T08:00:00'", XD_BAD_VALUE,
         "available_from",
         "\"2030-01-01T08:00:00\" is not a time: RFC 3339 with an offset (2030-01-01T08:00:00+08:00), or "
         "epoch seconds"},
        {TRUCK_OFFER, "available_from", "available_from: '2030-13-01T08:00:00Z'", XD_BAD_VALUE,
         "available_from",
         "\"2030-13-01T08:00:00Z\" is not a time: RFC 3339 with an offset (2030-01-01T08:00:00+08:00), or "
         "epoch seconds"},
        {TRUCK_OFFER, "available_from", "available_from: '2030-01-01T08:00:00.5Z'", XD_BAD_VALUE,
         "available_from",
         "\"2030-01-01T08:00:00.5Z\" is not a time: RFC 3339 with an offset (2030-01-01T08:00:00+08:00), or "
         "epoch seconds"},
        {TRUCK_OFFER, "available_from", "available_from: true", XD_BAD_TYPE, "available_from",
         "true is not a time: RFC 3339 with an offset (2030-01-01T08:00:00+08:00), or epoch seconds"},
        {TRUCK_OFFER, "available_from", "available_from: nil", XD_BAD_TYPE, "available_from",
         "nil is not a time: RFC 3339 with an offset (2030-01-01T08:00:00+08:00), or epoch seconds"},
        {TRUCK_OFFER, "available_from", "available_from: 1893456000.5", XD_TOO_MANY_DECIMALS,
         "available_from",
         "1893456000.5 is not a time: RFC 3339 with an offset (2030-01-01T08:00:00+08:00), or epoch seconds"},
        {TRUCK_OFFER, "available_from", "available_from: 0", XD_OUT_OF_RANGE, "available_from",
         "0 is not within 2000-01-01T00:00:00Z to 2199-12-31T23:59:59Z"},
        {TRUCK_OFFER, "available_from", "available_from: -1", XD_OUT_OF_RANGE, "available_from",
         "-1 is not within 2000-01-01T00:00:00Z to 2199-12-31T23:59:59Z"},
        {TRUCK_OFFER, "available_from", "available_from: 1893456000000", XD_OUT_OF_RANGE, "available_from",
         "1893456000000 is not within 2000-01-01T00:00:00Z to 2199-12-31T23:59:59Z"},
        {TRUCK_OFFER, "available_from", "available_from: '1893456000000'", XD_OUT_OF_RANGE, "available_from",
         "\"1893456000000\" is not within 2000-01-01T00:00:00Z to 2199-12-31T23:59:59Z"},
        {TRUCK_OFFER, "available_from", "available_from: '1999-12-31T23:59:59Z'", XD_OUT_OF_RANGE,
         "available_from",
         "\"1999-12-31T23:59:59Z\" is not within 2000-01-01T00:00:00Z to 2199-12-31T23:59:59Z"},
        {TRUCK_OFFER, "available_from", "available_from: '2200-01-01T00:00:00Z'", XD_OUT_OF_RANGE,
         "available_from",
         "\"2200-01-01T00:00:00Z\" is not within 2000-01-01T00:00:00Z to 2199-12-31T23:59:59Z"},
        {TRUCK_OFFER, "available_from", "available_from: 1e300", XD_OUT_OF_RANGE, "available_from",
         "1e+300 is not within 2000-01-01T00:00:00Z to 2199-12-31T23:59:59Z"},
        {TRUCK_OFFER, "available_from", "available_from: nan", XD_BAD_VALUE, "available_from",
         "nan is not a time: RFC 3339 with an offset (2030-01-01T08:00:00+08:00), or epoch seconds"},
        {TRUCK_OFFER, "available_from", "available_from: ''", XD_BAD_VALUE, "available_from",
         "\"\" is not a time: RFC 3339 with an offset (2030-01-01T08:00:00+08:00), or epoch seconds"},
        {TRUCK_OFFER, "available_from", "available_from: '\xff'", XD_BAD_UTF8, "available_from",
         "\"?\" is not UTF-8"},
        {TRUCK_OFFER, "available_from", "available_from: '-5'", XD_BAD_VALUE, "available_from",
         "\"-5\" is not a time: RFC 3339 with an offset (2030-01-01T08:00:00+08:00), or epoch seconds"},
        {TRUCK_OFFER, "available_from", "available_from: '1e9'", XD_BAD_VALUE, "available_from",
         "\"1e9\" is not a time: RFC 3339 with an offset (2030-01-01T08:00:00+08:00), or epoch seconds"},
        {TRUCK_OFFER, "available_from", "available_from: '99999999999999999999'", XD_OUT_OF_RANGE,
         "available_from",
         "\"99999999999999999999\" is not within 2000-01-01T00:00:00Z to 2199-12-31T23:59:59Z"},
    };
    CHECK(rows);
}

static void refuses_bad_days(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        {COLD_OFFER, "from_day", "from_day: 21915", XD_BAD_TYPE, "from_day",
         "21915 is not a day from 2000-01-01 to 2199-12-31, written YYYY-MM-DD"},
        {COLD_OFFER, "from_day", "from_day: '2030-02-30'", XD_BAD_VALUE, "from_day",
         "\"2030-02-30\" is not a day from 2000-01-01 to 2199-12-31, written YYYY-MM-DD"},
        {COLD_OFFER, "from_day", "from_day: '2030-1-1'", XD_BAD_VALUE, "from_day",
         "\"2030-1-1\" is not a day from 2000-01-01 to 2199-12-31, written YYYY-MM-DD"},
        {COLD_OFFER, "from_day", "from_day: '1999-12-31'", XD_OUT_OF_RANGE, "from_day",
         "\"1999-12-31\" is not within 2000-01-01 to 2199-12-31"},
        {COLD_OFFER, "from_day", "from_day: '2030-01-01T00:00:00Z'", XD_BAD_VALUE, "from_day",
         "\"2030-01-01T00:00:00Z\" is not a day from 2000-01-01 to 2199-12-31, written YYYY-MM-DD"},
        {COLD_OFFER, "until_day", "until_day: soon", XD_BAD_VALUE, "until_day",
         "\"soon\" is not a day from 2000-01-01 to 2199-12-31, written YYYY-MM-DD"},
        {COLD_OFFER, "until_day", "until_day: nil", XD_BAD_TYPE, "until_day",
         "nil is not a day from 2000-01-01 to 2199-12-31, written YYYY-MM-DD"},
        {COLD_OFFER, "until_day", "until_day: '2200-01-01'", XD_OUT_OF_RANGE, "until_day",
         "\"2200-01-01\" is not within 2000-01-01 to 2199-12-31"},
    };
    CHECK(rows);
}

static void refuses_fields_that_contradict(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        {TRUCK_OFFER, "available_until", "available_until: 1893456000", XD_OUT_OF_RANGE, "available_until",
         "available_until 2030-01-01T00:00:00Z is not after available_from 2030-01-01T00:00:00Z"},
        {TRUCK_OFFER, "available_until", "available_until: '2029-12-31T23:59:59Z'", XD_OUT_OF_RANGE,
         "available_until",
         "available_until 2029-12-31T23:59:59Z is not after available_from 2030-01-01T00:00:00Z"},
        {TRUCK_REQUEST, "pickup_until", "pickup_until: '2029-12-31T00:00:00Z'", XD_OUT_OF_RANGE,
         "pickup_until", "pickup_until 2029-12-31T00:00:00Z is before pickup_from 2030-01-01T00:00:00Z"},
        {TRUCK_REQUEST, "deliver_until", "deliver_until: 1893455999", XD_OUT_OF_RANGE, "deliver_until",
         "deliver_until 2029-12-31T23:59:59Z is before pickup_from 2030-01-01T00:00:00Z"},
        {COLD_OFFER, "until_day", "until_day: '2030-01-01'", XD_OUT_OF_RANGE, "until_day",
         "until_day 2030-01-01 is not after from_day 2030-01-01"},
        {COLD_OFFER, "until_day", "until_day: '2029-12-31'", XD_OUT_OF_RANGE, "until_day",
         "until_day 2029-12-31 is not after from_day 2030-01-01"},
        {COLD_OFFER, "until_day", "until_day: '2032-01-03'", XD_OUT_OF_RANGE, "until_day",
         "until_day 2032-01-03 is more than 731 days after from_day 2030-01-01"},
        {COLD_OFFER, NULL, "min_part: 40.01", XD_OUT_OF_RANGE, "min_part",
         "min_part 40.01 is more than pallets 40"},
        {WAREHOUSE_REQUEST, NULL, "min_part: 61", XD_OUT_OF_RANGE, "min_part",
         "min_part 61 is more than m2 60"},
        {COLD_REQUEST, NULL, "min_part: 0", XD_OUT_OF_RANGE, "min_part",
         "0 is not within 0.01 to 10000000 pallets or m2"},
        {COLD_REQUEST, NULL, "min_part: 1.234", XD_TOO_MANY_DECIMALS, "min_part",
         "1.234 has more than 2 decimals"},
        {TRUCK_OFFER, NULL, "valid_until: 1893628801", XD_OUT_OF_RANGE, "valid_until",
         "valid_until 2030-01-03T00:00:01Z is after 2030-01-03T00:00:00Z, its available_until"},
        {TRUCK_REQUEST, NULL, "valid_until: 1893499201", XD_OUT_OF_RANGE, "valid_until",
         "valid_until 2030-01-01T12:00:01Z is after 2030-01-01T12:00:00Z, its pickup_until"},
        {COLD_OFFER, NULL, "valid_until: '2030-03-01T00:00:01Z'", XD_OUT_OF_RANGE, "valid_until",
         "valid_until 2030-03-01T00:00:01Z is after 2030-03-01T00:00:00Z, the start of until_day"},
        {COLD_REQUEST, NULL, "valid_until: '2030-01-05T00:00:01Z'", XD_OUT_OF_RANGE, "valid_until",
         "valid_until 2030-01-05T00:00:01Z is after 2030-01-05T00:00:00Z, the start of from_day"},
        {WAREHOUSE_REQUEST, NULL, "valid_until: 1893456000.25", XD_TOO_MANY_DECIMALS, "valid_until",
         "1893456000.25 is not a time: RFC 3339 with an offset (2030-01-01T08:00:00+08:00), or epoch "
         "seconds"},
        {WAREHOUSE_OFFER, NULL, "valid_until: never", XD_BAD_VALUE, "valid_until",
         "\"never\" is not a time: RFC 3339 with an offset (2030-01-01T08:00:00+08:00), or epoch seconds"},
    };
    CHECK(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_bad_texts),  cmocka_unit_test(refuses_bad_choices),
        cmocka_unit_test(refuses_bad_places), cmocka_unit_test(refuses_bad_ranges),
        cmocka_unit_test(refuses_bad_lists),  cmocka_unit_test(refuses_bad_times),
        cmocka_unit_test(refuses_bad_days),   cmocka_unit_test(refuses_fields_that_contradict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
