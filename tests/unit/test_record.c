#include "core/record.h"

#include "core/claim.h"
#include "core/event.h"
#include "core/id.h"
#include "core/mp.h"
#include "core/schema.h"
#include "tests/unit/notation.h"
#include "tests/unit/orders.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { LIMIT = 1 << 16 };

static struct xd_record record_of(enum xd_record_type type, struct parsed *order)
{
    struct xd_market market = {.currency = xd_currency("EUR", 3), .road_factor_e4 = 12500};
    struct xd_error error;
    struct xd_record record = {.type = type, .account = xd_str_of("acme")};
    record.order_id = xd_id(0, 17);
    record.match_id = xd_id(3, 4);
    record.credit = 620;
    if (type == XD_RECORD_AMEND) {
        notation_map("", NULL, "m2: 90.5, ref: o3, note: nil, until_day: '2030-03-02'", order);
        assert_true(xd_amendment_read(&order->object, &record.amendment, &error));
        return record;
    }
    notation_map(WAREHOUSE_OFFER, NULL, "", order);
    assert_true(xd_order_read(&order->object, &market, &record.order, &error));
    return record;
}

/* Packs one claim of the order, one answer each way, and two order ids, for the records that carry them. */
static void fill_message(struct xd_record *record, struct xd_buf *claims, struct xd_buf *answers, struct xd_buf *barred)
{
    struct xd_claim claim = {.id = xd_id(2, 9), .account = xd_str_of("coolco"), .credit = 500, .amount = {[XD_M2] = 700},
                             .part = 700, .surplus = 12, .order = record->order};
    struct xd_answer yes = {.yes = true, .match_id = xd_id(3, 4), .amount = {[XD_M2] = 700}, .part = 700};
    xd_claim_pack(&claim, claims);
    xd_answer_pack(&yes, answers);
    xd_answer_pack(&(struct xd_answer){0}, answers);
    xd_mp_array(barred, 1);
    xd_mp_uint(barred, 5);
    record->head = (struct xd_message_head){.from = 2, .from_gen = 1, .to_gen = 3, .seq = 8};
    record->version = 5;
    record->round = 6;
    record->ghost_id = xd_id(1, 2);
    record->until = 20010;
    record->generation = 4;
    record->state = XD_MATCH_CONFIRMED;
    record->give_from = 20000;
    record->reopens = record->full = true;
    record->claims = (struct xd_str){(const char *)claims->data, (uint32_t)claims->len};
    record->answers = (struct xd_str){(const char *)answers->data, (uint32_t)answers->len};
    record->barred = record->plan = (struct xd_str){(const char *)barred->data, (uint32_t)barred->len};
}

static void packed_as(enum xd_record_type type, bool text, struct parsed *out)
{
    struct parsed order;
    struct xd_buf bytes;
    struct xd_record record = record_of(type, &order);
    struct xd_buf claims, answers, barred;
    xd_buf_init(&claims, LIMIT);
    xd_buf_init(&answers, LIMIT);
    xd_buf_init(&barred, LIMIT);
    fill_message(&record, &claims, &answers, &barred);
    xd_buf_init(&bytes, LIMIT);
    if (text) {
        xd_record_write(&record, &bytes);
    } else {
        xd_record_pack(&record, &bytes);
    }
    assert_true(parsed_from(&bytes, out));
    xd_buf_free(&claims);
    xd_buf_free(&answers);
    xd_buf_free(&barred);
    parsed_free(&order);
}

