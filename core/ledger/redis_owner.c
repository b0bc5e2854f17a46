/* Leases, and the owner's end of a log. */
#include "core/ledger/redis_ledger.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READ_ENTRIES = 8, SLACK_MS = 100 };

/* --- acquiring ------------------------------------------------------------------------------------------ */

struct xd_acquiring {
    struct xd_acquiring *next;
    struct xd_rpart *p;
    struct xd_lease lease;
    bool under_way;
    bool hurried; /* since it was sent: what it is answered may be older than that */
    int64_t since_ms;
    int64_t held_until_ms; /* the end of another's lease, as first seen; 0: nobody held it */
    int64_t not_before_ms;
    xd_lease_cb *callback;
    void *arg;
};

static void nonce_text(uint64_t nonce, char out[static 24])
{
    snprintf(out, 24, "%016llx", (unsigned long long)nonce);
}

static void end_acquiring(struct xd_acquiring *acquiring, enum xd_code code)
{
    struct xd_acquiring **at = &acquiring->p->acquirings;
    while (*at != acquiring)
        at = &(*at)->next;
    *at = acquiring->next;
    acquiring->callback(acquiring->arg, code, &acquiring->lease);
    free(acquiring);
}

/* The state as it was when the lease was given: epoch, records, committed, events, last, closed. */
static void take_lease(struct xd_acquiring *acquiring, const redisReply *state)
{
    struct xd_rpart *p = acquiring->p;
    xd_redis_lose(p, XD_FENCED);
    xd_redis_forget_closings(p);
    acquiring->lease.epoch = xd_reply_uint_at(state, 0);
    p->lease = acquiring->lease;
    p->renewed_ms = xd_redis_monotonic();
    p->records = xd_reply_uint_at(state, 1);
    p->committed = p->made = xd_reply_uint_at(state, 2);
    p->events = p->made_events = xd_reply_uint_at(state, 3);
    if (p->ledger->options.owner_only) {
        p->out_records = p->committed;
        p->out_events = p->events;
    }
    xd_redis_note_time(p->ledger, (int64_t)xd_reply_uint_at(state, 4));
    snprintf(p->closed, sizeof p->closed, "%s", xd_reply_text(state->element[5]));
    xd_redis_take_over_closing(p);
    end_acquiring(acquiring, XD_OK);
}

/* Another holds the lease: its end is waited for, but not the end of a renewed one. */
static void wait_for_end(struct xd_acquiring *acquiring, int64_t left_ms)
{
    int64_t now = xd_redis_monotonic();
    if (acquiring->held_until_ms == 0) acquiring->held_until_ms = now + left_ms;
    if (now + left_ms > acquiring->held_until_ms + SLACK_MS) {
        end_acquiring(acquiring, XD_FENCED);
        return;
    }
    acquiring->not_before_ms = acquiring->hurried ? 0 : now + left_ms + 1;
    xd_redis_wake_later(acquiring->p->ledger);
}

static void on_acquired(void *arg, redisReply **reply, int64_t replicas)
{
    (void)replicas;
    struct xd_acquiring *acquiring = arg;
    struct xd_rpart *p = acquiring->p;
    const redisReply *state = *reply;
    xd_redis_answered(p->ledger);
    acquiring->under_way = false;
    if (!state || state->type != REDIS_REPLY_ARRAY) {
        enum xd_code code = xd_redis_code(state);
        xd_redis_suspect(p, state);
        end_acquiring(acquiring, code == XD_OK ? XD_INTERNAL : code);
    } else if (state->elements == 6) {
        take_lease(acquiring, state);
    } else {
        wait_for_end(acquiring, (int64_t)xd_reply_uint_at(state, 1));
    }
}

static bool send_acquire(struct xd_acquiring *acquiring)
{
    struct xd_rpart *p = acquiring->p;
    struct xd_redis_to to = {.lane = XD_REDIS_WRITES, .slot = p->slot, .script = &p->ledger->scripts.acquire};
    struct xd_args args = {0};
    char nonce[24];
    if (RAND_bytes((unsigned char *)&acquiring->lease.nonce, sizeof acquiring->lease.nonce) != 1)
        return false;
    nonce_text(acquiring->lease.nonce, nonce);
    xd_args_text(&args, "2");
    xd_args_text(&args, p->state_key);
    xd_args_text(&args, p->lease_key);
    xd_args_text(&args, p->ledger->process);
    xd_args_uint(&args, p->ledger->options.lease_ms);
    xd_args_text(&args, nonce);
    xd_args_text(&args, p->line);
    return xd_redis_ask(p->ledger, &to, &args, on_acquired, acquiring) == XD_OK;
}

