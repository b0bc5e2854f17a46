#include "core/cluster/dump.h"

#include "core/ledger/redis_ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 16 /* entries in one answer */ };

static const size_t BLOCK_LIMIT = (size_t)512 << 20;

/* A stream, a page at a time. Its entries are tuples of an id and a list of fields and values. */
struct stream {
    char key[32];
    char after[48]; /* where the next page begins */
    redisReply *page;
    size_t at; /* the entry of the page that is next */
};

struct dump {
    struct xd_cluster *cluster;
    uint16_t partition;
    struct stream log, out;
    size_t at; /* in the bytes of the log's entry */
    uint64_t next_record;
    xd_dump_record_cb *record;
    xd_dump_event_cb *event;
    void *arg;
    struct xd_error *error;
};

static void open_stream(struct stream *stream, uint16_t partition, const char *name)
{
    snprintf(stream->key, sizeof stream->key, "xd:{p%u}:%s", (unsigned)partition, name);
    snprintf(stream->after, sizeof stream->after, "-");
}

/* The entry that is next, or NULL: there is none, or *failed. */
static const redisReply *peek(struct dump *dump, struct stream *stream, bool *failed)
{
    if (stream->page && stream->at < stream->page->elements) return stream->page->element[stream->at];
    char count[16];
    snprintf(count, sizeof count, "%d", PAGE);
    const char *argv[] = {"XRANGE", stream->key, stream->after, "+", "COUNT", count};
    freeReplyObject(stream->page);
    stream->at = 0;
    stream->page = xd_cluster_ask(dump->cluster, stream->key, 6, argv, dump->error);
    *failed = !stream->page;
    if (!stream->page || stream->page->type != REDIS_REPLY_ARRAY || stream->page->elements == 0) return NULL;
    const redisReply *last = stream->page->element[stream->page->elements - 1];
    snprintf(stream->after, sizeof stream->after, "(%s", xd_reply_text(last->element[0]));
    return stream->page->element[0];
}

static bool malformed(const struct dump *dump, const struct stream *stream)
{
    return xd_fail(dump->error, XD_STORAGE_FAILED, "redis", "what %s has cannot be read", stream->key);
}

/* Tells what is left of an entry of the log, before `until`. */
static bool tell_entry(struct dump *dump, const redisReply *entry, uint64_t until)
{
    const redisReply *bytes = xd_reply_field(entry->element[1], "b");
    uint64_t ms, first;
    struct xd_log_entry told;
    if (!bytes || !xd_reply_id(entry->element[0], &ms, &first)) return malformed(dump, &dump->log);
    if (dump->at == 0) dump->next_record = first;
    told.time_ms = (int64_t)ms;
    for (told.offset = dump->next_record; told.offset < until; told.offset++) {
        if (!xd_entry_next((const uint8_t *)bytes->str, bytes->len, &dump->at, &told.bytes, &told.len)) {
            dump->at = 0;
            dump->log.at++;
            return true;
        }
        dump->record(dump->arg, &told);
        dump->next_record = told.offset + 1;
    }
    return true;
}

static bool tell_records(struct dump *dump, uint64_t until)
{
    bool failed = false;
    while (dump->next_record < until) {
        const redisReply *entry = peek(dump, &dump->log, &failed);
        uint64_t ms, first;
        if (!entry) return !failed;
        if (!xd_reply_id(entry->element[0], &ms, &first)) return malformed(dump, &dump->log);
        if (dump->at == 0 && first >= until) return true; /* those before it were trimmed */
        if (!tell_entry(dump, entry, until)) return false;
    }
    return true;
}

/* The line that it was made in begins with its generation. */
static bool tell_events(const struct dump *dump, const redisReply *commit)
{
    const redisReply *fields = commit->element[1], *block = xd_reply_field(fields, "b");
    uint32_t generation = (uint32_t)xd_reply_uint(xd_reply_field(fields, "g"));
    struct xd_event_ref event = {.offset = xd_reply_uint(xd_reply_field(fields, "f"))};
    struct xd_buf plain;
    size_t at = 0;
    xd_buf_init(&plain, BLOCK_LIMIT);
    bool good = block && xd_redis_expand(&plain, block);
    while (good && xd_entry_next(plain.data, plain.len, &at, &event.bytes, &event.len)) {
        dump->event(dump->arg, dump->partition, generation, &event);
        event.offset++;
    }
    xd_buf_free(&plain);
    return good || malformed(dump, &dump->out);
}

static bool tell_all(struct dump *dump)
{
    bool failed = false;
    const redisReply *commit;
    while ((commit = peek(dump, &dump->out, &failed))) {
        uint64_t events, records;
        if (!xd_reply_id(commit->element[0], &events, &records)) return malformed(dump, &dump->out);
        if (!tell_records(dump, records) || !tell_events(dump, commit)) return false;
        dump->out.at++;
    }
    return !failed && tell_records(dump, UINT64_MAX);
}

static bool is_there(const struct dump *dump)
{
    char key[32];
    snprintf(key, sizeof key, "xd:{p%u}:state", (unsigned)dump->partition);
    const char *argv[] = {"EXISTS", key};
    redisReply *reply = xd_cluster_ask(dump->cluster, key, 2, argv, dump->error);
    if (!reply) return false;
    bool there = xd_reply_uint(reply) == 1;
    freeReplyObject(reply);
    return there || xd_fail(dump->error, XD_NOT_FOUND, "partition", "there is no partition %u",
                            (unsigned)dump->partition);
}

bool xd_cluster_dump(struct xd_cluster *cluster, uint16_t partition, xd_dump_record_cb *record,
                     xd_dump_event_cb *event, void *arg, struct xd_error *error)
{
    struct dump dump = {.cluster = cluster,
                        .partition = partition,
                        .record = record,
                        .event = event,
                        .arg = arg,
                        .error = error};
    open_stream(&dump.log, partition, "log");
    open_stream(&dump.out, partition, "out");
    bool good = is_there(&dump) && tell_all(&dump);
    freeReplyObject(dump.log.page);
    freeReplyObject(dump.out.page);
    return good;
}
