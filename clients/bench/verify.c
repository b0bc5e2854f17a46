#include "clients/bench/verify.h"

#include "clients/bench/match_table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static_assert(XD_EVENT_TYPE_COUNT <= 16, "a bit of xd_seen_match.told for each");

struct xd_verify {
    char prefix[XD_VERIFY_PREFIX + 1];
    struct xd_sent *orders;
    uint64_t room;
    uint64_t untold;   /* acknowledged orders without their order.accepted */
    int64_t half_told; /* steps of matches that one side knows */
    uint64_t incoming; /* index of the order accepted last, while nothing else has happened */
    struct xd_match_table matches;
    struct xd_verify_counts counts;
};

struct xd_verify *xd_verify_create(const char *prefix)
{
    struct xd_verify *verify = calloc(1, sizeof *verify);
    if (!verify) return NULL;
    snprintf(verify->prefix, sizeof verify->prefix, "%s", prefix);
    verify->incoming = XD_VERIFY_NONE;
    return verify;
}

void xd_verify_destroy(struct xd_verify *verify)
{
    if (!verify) return;
    xd_match_table_free(&verify->matches);
    free(verify->orders);
    free(verify);
}

void xd_verify_ref(const struct xd_verify *verify, uint64_t index, char out[static XD_LOAD_REF])
{
    snprintf(out, XD_LOAD_REF, "%s-%08x", verify->prefix, (uint32_t)index);
}

static void __attribute__((format(printf, 2, 3))) violation(struct xd_verify *verify, const char *format, ...)
{
    struct xd_verify_counts *counts = &verify->counts;
    if (counts->violations < XD_VERIFY_SAMPLES) {
        va_list args;
        va_start(args, format);
        vsnprintf(counts->samples[counts->violations], sizeof counts->samples[0], format, args);
        va_end(args);
    }
    counts->violations++;
}

/* The index that a ref names, or XD_VERIFY_NONE for orders of others. */
static uint64_t index_of(const struct xd_verify *verify, struct xd_str ref)
{
    enum { DIGITS = 8 };
    if (ref.len != XD_LOAD_REF - 1 || memcmp(ref.at, verify->prefix, XD_VERIFY_PREFIX) != 0)
        return XD_VERIFY_NONE;
    char digits[DIGITS + 1] = {0};
    memcpy(digits, ref.at + XD_VERIFY_PREFIX + 1, DIGITS);
    char *end;
    uint64_t index = strtoull(digits, &end, 16);
    return *end == '\0' && index < verify->counts.sent ? index : XD_VERIFY_NONE;
}

/* --- orders --- */

bool xd_verify_sent(struct xd_verify *verify, const struct xd_load_order *order, int64_t due_ns)
{
    enum { FIRST_ROOM = 4096 };
    if (verify->counts.sent == verify->room) {
        uint64_t room = verify->room ? verify->room * 2 : FIRST_ROOM;
        if (verify->room >= XD_VERIFY_ORDERS_MAX) return false;
        struct xd_sent *orders = realloc(verify->orders, room * sizeof *orders);
        if (!orders) return false;
        verify->orders = orders;
        verify->room = room;
    }
    verify->orders[verify->counts.sent++] = (struct xd_sent){
        .account = order->account,
        .place = order->place,
        .due_ns = due_ns,
        .amount = order->amount,
        .side = order->side,
        .kind = order->kind,
        .manual = order->manual,
        .splits = order->splits,
    };
    return true;
}

static void check_id(struct xd_verify *verify, struct xd_sent *sent, uint64_t index, uint64_t id)
{
    if (sent->id != 0 && sent->id != id)
        violation(verify, "order %llu was acknowledged and told of under two ids", (unsigned long long)index);
    sent->id = id;
}