void xd_redis_go_on_acquiring(struct xd_rpart *p)
{
    int64_t now = xd_redis_monotonic();
    const struct xd_redis_ledger *ledger = p->ledger;
    for (struct xd_acquiring *one = p->acquirings, *next; one; one = next) {
        next = one->next;
        if (one->under_way) continue;
        int64_t since = one->held_until_ms ? one->held_until_ms : one->since_ms;
        if (ledger->closing || p->gone || now - since > ledger->options.timeout_ms) {
            end_acquiring(one, ledger->closing ? XD_DRAINING : XD_STORAGE_FAILED);
            return; /* the callback may have changed the list: what is left comes with the next turn */
        }
        if (!p->suspect && now >= one->not_before_ms) {
            one->hurried = false;
            one->under_way = send_acquire(one);
        }
        if (!one->under_way) xd_redis_wake_later(p->ledger);
    }
}

void xd_ledger_redis_hurry(struct xd_ledger *base, uint16_t partition)
{
    struct xd_redis_ledger *ledger = xd_redis_ledger_of(base);
    const struct xd_rpart *p = xd_rpart_of(ledger, partition);
    for (struct xd_acquiring *one = p ? p->acquirings : NULL; one; one = one->next) {
        one->not_before_ms = 0;
        one->hurried = one->under_way;
    }
    xd_redis_wake(ledger);
}

struct lease_refusal {
    struct xd_put_off put_off;
    xd_lease_cb *callback;
    void *arg;
    struct xd_lease lease;
    enum xd_code code;
};

static void lease_refusal_run(struct xd_put_off *put_off)
{
    struct lease_refusal *refusal = (struct lease_refusal *)put_off;
    refusal->callback(refusal->arg, refusal->code, &refusal->lease);
    free(refusal);
}

void xd_redis_acquire(struct xd_ledger *base, uint16_t partition, xd_lease_cb *callback, void *arg)
{
    struct xd_redis_ledger *ledger = xd_redis_ledger_of(base);
    struct xd_rpart *p = xd_rpart_of(ledger, partition);
    struct xd_lease lease = {.partition = partition};
    if (!p || ledger->closing) {
        struct lease_refusal *refusal = malloc(sizeof *refusal);
        if (!refusal) {
            callback(arg, XD_NO_MEMORY, &lease);
            return;
        }
        *refusal = (struct lease_refusal){.put_off.run = lease_refusal_run,
                                          .callback = callback,
                                          .arg = arg,
                                          .lease = lease,
                                          .code = p ? XD_DRAINING : XD_NOT_FOUND};
        xd_redis_put_off(ledger, &refusal->put_off);
        return;
    }
    struct xd_acquiring *acquiring = calloc(1, sizeof *acquiring);
    if (!acquiring) {
        callback(arg, XD_NO_MEMORY, &lease);
        return;
    }
    *acquiring = (struct xd_acquiring){.next = p->acquirings,
                                       .p = p,
                                       .lease = lease,
                                       .since_ms = xd_redis_monotonic(),
                                       .callback = callback,
                                       .arg = arg};
    p->acquirings = acquiring;
    xd_redis_wake(ledger);
}

/* --- keeping and giving back ------------------------------------------------------------------------------
 */

static void on_renewed(void *arg, redisReply **reply, int64_t replicas)
{
    (void)replicas;
    struct xd_rpart *p = arg;
    xd_redis_answered(p->ledger);
    p->renewing = false;
    if (!*reply || (*reply)->type != REDIS_REPLY_INTEGER)
        xd_redis_suspect(p, *reply);
    else if ((*reply)->integer != 0 && !p->ledger->options.clock_ms)
        xd_redis_note_clock(p->ledger, (*reply)->integer); /* an owner appends little else to tell it the time */
    else if ((*reply)->integer == 0 && p->lease.epoch != 0 && p->lease.epoch == p->renewing_epoch)
        xd_redis_lose(p, XD_FENCED);
}