static void each_type_has_its_parts(void **state)
{
    (void)state;
    static const struct {
        enum xd_record_type type;
        const char *packed, *written;
    } rows[] = {
        {XD_RECORD_ORDER,
         "{type: order, account: acme, id: 17, credit: 620, order: {1: 0, 2: 2, 3: o3, 68: 1898553600, "
         "76: 4543826, 18: 10000, 22: [313000000, 1206000000], 33: 21915, 34: 21974, 40: 500}}",
         "{type: order, account: acme, id: o0-17, credit: 620, order: {side: offer, kind: warehouse, ref: "
         "o3, "
         "m2: 100, at: {lat: 31.3, lon: 120.6}, from_day: 2030-01-01, until_day: 2030-03-01, per_m2_day: "
         "0.05}}"},
        {XD_RECORD_AMEND, "{type: amend, account: acme, id: 17, changes: {13: nil, 18: 9050, 34: 21975}}",
         "{type: amend, account: acme, id: o0-17, changes: {note: nil, m2: 90.5, until_day: 2030-03-02}}"},
        {XD_RECORD_CANCEL, "{type: cancel, account: acme, id: 17}",
         "{type: cancel, account: acme, id: o0-17}"},
        {XD_RECORD_CANCEL_MATCH, "{type: cancel_match, account: acme, match: 844424930131972}",
         "{type: cancel_match, account: acme, match: m3-4}"},
        {XD_RECORD_ACCEPT, "{type: accept, account: acme, match: 844424930131972}",
         "{type: accept, account: acme, match: m3-4}"},
        {XD_RECORD_DECLINE, "{type: decline, account: acme, match: 844424930131972}",
         "{type: decline, account: acme, match: m3-4}"},
        {XD_RECORD_COMPLETE, "{type: complete, account: acme, match: 844424930131972}",
         "{type: complete, account: acme, match: m3-4}"},
        {XD_RECORD_NO_SHOW, "{type: no_show, account: acme, match: 844424930131972}",
         "{type: no_show, account: acme, match: m3-4}"},
        {XD_RECORD_CREDIT, "{type: credit, account: acme, credit: 620}",
         "{type: credit, account: acme, credit: 620}"},
        {XD_RECORD_TICK, "{type: tick}", "{type: tick}"},
        {XD_RECORD_GHOST, NULL,
         "{type: ghost, account: acme, id: o0-17, credit: 620, from: 2, from_gen: 1, to_gen: 3, seq: 8, "
         "version: 5, ask: false, plan: [5], barred: [5], order: {side: offer, kind: warehouse, ref: o3, "
         "m2: 100, at: {lat: 31.3, lon: 120.6}, from_day: 2030-01-01, until_day: 2030-03-01, per_m2_day: "
         "0.05}}"},
        {XD_RECORD_GHOST_GONE, "{type: ghost_gone, id: 17, from: 2, from_gen: 1, to_gen: 3, seq: 8}",
         "{type: ghost_gone, id: o0-17, from: 2, from_gen: 1, to_gen: 3, seq: 8}"},
        {XD_RECORD_CLAIMS, NULL,
         "{type: claims, id: o0-17, from: 2, from_gen: 1, to_gen: 3, seq: 8, version: 5, round: 6, full: "
         "true, claims: [{id: o2-9, account: coolco, credit: 500, amount: [0, 0, 0, 0, 700], part: 700, "
         "surplus: 12, order: {side: offer, kind: warehouse, ref: o3, m2: 100, at: {lat: 31.3, lon: "
         "120.6}, from_day: 2030-01-01, until_day: 2030-03-01, per_m2_day: 0.05}}]}"},
        {XD_RECORD_ANSWERS, NULL,
         "{type: answers, id: o0-17, from: 2, from_gen: 1, to_gen: 3, seq: 8, round: 6, answers: [{match:"
         " m3-4, amount: [0, 0, 0, 0, 700], part: 700, state: 0}, nil]}"},
        {XD_RECORD_MATCH_STATE,
         "{type: match_state, match: 844424930131972, from: 2, from_gen: 1, to_gen: 3, seq: 8, version: 5, "
         "state: 1, give_from: 20000, reopens: true}",
         "{type: match_state, match: m3-4, from: 2, from_gen: 1, to_gen: 3, seq: 8, version: 5, state: "
         "confirmed, "
         "give_from: 20000, reopens: true}"},
        {XD_RECORD_WITHDRAW,
         "{type: withdraw, match: 844424930131972, from: 2, from_gen: 1, to_gen: 3, seq: 8, rollback: false}",
         "{type: withdraw, match: m3-4, from: 2, from_gen: 1, to_gen: 3, seq: 8, rollback: false}"},
        {XD_RECORD_SYNC, "{type: sync, from: 2, from_gen: 1, to_gen: 3, seq: 8}",
         "{type: sync, from: 2, from_gen: 1, to_gen: 3, seq: 8}"},
        {XD_RECORD_SYNC_MATCH, NULL,
         "{type: sync_match, id: o0-17, match: m3-4, from: 2, from_gen: 1, to_gen: 3, seq: 8, version: "
         "5, ghost: o1-2, give_from: 20000, until: 20010, answers: [{match: m3-4, amount: [0, 0, 0, 0, 700], "
         "part: "
         "700, state: 0}, nil]}"},
        {XD_RECORD_SYNC_END, "{type: sync_end, from: 2, from_gen: 1, to_gen: 3, seq: 8}",
         "{type: sync_end, from: 2, from_gen: 1, to_gen: 3, seq: 8}"},
        {XD_RECORD_GENERATION, "{type: generation, generation: 4}", "{type: generation, generation: 4}"},
    };
    assert_int_equal(sizeof rows / sizeof rows[0], XD_RECORD_TYPE_COUNT);
    for (size_t i = 0; i < XD_RECORD_TYPE_COUNT; i++) {
        struct parsed parsed;
        char text[1024];
        packed_as(rows[i].type, false, &parsed);
        notation_print(&parsed.object, text, sizeof text);
        if (rows[i].packed) assert_string_equal(text, rows[i].packed); /* what carries bytes is seen in the other form */
        parsed_free(&parsed);
        packed_as(rows[i].type, true, &parsed);
        notation_print(&parsed.object, text, sizeof text);
        assert_string_equal(text, rows[i].written);
        parsed_free(&parsed);
    }
}

