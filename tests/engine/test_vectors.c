/* Plays every case of tests/vectors through the engine: orders in; matches, quotes, prices and plans out. The format is
 * described in tests/vectors/README.md. */
#include "core/decimal.h"
#include "core/mp.h"
#include "core/when.h"
#include "tests/engine/play.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ORDERS_MAX = 256, MATCHES_MAX = 256 };

struct seen_match {
    const msgpack_object *map; /* as last told */
    const msgpack_object *first;
};

struct scene {
    struct xd_play play;
    const json_t *vector;
    const json_t *orders[ORDERS_MAX];
    uint64_t ids[ORDERS_MAX];
    size_t order_count;
    struct seen_match matches[MATCHES_MAX];
    size_t match_count;
};

static bool text_is(const msgpack_object *map, const char *key, const char *text)
{
    struct xd_str value;
    return map && xd_mp_get_str(map, key, &value) && value.len == strlen(text) && !memcmp(value.at, text, value.len);
}

static bool party_is(const msgpack_object *match, const char *side, const char *ref)
{
    return text_is(xd_mp_get(match, side), "ref", ref);
}

/* A JSON or MessagePack number in hundredths (or, for amounts, thousandths): numbers may be texts in vectors. */
static int64_t json_thousandths(const json_t *value)
{
    int64_t out = 0;
    if (json_is_string(value)) {
        const char *text = json_string_value(value);
        assert_int_equal(xd_decimal_parse(text, strlen(text), 3, false, &out), XD_DECIMAL_OK);
    } else {
        assert_int_equal(xd_decimal_from_double(json_number_value(value), 3, false, &out), XD_DECIMAL_OK);
    }
    return out;
}

static int64_t mp_thousandths(const msgpack_object *value)
{
    int64_t out = 0;
    assert_non_null(value);
    double number = value->type == MSGPACK_OBJECT_FLOAT64            ? value->via.f64
                    : value->type == MSGPACK_OBJECT_POSITIVE_INTEGER ? (double)value->via.u64
                                                                     : (double)value->via.i64;
    assert_int_equal(xd_decimal_from_double(number, 3, false, &out), XD_DECIMAL_OK);
    return out;
}

static int64_t json_time(const json_t *value)
{
    int64_t time = json_integer_value(value);
    if (json_is_string(value)) {
        const char *text = json_string_value(value);
        assert_true(xd_time_parse(text, strlen(text), &time));
    }
    return time;
}

/* --- what happened ----------------------------------------------------------------------------------------------------------- */

static void note_matches(struct scene *scene, size_t from)
{
    for (size_t i = from; i < scene->play.event_count; i++) {
        const msgpack_object *match = xd_mp_get(scene->play.events[i], "match");
        struct xd_str id, account, owner;
        if (!match || !xd_mp_get_str(match, "id", &id)) continue;
        bool carriers = xd_mp_get_str(scene->play.events[i], "account", &account) &&
                        xd_mp_get_str(xd_mp_get(match, "offer"), "account", &owner) && xd_str_equal(account, owner);
        size_t m = 0;
        struct xd_str other;
        while (m < scene->match_count &&
               !(xd_mp_get_str(scene->matches[m].first, "id", &other) && xd_str_equal(id, other))) {
            m++;
        }
        if (m == scene->match_count) {
            assert_in_range(m, 0, MATCHES_MAX - 1);
            scene->matches[scene->match_count++] = (struct seen_match){match, match};
        }
        if (carriers || text_is(scene->play.events[i], "type", "match.rescheduled")) scene->matches[m].map = match;
    }
}

static uint64_t match_of(const struct scene *scene, const char *offer, const char *request)
{
    for (size_t m = scene->match_count; m-- > 0;) { /* the latest of the pair */
        const msgpack_object *match = scene->matches[m].map;
        struct xd_str id;
        uint64_t number;
        if (!party_is(match, "offer", offer) || !party_is(match, "request", request)) continue;
        assert_true(xd_mp_get_str(match, "id", &id) && xd_match_id_parse(id.at, id.len, &number));
        return number;
    }
    fail_msg("no match of %s and %s", offer, request);
    return 0;
}