void xd_redis_renew(struct xd_rpart *p)
{
    int64_t now = xd_redis_monotonic();
    if (p->lease.epoch == 0 || p->renewing || p->suspect ||
        now - p->renewed_ms < p->ledger->options.lease_ms / 3)
        return;
    /* Not behind the writes, each of which may wait for replicas. */
    struct xd_redis_to to = {.lane = XD_REDIS_READS, .slot = p->slot, .script = &p->ledger->scripts.renew};
    struct xd_args args = {0};
    char nonce[24];
    nonce_text(p->lease.nonce, nonce);
    xd_args_text(&args, "2");
    xd_args_text(&args, p->state_key);
    xd_args_text(&args, p->lease_key);
    xd_args_text(&args, p->ledger->process);
    xd_args_uint(&args, p->ledger->options.lease_ms);
    xd_args_uint(&args, p->lease.epoch);
    xd_args_text(&args, nonce);
    p->renewing = xd_redis_ask(p->ledger, &to, &args, on_renewed, p) == XD_OK;
    p->renewing_epoch = p->lease.epoch;
    if (p->renewing) p->renewed_ms = now;
}

static void on_released(void *arg, redisReply **reply, int64_t replicas)
{
    (void)reply; /* a lease that could not be given back ends by itself */
    (void)replicas;
    xd_redis_answered(((struct xd_rpart *)arg)->ledger);
}

void xd_redis_go_on_releasing(struct xd_rpart *p)
{
    if (p->releasing.epoch == 0 || p->commits) return;
    struct xd_redis_to to = {.lane = XD_REDIS_WRITES, .slot = p->slot, .script = &p->ledger->scripts.release};
    struct xd_args args = {0};
    char nonce[24], told[16];
    const char *channel = p->ledger->options.freed_channel;
    nonce_text(p->releasing.nonce, nonce);
    xd_args_text(&args, "2");
    xd_args_text(&args, p->state_key);
    xd_args_text(&args, p->lease_key);
    xd_args_uint(&args, p->releasing.epoch);
    xd_args_text(&args, nonce);
    snprintf(told, sizeof told, "freed %u", (unsigned)p->id);
    xd_args_text(&args, channel ? channel : "");
    xd_args_text(&args, told);
    p->releasing.epoch = 0;
    xd_redis_ask(p->ledger, &to, &args, on_released, p);
}

static void forget_follower(struct xd_rpart *p)
{
    p->follow.records = NULL;
    p->follow.lost = NULL;
    p->follow.serial++;
    if (!p->follow.reading) return;
    p->follow.reading = false; /* it blocks: the next reader gets a connection of its own */
    xd_redis_drop(p->ledger->redis, xd_rpart_lane(p, XD_LANE_LOG), p->slot);
}

void xd_redis_release(struct xd_ledger *base, const struct xd_lease *lease)
{
    struct xd_redis_ledger *ledger = xd_redis_ledger_of(base);
    struct xd_rpart *p = xd_rpart_of(ledger, lease->partition);
    if (!xd_rpart_holds(p, lease)) return;
    xd_redis_stop_saving(p, XD_FENCED);
    forget_follower(p);
    p->releasing = p->lease;
    p->lease.epoch = 0;
    xd_redis_wake(ledger);
}

void xd_redis_lose(struct xd_rpart *p, enum xd_code code)
{
    struct xd_log_follow follow = p->follow;
    bool had = p->lease.epoch != 0 || p->commits;
    forget_follower(p);
    xd_redis_forget_commits(p);
    p->lease.epoch = 0;
    p->releasing.epoch = 0;
    p->refused = XD_OK;
    xd_redis_stop_saving(p, code);
    if (had) xd_redis_settled(p->ledger, code);
    if (follow.lost) follow.lost(follow.arg, code);
}

/* --- the follower of a log --------------------------------------------------------------------------------
 */

