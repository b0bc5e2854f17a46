#include "core/ledger/redis_ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct xd_log_read {
    struct xd_put_off put_off; /* for one that is refused */
    struct xd_rpart *p;
    uint64_t from;
    size_t max_bytes;
    enum xd_code code;
    xd_log_run_cb *callback;
    void *arg;
};

static void refused(struct xd_put_off *put_off)
{
    struct xd_log_read *read = (struct xd_log_read *)put_off;
    read->callback(read->arg, &(struct xd_log_run){.code = read->code});
    free(read);
}

static void refuse(struct xd_redis_ledger *ledger, struct xd_log_read *read, enum xd_code code)
{
    read->code = code;
    read->put_off.run = refused;
    xd_redis_put_off(ledger, &read->put_off);
}

/* The records from `from` on out of what the script answered: four numbers and the line, then (ms, first,
 * count, bytes) of each entry. */
static bool collect(struct xd_log_read *read, const redisReply *reply, struct xd_buf *entries)
{
    struct xd_rpart *p = read->p;
    for (size_t i = 5; i + 3 < reply->elements; i += 4) {
        const redisReply *bytes = reply->element[i + 3];
        int64_t ms = (int64_t)xd_reply_uint_at(reply, i);
        uint64_t offset = xd_reply_uint_at(reply, i + 1);
        size_t at = 0, len;
        const uint8_t *record;
        while (bytes->type == REDIS_REPLY_STRING &&
               xd_entry_next((const uint8_t *)bytes->str, bytes->len, &at, &record, &len)) {
            struct xd_log_entry entry = {.offset = offset, .time_ms = ms, .bytes = record, .len = len};
            if (offset >= read->from) xd_buf_add(entries, &entry, sizeof entry);
            offset++;
        }
        p->given_ms = ms;
        if (offset > xd_reply_uint_at(reply, 0))
            continue; /* a follower comes back for what is not committed yet */
        p->mark_ms = ms;
        p->mark_record = offset;
    }
    return !entries->failed;
}

static void give(struct xd_log_read *read, const redisReply *reply)
{
    struct xd_rpart *p = read->p;
    struct xd_buf entries;
    xd_buf_init(&entries, (size_t)1 << 30);
    struct xd_log_run run = {.committed = xd_reply_uint_at(reply, 0), .events = xd_reply_uint_at(reply, 1)};
    if (p->lease.epoch != 0 && p->made > run.committed) { /* our latest commits too */
        run.committed = p->made;
        run.events = p->made_events;
    }
    if (read->from < xd_reply_uint_at(reply, 2))
        run.code = XD_NOT_FOUND;
    else if (!collect(read, reply, &entries))
        run.code = XD_NO_MEMORY;
    else
        run.count = (uint32_t)(entries.len / sizeof(struct xd_log_entry));
    run.entries = (const struct xd_log_entry *)(const void *)entries.data;
    read->callback(read->arg, &run);
    xd_buf_free(&entries);
    free(read);
}

static void on_read(void *arg, redisReply **reply, int64_t replicas)
{
    (void)replicas;
    struct xd_log_read *read = arg;
    xd_redis_answered(read->p->ledger);
    bool good = *reply && (*reply)->type == REDIS_REPLY_ARRAY && (*reply)->elements >= 5;
    if (good && xd_redis_same_line(read->p, (*reply)->element[4])) {
        give(read, *reply);
        return;
    }
    if (!good) xd_redis_suspect(read->p, *reply);
    read->callback(read->arg, &(struct xd_log_run){.code = XD_STORAGE_FAILED});
    free(read);
}

static void send_read(struct xd_log_read *read)
{
    struct xd_rpart *p = read->p;
    struct xd_redis_to to = {.lane = XD_REDIS_READS, .slot = p->slot, .script = &p->ledger->scripts.read_log};
    struct xd_args args = {0};
    char start[48] = "-";
    if (p->mark_record > 0 && p->mark_record <= read->from)
        snprintf(start, sizeof start, "%lld-%llu", (long long)p->mark_ms, (unsigned long long)p->mark_record);
    xd_args_text(&args, "2");
    xd_args_text(&args, p->state_key);
    xd_args_text(&args, p->log_key);
    xd_args_text(&args, start);
    xd_args_uint(&args, read->from);
    xd_args_uint(&args, read->max_bytes);
    enum xd_code code = xd_redis_ask(p->ledger, &to, &args, on_read, read);
    if (code != XD_OK) refuse(p->ledger, read, code);
}

void xd_redis_go_on_reading(struct xd_rpart *p)
{
    struct xd_log_read *read = p->waiting_read;
    if (!read || xd_redis_commits_full(p)) return;
    p->waiting_read = NULL;
    send_read(read);
}

void xd_redis_read_log(struct xd_ledger *base, uint16_t partition, uint64_t from, size_t max_bytes,
                       xd_log_run_cb *callback, void *arg)
{
    struct xd_redis_ledger *ledger = xd_redis_ledger_of(base);
    struct xd_log_read *read = malloc(sizeof *read);
    if (!read) {
        callback(arg, &(struct xd_log_run){.code = XD_NO_MEMORY});
        return;
    }
    *read = (struct xd_log_read){.p = xd_rpart_of(ledger, partition),
                                 .from = from,
                                 .max_bytes = max_bytes,
                                 .callback = callback,
                                 .arg = arg};
    if (!read->p || ledger->closing)
        refuse(ledger, read, read->p ? XD_DRAINING : XD_NOT_FOUND);
    else if (xd_redis_commits_full(read->p) && !read->p->waiting_read)
        read->p->waiting_read = read; /* the owner is ahead of what Redis has of it */
    else
        send_read(read);
}