static void comes_back_as_it_was(void **state)
{
    (void)state;
    for (unsigned type = 0; type < XD_RECORD_TYPE_COUNT; type++) {
        struct parsed parsed;
        struct parsed repacked;
        struct xd_buf bytes;
        struct xd_record record;
        memset(&record, 0xa5, sizeof record);
        packed_as((enum xd_record_type)type, false, &parsed);
        assert_true(xd_record_unpack(&parsed.object, &record));
        assert_int_equal(record.type, type);
        xd_buf_init(&bytes, LIMIT);
        xd_record_pack(&record, &bytes);
        assert_true(parsed_from(&bytes, &repacked));
        assert_int_equal(parsed.bytes.len, repacked.bytes.len);
        assert_memory_equal(parsed.bytes.data, repacked.bytes.data, parsed.bytes.len);
        parsed_free(&parsed);
        parsed_free(&repacked);
    }
}

static void refuses_what_is_no_record(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "nil",
        "{}",
        "[tick]",
        "{type: 8}",
        "{type: tock}",
        "{account: acme, type: cancel, id: 17}",
        "{type: tick, account: acme}",
        "{type: tick, type: tick}",
        "{type: cancel, account: acme}",
        "{type: amend, account: acme, id: 17}",
        "{type: amend, account: acme, id: 17, changes: {}}",
        "{type: amend, account: acme, id: 17, changes: {3: o3}}",
        "{type: amend, account: acme, id: 17, changes: {18: 0}}",
        "{type: amend, account: acme, id: 17, changes: {34: 21975, 18: 9050}}",
        "{type: amend, account: acme, id: 17, changes: {18: 9050, 18: 9050}}",
        "{type: amend, account: acme, id: 17, changes: {18: 9050, 99: 1}}",
        "{type: cancel, id: 17}",
        "{type: cancel, account: acme, match: 17}",
        "{type: cancel, account: acme, id: 17, id: 17}",
        "{type: cancel, account: acme, id: 17, credit: 5}",
        "{type: cancel, account: acme, id: 0}",
        "{type: cancel, account: acme, id: -1}",
        "{type: cancel, account: acme, id: 'o0-17'}",
        "{type: cancel, account: 'a b', id: 17}",
        "{type: cancel, account: '', id: 17}",
        "{type: cancel, account: 5, id: 17}",
        "{type: credit, account: acme, credit: 1001}",
        "{type: credit, account: acme, credit: -1}",
        "{type: credit, account: acme, 7: 500}",
        "{type: order, account: acme, id: 17, credit: 620}",
        "{type: order, account: acme, id: 17, credit: 620, order: {}}",
        "{type: order, account: acme, id: 17, credit: 620, order: {side: offer}}",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct xd_buf bytes;
        struct parsed parsed;
        struct xd_record record;
        xd_buf_init(&bytes, LIMIT);
        notation_value(rows[i], &bytes);
        assert_true(parsed_from(&bytes, &parsed));
        if (xd_record_unpack(&parsed.object, &record)) fail_msg("unpacked: %s", rows[i]);
        parsed_free(&parsed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_has_its_parts),
        cmocka_unit_test(comes_back_as_it_was),
        cmocka_unit_test(refuses_what_is_no_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