void xd_verify_acked(struct xd_verify *verify, uint64_t index, uint64_t id)
{
    struct xd_sent *sent = &verify->orders[index];
    if (sent->acked || sent->refused)
        violation(verify, "order %llu was answered twice", (unsigned long long)index);
    check_id(verify, sent, index, id);
    sent->acked = true;
    verify->counts.acked++;
    (sent->side == XD_OFFER) ? verify->counts.offers++ : verify->counts.requests++;
    if (!sent->accepted) verify->untold++;
}

void xd_verify_refused(struct xd_verify *verify, uint64_t index)
{
    struct xd_sent *sent = &verify->orders[index];
    if (sent->acked || sent->refused)
        violation(verify, "order %llu was answered twice", (unsigned long long)index);
    if (sent->accepted) violation(verify, "order %llu was refused and accepted", (unsigned long long)index);
    sent->refused = true;
    verify->counts.refused++;
}

static void accepted(struct xd_verify *verify, const struct xd_told *told, uint64_t index)
{
    struct xd_sent *sent = &verify->orders[index];
    struct xd_str account = xd_str_of(sent->account);
    if (sent->accepted) violation(verify, "order %llu was told of twice", (unsigned long long)index);
    if (sent->refused) violation(verify, "order %llu was refused and accepted", (unsigned long long)index);
    if (!xd_str_equal(told->account, account))
        violation(verify, "order %llu was told to another account", (unsigned long long)index);
    check_id(verify, sent, index, told->order.id);
    if (!sent->accepted && sent->acked) verify->untold--;
    sent->accepted = true;
    bool rejected = told->type == XD_EVENT_ORDER_REJECTED;
    rejected ? verify->counts.rejected++ : verify->counts.accepted++;
    verify->incoming = rejected ? XD_VERIFY_NONE : index;
}

/* --- matches --- */

static bool takes(enum xd_event_type type)
{
    return type == XD_EVENT_MATCH_PROPOSED || type == XD_EVENT_MATCH_CONFIRMED;
}

static bool gives_back(enum xd_event_type type)
{
    return type == XD_EVENT_MATCH_DECLINED || type == XD_EVENT_MATCH_LAPSED ||
           type == XD_EVENT_MATCH_CANCELLED;
}

/* The request's amount is taken by a match once, whatever steps it goes through, and free again when the
 * match ends. */
static void account_for(struct xd_verify *verify, const struct xd_told *told, struct xd_seen_match *seen,
                        uint64_t index)
{
    struct xd_sent *request = &verify->orders[index];
    int64_t amount = told->match.amount[xd_main_dim(told->match.kind)];
    if (takes(told->type) && !seen->live) {
        request->taken += amount;
        seen->live = 1;
    } else if (gives_back(told->type) && seen->live) {
        request->taken -= amount;
        seen->live = 0;
    }
    if (amount <= 0 || request->taken > request->amount)
        violation(verify, "request %llu was served more than its amount", (unsigned long long)index);
    if (!request->splits && amount != request->amount)
        violation(verify, "request %llu was served in part", (unsigned long long)index);
}

static void check_money(struct xd_verify *verify, const struct xd_told_match *match)
{
    if (match->surplus < 0 || match->price != match->quote + match->surplus / 2)
        violation(verify, "match %llu: its price is not the quote and half the surplus",
                  (unsigned long long)match->id);
}

static void note_step(struct xd_verify *verify, const struct xd_told *told, struct xd_seen_match *seen,
                      int side, struct xd_verified *out)
{
    uint16_t bit = (uint16_t)(1U << told->type);
    out->formed = seen->told[0] == 0 && seen->told[1] == 0;
    out->first = !((seen->told[0] | seen->told[1]) & bit);
    if (seen->told[side] & bit)
        violation(verify, "match %llu: %s was told twice to one side", (unsigned long long)told->match.id,
                  xd_event_type_name(told->type));
    else
        verify->half_told += out->first ? 1 : -1;
    seen->told[side] |= bit;
    if (out->first && told->type == XD_EVENT_MATCH_CONFIRMED) verify->counts.confirmed++;
    if (out->formed) verify->counts.matches++;
}