/* Gives the follower the records of an entry that it does not have. False: it is no follower any more. */
static bool give(struct xd_rpart *p, int64_t ms, uint64_t first, const redisReply *bytes)
{
    struct xd_log_entry entries[256];
    uint64_t serial = p->follow.serial, offset = first;
    size_t at = 0, len;
    const uint8_t *record;
    uint32_t n = 0;
    bool more = true;
    while (more) {
        more = xd_entry_next((const uint8_t *)bytes->str, bytes->len, &at, &record, &len);
        if (more && offset++ >= p->follow.next)
            entries[n++] =
                (struct xd_log_entry){.offset = offset - 1, .time_ms = ms, .bytes = record, .len = len};
        if (n == 0 || (more && n < sizeof entries / sizeof *entries)) continue;
        p->follow.next += n;
        p->given_ms = ms;
        p->follow.records(p->follow.arg, entries, n);
        if (p->follow.serial != serial || !p->follow.records) return false;
        n = 0;
    }
    return true;
}

static void take_entries(struct xd_rpart *p, const redisReply *entries)
{
    for (size_t i = 0; i < entries->elements; i++) {
        const redisReply *entry = entries->element[i];
        const redisReply *bytes = entry->elements == 2 ? xd_reply_field(entry->element[1], "b") : NULL;
        uint64_t ms, first;
        if (!bytes || !xd_reply_id(entry->element[0], &ms, &first) || first > p->follow.next) {
            xd_redis_lose(p, XD_STORAGE_FAILED); /* records are missing */
            return;
        }
        snprintf(p->follow.after, sizeof p->follow.after, "%s", xd_reply_text(entry->element[0]));
        if (!give(p, (int64_t)ms, first, bytes)) return;
    }
}

struct reading {
    struct xd_rpart *p;
    uint64_t serial;
};

static void on_entries(void *arg, redisReply **reply, int64_t replicas)
{
    (void)replicas;
    struct reading reading = *(struct reading *)arg;
    struct xd_rpart *p = reading.p;
    free(arg);
    if (p->follow.serial != reading.serial) return;
    p->follow.reading = false;
    if (!*reply || (*reply)->type == REDIS_REPLY_ERROR) {
        xd_redis_suspect(p, *reply);
        return;
    }
    const redisReply *entries = xd_reply_entries(*reply);
    if (entries) take_entries(p, entries);
    xd_redis_wake(p->ledger);
}

void xd_redis_go_on_following(struct xd_rpart *p)
{
    if (!p->follow.records || p->follow.reading || xd_redis_commits_full(p)) return;
    struct reading *reading = malloc(sizeof *reading);
    if (!reading) {
        xd_redis_wake_later(p->ledger);
        return;
    }
    *reading = (struct reading){.p = p, .serial = p->follow.serial};
    uint32_t lane = xd_rpart_lane(p, XD_LANE_LOG);
    p->follow.reading =
        xd_redis_read_stream(p, lane, p->log_key, p->follow.after, READ_ENTRIES, on_entries, reading);
    if (p->follow.reading) return;
    free(reading);
    xd_redis_suspect(p, NULL);
}

struct too_late {
    struct xd_put_off put_off;
    xd_lost_cb *lost;
    void *arg;
};

static void too_late_run(struct xd_put_off *put_off)
{
    struct too_late *late = (struct too_late *)put_off;
    late->lost(late->arg, XD_FENCED);
    free(late);
}

void xd_redis_follow_log(struct xd_ledger *base, const struct xd_lease *lease, uint64_t from,
                         xd_records_cb *records, xd_lost_cb *lost, void *arg)
{
    struct xd_redis_ledger *ledger = xd_redis_ledger_of(base);
    struct xd_rpart *p = xd_rpart_of(ledger, lease->partition);
    if (!xd_rpart_holds(p, lease)) {
        struct too_late *late = malloc(sizeof *late);
        if (!late) {
            lost(arg, XD_NO_MEMORY);
            return;
        }
        *late = (struct too_late){.put_off.run = too_late_run, .lost = lost, .arg = arg};
        xd_redis_put_off(ledger, &late->put_off);
        return;
    }
    forget_follower(p);
    p->follow.records = records;
    p->follow.lost = lost;
    p->follow.arg = arg;
    p->follow.next = from;
    if (from > 0 && p->mark_record > 0 && p->mark_record <= from)
        snprintf(p->follow.after, sizeof p->follow.after, "%lld-%llu", (long long)p->mark_ms,
                 (unsigned long long)(p->mark_record - 1));
    else
        memcpy(p->follow.after, "0-0", sizeof "0-0");
    xd_redis_wake(ledger);
}
