/* Records gather in entries. One entry of a partition is under way at a time: all that comes meanwhile goes
 * into the next, so that what an answer costs is shared by all that waited for it. A stored entry waits for
 * its outcomes, which come with the commit that has its records. */
#include "core/ledger/redis_ledger.h"

#include <stdlib.h>
#include <string.h>

enum {
    RECORD_BYTES_MAX = 1 << 20,
    RECORD_COST = 128, /* what a record is reckoned to cost besides its bytes */
    ENTRY_RECORDS = 4096,
    ENTRY_BYTES = 512 << 10,
    OUTCOME_WAIT_MS = 1000,
    FULL_MS = 500
};

struct slot {
    xd_append_cb *callback;
    void *arg;
};

struct xd_entry {
    struct xd_entry *next;
    uint64_t serial; /* 0: never sent */
    uint64_t first;  /* offset, once stored */
    uint32_t count, answered;
    bool doomed; /* under way since before the line of history ended: whatever the answer says */
    enum xd_durability reached;
    int64_t since_ms;    /* gathered, then stored */
    int64_t clock_ms;    /* the latest that the options' clock showed, where there is one */
    struct xd_buf bytes; /* of each record: its length (32 bits, little-endian) and the record */
    struct xd_buf slots;
};

/* --- refusing ------------------------------------------------------------------------------------------- */

struct refusal {
    struct xd_put_off put_off;
    xd_append_cb *callback;
    void *arg;
    enum xd_code code;
};

static void refusal_run(struct xd_put_off *put_off)
{
    struct refusal *refusal = (struct refusal *)put_off;
    refusal->callback(refusal->arg, &(struct xd_append_result){.code = refusal->code});
    free(refusal);
}

static void refuse(struct xd_redis_ledger *ledger, enum xd_code code, xd_append_cb *callback, void *arg)
{
    if (!callback) return;
    struct refusal *refusal = malloc(sizeof *refusal);
    if (!refusal) {
        callback(arg, &(struct xd_append_result){.code = XD_NO_MEMORY});
        return;
    }
    *refusal = (struct refusal){.put_off.run = refusal_run, .callback = callback, .arg = arg, .code = code};
    xd_redis_put_off(ledger, &refusal->put_off);
}

static enum xd_code admit(const struct xd_redis_ledger *ledger, const struct xd_rpart *p, size_t len)
{
    if (ledger->closing) return XD_DRAINING;
    if (!p) return XD_NOT_FOUND;
    if (p->gone) return XD_STORAGE_FAILED;
    if (xd_redis_monotonic() < ledger->full_until_ms) return XD_STORAGE_FULL;
    if (len > RECORD_BYTES_MAX) return XD_FRAME_TOO_LARGE;
    if (ledger->backlog + len + RECORD_COST > ledger->options.backlog_limit) return XD_OVERLOADED;
    return XD_OK;
}

/* --- gathering ------------------------------------------------------------------------------------------ */

static void entry_free(struct xd_entry *entry)
{
    xd_buf_free(&entry->bytes);
    xd_buf_free(&entry->slots);
    free(entry);
}

/* The entry that takes the next record of `len` bytes: the last that was never sent, or a new one. NULL
 * without memory. */
static struct xd_entry *open_entry(struct xd_rpart *p, size_t len)
{
    if (p->entries && p->last_entry->serial == 0 && p->last_entry->count < ENTRY_RECORDS &&
        p->last_entry->bytes.len + len < ENTRY_BYTES)
        return p->last_entry;
    struct xd_entry *entry = calloc(1, sizeof *entry);
    if (!entry) return NULL;
    entry->since_ms = xd_redis_monotonic();
    xd_buf_init(&entry->bytes, ENTRY_BYTES + RECORD_BYTES_MAX + 8);
    xd_buf_init(&entry->slots, ENTRY_RECORDS * sizeof(struct slot));
    *(p->entries ? &p->last_entry->next : &p->entries) = entry;
    p->last_entry = entry;
    return entry;
}

static bool add(struct xd_entry *entry, const uint8_t *record, size_t len, const struct slot *slot)
{
    uint8_t length[4] = {(uint8_t)len, (uint8_t)(len >> 8), (uint8_t)(len >> 16), (uint8_t)(len >> 24)};
    if (!xd_buf_reserve(&entry->bytes, len + sizeof length) || !xd_buf_reserve(&entry->slots, sizeof *slot)) {
        entry->bytes.failed = entry->slots.failed = false;
        return false;
    }
    xd_buf_add(&entry->bytes, length, sizeof length);
    xd_buf_add(&entry->bytes, record, len);
    xd_buf_add(&entry->slots, slot, sizeof *slot);
    entry->count++;
    return true;
}