static void submit(struct scene *scene, const json_t *order)
{
    scene->orders[scene->order_count] = order;
    scene->ids[scene->order_count++] = xd_play_submit(&scene->play, order);
}

static void cancel(struct scene *scene, const char *ref)
{
    for (size_t i = 0; i < scene->order_count; i++) {
        if (strcmp(json_string_value(json_object_get(scene->orders[i], "ref")), ref) != 0) continue;
        xd_play_cancel(&scene->play, json_string_value(json_object_get(scene->orders[i], "account")), scene->ids[i]);
    }
}

static void amend(struct scene *scene, const json_t *step)
{
    const char *ref = json_string_value(json_object_get(step, "amend"));
    const json_t *kept = json_object_get(step, "kept");
    for (size_t i = 0; ref && i < scene->order_count; i++) {
        if (strcmp(json_string_value(json_object_get(scene->orders[i], "ref")), ref) != 0) continue;
        xd_play_amend(&scene->play, json_string_value(json_object_get(scene->orders[i], "account")), scene->ids[i],
                      json_object_get(step, "changes"));
        if (kept) assert_int_equal(scene->play.note, json_is_true(kept) ? XD_AMENDED_KEPT : XD_AMENDED_LOST);
    }
}

static void act(struct scene *scene, const json_t *step, const char *name, enum xd_record_type type)
{
    const json_t *pair = json_object_get(step, name);
    if (!pair) return;
    uint64_t match = match_of(scene, json_string_value(json_array_get(pair, 0)), json_string_value(json_array_get(pair, 1)));
    xd_play_act(&scene->play, type, json_string_value(json_object_get(step, "by")), match);
}

static void play_step(struct scene *scene, const json_t *step)
{
    size_t from = scene->play.event_count;
    const json_t *at = json_object_get(step, "at");
    if (at) scene->play.now = json_time(at);
    if (json_object_get(step, "submit")) submit(scene, json_object_get(step, "submit"));
    if (json_object_get(step, "cancel")) cancel(scene, json_string_value(json_object_get(step, "cancel")));
    amend(scene, step);
    act(scene, step, "accept", XD_RECORD_ACCEPT);
    act(scene, step, "decline", XD_RECORD_DECLINE);
    act(scene, step, "cancel_match", XD_RECORD_CANCEL_MATCH);
    act(scene, step, "complete", XD_RECORD_COMPLETE);
    act(scene, step, "no_show", XD_RECORD_NO_SHOW);
    if (json_object_get(step, "clock")) xd_play_tick(&scene->play, scene->play.now);
    const char *expected = json_string_value(json_object_get(step, "error"));
    assert_string_equal(xd_code_name(scene->play.outcome), expected ? expected : "ok");
    note_matches(scene, from);
    xd_play_restore(&scene->play);
}

/* --- what should have -------------------------------------------------------------------------------------------------------- */

static void check_match(const struct scene *scene, size_t m, const json_t *expected)
{
    const msgpack_object *match = scene->matches[m].first;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)expected, key, value)
    {
        if (!strcmp(key, "offer") || !strcmp(key, "request")) {
            if (!party_is(match, key, json_string_value(value))) fail_msg("match %zu: %s is not %s", m, key, json_string_value(value));
        } else if (!strcmp(key, "state")) {
            if (!text_is(scene->matches[m].map, key, json_string_value(value))) fail_msg("match %zu: state is not %s", m, json_string_value(value));
        } else {
            int64_t got = mp_thousandths(xd_mp_get(match, key)), wanted = json_thousandths(value);
            if (got != wanted) fail_msg("match %zu: %s is %lld, not %lld thousandths", m, key, (long long)got, (long long)wanted);
        }
    }
}