static bool match_event(struct xd_verify *verify, const struct xd_told *told, struct xd_verified *out)
{
    const struct xd_told_match *match = &told->match;
    out->offer = index_of(verify, match->offer.ref);
    out->request = index_of(verify, match->request.ref);
    if (out->offer == XD_VERIFY_NONE && out->request == XD_VERIFY_NONE) return false;
    /* A later load moves an earlier match's times: told to whom it concerns, as often as it happens. */
    if (told->type == XD_EVENT_MATCH_RESCHEDULED) return true;
    int side = xd_told_side(told);
    struct xd_seen_match *seen = match->id ? xd_match_table_get(&verify->matches, match->id) : NULL;
    if (side < 0 || !seen) {
        violation(verify, "match %llu was told to a stranger", (unsigned long long)match->id);
        return true;
    }
    uint64_t facts = xd_told_facts(match);
    bool known = seen->told[0] || seen->told[1];
    if (known && seen->facts != facts)
        violation(verify, "match %llu is not the same in all that was told of it",
                  (unsigned long long)match->id);
    seen->facts = facts;
    check_money(verify, match);
    note_step(verify, told, seen, side, out);
    if (out->first && out->request != XD_VERIFY_NONE) account_for(verify, told, seen, out->request);
    bool incoming = verify->incoming != XD_VERIFY_NONE &&
                    (verify->incoming == out->offer || verify->incoming == out->request);
    out->incoming = takes(told->type) && incoming ? verify->incoming : XD_VERIFY_NONE;
    if (gives_back(told->type)) verify->incoming = XD_VERIFY_NONE;
    return true;
}

bool xd_verify_event(struct xd_verify *verify, const struct xd_told *told, struct xd_verified *out)
{
    *out = (struct xd_verified){.offer = XD_VERIFY_NONE,
                                .request = XD_VERIFY_NONE,
                                .order = XD_VERIFY_NONE,
                                .incoming = XD_VERIFY_NONE};
    if (told->is_match) {
        if (!match_event(verify, told, out)) return false;
        verify->counts.told++;
        return true;
    }
    out->order = index_of(verify, told->order.ref);
    if (told->type != XD_EVENT_ORDER_FILLED) verify->incoming = XD_VERIFY_NONE;
    if (out->order == XD_VERIFY_NONE) return false;
    verify->counts.told++;
    if (told->type == XD_EVENT_ORDER_ACCEPTED || told->type == XD_EVENT_ORDER_REJECTED)
        accepted(verify, told, out->order);
    return true;
}

void xd_verify_garbage(struct xd_verify *verify)
{
    violation(verify, "an event that docs/PROTOCOL.md does not describe");
}

void xd_verify_gap(struct xd_verify *verify)
{
    violation(verify, "events were lost: a resume was not complete");
}

/* --- the end --- */

bool xd_verify_settled(const struct xd_verify *verify)
{
    return verify->untold == 0 && verify->half_told == 0;
}

static void count_half_told(struct xd_verify *verify)
{
    for (size_t i = 0; i < verify->matches.size; i++) {
        const struct xd_seen_match *seen = &verify->matches.slots[i];
        if (seen->id != 0 && seen->told[0] != seen->told[1])
            violation(verify, "match %llu was told to one side only", (unsigned long long)seen->id);
    }
}

void xd_verify_finish(struct xd_verify *verify)
{
    for (uint64_t i = 0; i < verify->counts.sent; i++) {
        const struct xd_sent *sent = &verify->orders[i];
        if (sent->acked && !sent->accepted)
            violation(verify, "order %llu was acknowledged and never told of", (unsigned long long)i);
        if (!sent->acked && !sent->refused)
            violation(verify, "order %llu was never answered", (unsigned long long)i);
    }
    count_half_told(verify);
}

const struct xd_sent *xd_verify_order(const struct xd_verify *verify, uint64_t index)
{
    return &verify->orders[index];
}

const struct xd_verify_counts *xd_verify_counts(const struct xd_verify *verify)
{
    return &verify->counts;
}