bool xd_entry_next(const uint8_t *bytes, size_t len, size_t *at, const uint8_t **record, size_t *record_len)
{
    if (len - *at < 4) return false;
    const uint8_t *head = bytes + *at;
    size_t n = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
    if (n > len - *at - 4) return false;
    *record = head + 4;
    *record_len = n;
    *at += 4 + n;
    return true;
}

void xd_redis_append(struct xd_ledger *base, uint16_t partition, uint64_t order_id, const uint8_t *record,
                     size_t len, xd_append_cb *callback, void *arg)
{
    struct xd_redis_ledger *ledger = xd_redis_ledger_of(base);
    struct xd_rpart *p = xd_rpart_of(ledger, partition);
    (void)order_id; /* its ref is stored already */
    enum xd_code code = admit(ledger, p, len);
    struct xd_entry *entry = code == XD_OK ? open_entry(p, len) : NULL;
    struct slot slot = {.callback = callback, .arg = arg};
    if (!entry || !add(entry, record, len, &slot)) { /* an empty entry is passed over */
        refuse(ledger, code == XD_OK ? XD_NO_MEMORY : code, callback, arg);
        return;
    }
    if (ledger->options.clock_ms) {
        int64_t now = ledger->options.clock_ms(ledger->options.clock_arg);
        if (now > entry->clock_ms) entry->clock_ms = now;
    }
    p->appended++;
    ledger->backlog += len + RECORD_COST;
    xd_redis_wake(ledger);
}

/* --- answering ------------------------------------------------------------------------------------------ */

static size_t cost_of(const struct xd_entry *entry)
{
    return entry->bytes.len + entry->count * (size_t)(RECORD_COST - 4);
}

static void answer_one(struct xd_rpart *p, struct xd_entry *entry, const struct xd_append_result *result)
{
    const struct slot *slot = (const struct slot *)(const void *)entry->slots.data + entry->answered++;
    p->answered++;
    if (slot->callback) slot->callback(slot->arg, result);
}

/* Answers what of the entry has none, all alike, and frees it; it is in no list any more. */
static void answer_rest(struct xd_rpart *p, struct xd_entry *entry, enum xd_code code)
{
    while (entry->answered < entry->count) {
        struct xd_append_result result = {
            .code = code, .offset = entry->first + entry->answered, .reached = entry->reached};
        answer_one(p, entry, &result);
    }
    entry_free(entry);
}

static struct xd_entry *take_first(struct xd_rpart *p)
{
    struct xd_entry *entry = p->entries;
    p->entries = entry->next;
    entry->next = NULL;
    p->ledger->backlog -= cost_of(entry);
    return entry;
}

/* `*refusal` counts those that were passed: they are in the records' order, and so is what is asked for. */
static void take_outcome(const struct xd_redis_outcomes *of, size_t *refusal, struct xd_append_result *result)
{
    size_t record = (size_t)(result->offset - of->from), at = 2 * record;
    if (at + 2 > of->len) return;
    uint16_t outcome = (uint16_t)(of->outcomes[at] | of->outcomes[at + 1] << 8);
    result->outcome = xd_outcome_code(outcome);
    result->note = xd_outcome_note(outcome);
    while (*refusal < of->refusal_count && of->refusals[*refusal].record < record)
        ++*refusal;
    if (*refusal < of->refusal_count && of->refusals[*refusal].record == record)
        result->refusal = &of->refusals[*refusal].error;
}

void xd_redis_tell_outcomes(struct xd_rpart *p, const struct xd_redis_outcomes *of)
{
    size_t refusal = 0;
    while (p->stored && p->stored->first < of->next) {
        struct xd_entry *entry = p->stored;
        for (uint64_t offset = entry->first + entry->answered;
             entry->answered < entry->count && offset < of->next; offset++) {
            struct xd_append_result result = {
                .offset = offset, .reached = entry->reached, .outcome_known = offset >= of->from};
            if (result.outcome_known) take_outcome(of, &refusal, &result);
            answer_one(p, entry, &result);
        }
        if (entry->answered < entry->count) return;
        p->stored = entry->next;
        entry_free(entry);
    }
}

void xd_redis_fail_appends(struct xd_rpart *p)
{
    struct xd_entry *first = p->stored, *next;
    p->stored = NULL;
    for (; first; first = next) {
        next = first->next;
        answer_rest(p, first, XD_STORAGE_FAILED);
    }
    if (p->appending) p->entries->doomed = true;
    while (p->entries && (!p->appending || p->entries->next)) {
        struct xd_entry **at = p->appending ? &p->entries->next : &p->entries;
        struct xd_entry *entry = *at;
        *at = entry->next;
        if (p->last_entry == entry) p->last_entry = p->entries;
        p->ledger->backlog -= cost_of(entry);
        answer_rest(p, entry, XD_STORAGE_FAILED);
    }
}