/* The stops of an offer's plan as last told to its carrier. */
static const msgpack_object *plan_of(const struct scene *scene, const char *offer)
{
    for (size_t i = scene->play.event_count; i-- > 0;) {
        const msgpack_object *match = xd_mp_get(scene->play.events[i], "match");
        struct xd_str account, owner;
        if (!match || !party_is(match, "offer", offer)) continue;
        if (!xd_mp_get_str(scene->play.events[i], "account", &account)) continue;
        if (!xd_mp_get_str(xd_mp_get(match, "offer"), "account", &owner) || !xd_str_equal(account, owner)) continue;
        return xd_mp_get(match, "stops");
    }
    return NULL;
}

static const char *ref_of(const struct scene *scene, struct xd_str id)
{
    uint64_t number;
    assert_true(xd_order_id_parse(id.at, id.len, &number));
    for (size_t i = 0; i < scene->order_count; i++) {
        if (scene->ids[i] == number) return json_string_value(json_object_get(scene->orders[i], "ref"));
    }
    return "?";
}

static void check_plan(const struct scene *scene, const char *offer, const json_t *expected)
{
    const msgpack_object *stops = plan_of(scene, offer);
    size_t count = stops ? stops->via.array.size : 0;
    if (count != json_array_size(expected)) fail_msg("the plan of %s has %zu stops", offer, count);
    for (size_t i = 0; i < count; i++) {
        const msgpack_object *stop = &stops->via.array.ptr[i];
        const json_t *wanted = json_array_get(expected, i);
        struct xd_str id;
        assert_true(xd_mp_get_str(stop, "order", &id));
        bool same = text_is(stop, "action", json_string_value(json_array_get(wanted, 0))) &&
                    !strcmp(ref_of(scene, id), json_string_value(json_array_get(wanted, 1)));
        if (!same) fail_msg("stop %zu of %s is another", i, offer);
        int64_t eta;
        if (json_array_size(wanted) < 3) continue;
        assert_true(xd_mp_get_int(stop, "eta", &eta));
        assert_int_equal(eta, json_time(json_array_get(wanted, 2)));
    }
}

static void play_vector(const char *path)
{
    json_error_t error;
    json_t *vector = json_load_file(path, 0, &error);
    if (!vector) fail_msg("%s: %s", path, error.text);
    struct scene *scene = calloc(1, sizeof *scene);
    scene->vector = vector;
    xd_play_begin(&scene->play, json_time(json_object_get(vector, "now")));
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(vector, "orders"), i, item)
    {
        size_t from = scene->play.event_count;
        submit(scene, item);
        note_matches(scene, from);
    }
    json_array_foreach(json_object_get(vector, "steps"), i, item) play_step(scene, item);
    json_t *matches = json_object_get(vector, "matches");
    if (scene->match_count != json_array_size(matches)) fail_msg("%s: %zu matches", path, scene->match_count);
    json_array_foreach(matches, i, item) check_match(scene, i, item);
    const char *offer;
    json_object_foreach(json_object_get(vector, "plans"), offer, item) check_plan(scene, offer, item);
    xd_play_end(&scene->play);
    json_decref(vector);
    free(scene);
}

static void all_vectors(void **state)
{
    struct dirent **names;
    int count = scandir(XD_VECTORS, &names, NULL, alphasort);
    int played = 0;
    (void)state;
    for (int i = 0; i < count; i++) {
        size_t len = strlen(names[i]->d_name);
        if (len > 5 && !strcmp(names[i]->d_name + len - 5, ".json")) {
            char path[4096];
            snprintf(path, sizeof path, "%s/%s", XD_VECTORS, names[i]->d_name);
            printf("%s\n", names[i]->d_name);
            play_vector(path);
            played++;
        }
        free(names[i]);
    }
    free(names);
    assert_true(played >= 37);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_vectors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