uint64_t xd_redis_unresolved(const struct xd_rpart *p)
{
    return p->entries ? p->entries->serial : 0;
}

/* --- under way ------------------------------------------------------------------------------------------ */

static enum xd_durability reached(const struct xd_rpart *p, int64_t replicas)
{
    const struct xd_redis_ledger_options *options = &p->ledger->options;
    if (options->durability == XD_DURABILITY_REPLICATED && replicas >= options->replicas)
        return XD_DURABILITY_REPLICATED;
    return p->fsyncs ? XD_DURABILITY_FSYNCED : XD_DURABILITY_ACCEPTED;
}

static void stored(struct xd_rpart *p, const redisReply *reply, int64_t replicas)
{
    struct xd_redis_ledger *ledger = p->ledger;
    struct xd_entry *entry = take_first(p);
    int64_t ms = (int64_t)xd_reply_uint_at(reply, 1);
    entry->first = xd_reply_uint_at(reply, 0);
    entry->since_ms = p->stored_ms = xd_redis_monotonic();
    p->stored_serial = entry->serial;
    p->unseen = xd_reply_uint_at(reply, 2);
    entry->reached = reached(p, replicas);
    if (entry->first + entry->count > p->records) p->records = entry->first + entry->count;
    xd_redis_note_time(ledger, ms);
    if (!ledger->options.clock_ms) xd_redis_note_clock(ledger, ms);
    if (ledger->options.owner_only) {
        answer_rest(p, entry, XD_OK);
        xd_redis_settled(ledger, XD_OK);
        return;
    }
    *(p->stored ? &p->last_stored->next : &p->stored) = entry;
    p->last_stored = entry;
    xd_redis_unpark(p);
}

static void on_appended(void *arg, redisReply **reply, int64_t replicas)
{
    struct xd_rpart *p = arg;
    struct xd_redis_ledger *ledger = p->ledger;
    xd_redis_answered(ledger);
    p->appending = false;
    if (p->entries->doomed) {
        answer_rest(p, take_first(p), XD_STORAGE_FAILED);
        xd_redis_unpark(p);
    } else if (*reply && (*reply)->type == REDIS_REPLY_ARRAY) {
        stored(p, *reply, replicas);
    } else if (xd_redis_code(*reply) == XD_STORAGE_FULL) {
        ledger->full_until_ms = xd_redis_monotonic() + FULL_MS;
        answer_rest(p, take_first(p), XD_STORAGE_FULL);
        xd_redis_unpark(p);
    } else {
        xd_redis_suspect(p, *reply);
    }
    xd_redis_wake(ledger);
}

void xd_redis_go_on_appending(struct xd_rpart *p)
{
    struct xd_redis_ledger *ledger = p->ledger;
    if (p->appending || !p->entries) return;
    struct xd_entry *entry = p->entries;
    if (entry->count == 0) { /* a record that found no memory left it behind */
        entry_free(take_first(p));
        return;
    }
    if (entry->serial == 0) entry->serial = ++p->serial;
    struct xd_redis_to to = {
        .lane = XD_REDIS_WRITES, .slot = p->slot, .script = &ledger->scripts.append, .durable = true};
    struct xd_args args = {0};
    xd_args_text(&args, "2");
    xd_args_text(&args, p->state_key);
    xd_args_text(&args, p->log_key);
    xd_args_text(&args, ledger->process);
    xd_args_uint(&args, entry->serial);
    xd_args_uint(&args, entry->count);
    if (ledger->options.clock_ms)
        xd_args_uint(&args, (uint64_t)entry->clock_ms);
    else
        xd_args_text(&args, "");
    xd_args_bytes(&args, entry->bytes.data, entry->bytes.len);
    xd_args_text(&args, p->line);
    p->appending = xd_redis_ask(ledger, &to, &args, on_appended, p) == XD_OK;
    if (!p->appending) xd_redis_suspect(p, NULL);
}

/* --- waiting too long ----------------------------------------------------------------------------------- */

void xd_redis_expire_appends(struct xd_rpart *p, bool all)
{
    int64_t now = xd_redis_monotonic();
    bool hopeless = p->ledger->closing && p->lease.epoch == 0; /* nobody here makes an outcome any more */
    while (p->stored && (all || hopeless || now - p->stored->since_ms > OUTCOME_WAIT_MS)) {
        struct xd_entry *entry = p->stored;
        p->stored = entry->next;
        answer_rest(p, entry, XD_OK);
    }
    while (p->entries && !p->appending &&
           (all || p->gone || now - p->entries->since_ms > p->ledger->options.timeout_ms))
        answer_rest(p, take_first(p), XD_STORAGE_FAILED);
    if (!p->entries) xd_redis_unpark(p);
}

void xd_redis_free_entries(struct xd_rpart *p)
{
    xd_redis_expire_appends(p, true);
}
