/* Is the server what it should be, and does it still have what we know of? Asked when the ledger is opened,
 * whenever a connection broke, and when a script says that it is not as it was: behind the same name there
 * may be another server since, or one that forgot. Whoever finds that something may be lost begins a new line
 * of history (docs/CLUSTER.md, Generations). */
#include "core/ledger/redis_ledger.h"

#include "core/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum step { ASK_INFO, ASK_APPEND, ASK_POLICY, ASK_STATE };

/* What an appender left in Redis is kept for an hour. */
enum { STORED_KNOWN_MS = 1800 * 1000 };

enum { LOOK_EVERY_MS = 5000 };

/* A new master is known to all who can reach it after so long; what was asked so long ago is forgotten. */
enum { BEHIND_MS = 5000, BEHIND_AGAIN_MS = 60 * 1000 };

struct check {
    struct xd_rpart *p;
    enum step step;
    char version[24];
    unsigned major, minor;
    uint64_t next; /* the generation that would begin */
    bool noeviction, appendonly, always, no_gap, readable;
};

static void go_on(struct check *check);

/* The value of "name:value" in the text of INFO. */
static void info_value(const char *info, const char *name, char *out, size_t room)
{
    const char *at = strstr(info, name);
    out[0] = '\0';
    if (!at) return;
    at += strlen(name);
    size_t len = strcspn(at, "\r\n");
    snprintf(out, room, "%.*s", (int)(len < room ? len : room - 1), at);
}

static void take_info(struct check *check, const char *info)
{
    info_value(info, "\nredis_version:", check->version, sizeof check->version);
    sscanf(check->version, "%u.%u", &check->major, &check->minor);
}

static bool is(const redisReply *list, const char *name, const char *value)
{
    return strcmp(xd_reply_text(xd_reply_field(list, name)), value) == 0;
}

static void complain(struct xd_error *error, const char *what)
{
    size_t len = error->code == XD_OK ? 0 : strlen(error->message);
    char before[XD_ERROR_MESSAGE_MAX];
    memcpy(before, error->message, len);
    before[len] = '\0';
    xd_fail(error, XD_BAD_VALUE, "redis", "%s%s%s", before, len ? "; " : "", what);
}

/* Every setting that cannot hold what is promised, with what it should be. */
static void judge(const struct check *check)
{
    struct xd_redis_ledger *ledger = check->p->ledger;
    struct xd_error *error = &ledger->trouble;
    bool fsynced = ledger->options.durability == XD_DURABILITY_FSYNCED;
    *error = (struct xd_error){.code = XD_OK};
    if (check->major < 6 || (check->major == 6 && check->minor < 2))
        complain(error, "Redis is older than 6.2");
    if (!check->readable)
        complain(error, "Redis' settings cannot be read (CONFIG GET is not allowed), so nothing is known of "
                        "its durability");
    if (check->readable && !check->noeviction)
        complain(error,
                 "maxmemory-policy must be noeviction: any other throws orders away when memory is short");
    if (check->readable && !check->appendonly)
        complain(error, "appendonly must be yes: without it a restart of Redis loses orders");
    if (check->readable && fsynced && !check->always)
        complain(error, "appendfsync must be always for --durability fsynced");
    if (check->readable && fsynced && !check->no_gap)
        complain(error, "no-appendfsync-on-rewrite must be no for --durability fsynced");
}

bool xd_redis_strong_enough(const struct xd_redis_ledger *ledger, struct xd_error *error)
{
    if (ledger->trouble.code == XD_OK || ledger->options.accept_weak) return true;
    return xd_fail(error, XD_BAD_VALUE, "redis", "%s (--accept-weak-redis takes it nevertheless)",
                   ledger->trouble.message);
}

/* What was written may be lost, by us or others: what was built on it goes. */
static void start_over(struct xd_rpart *p, const redisReply *state)
{
    xd_redis_lose(p, XD_STORAGE_FAILED);
    xd_redis_forget_closings(p);
    xd_redis_drop_parked(p);
    xd_redis_refuse_waiting(p, XD_STORAGE_FAILED);
    p->out_serial++;
    p->held = false;
    p->replicated_events = 0;
    xd_redis_fail_appends(p);
    p->stored_serial = 0;
    p->out_events = p->told_events = xd_reply_uint_at(state, 3);
    p->out_records = p->told_records = p->made = xd_reply_uint_at(state, 2);
    p->made_events = p->out_events;
    p->order_next = p->order_end = 0;
    p->mark_record = 0;
    p->mark_ms = 0;
}

static bool syncs(const struct check *check)
{
    return check->readable && check->appendonly && check->always && check->no_gap;
}

static void take_state(struct check *check, const redisReply *state)
{
    struct xd_rpart *p = check->p;
    struct xd_redis_ledger *ledger = p->ledger;
    const char *line = state->elements == 8 ? xd_reply_text(state->element[7]) : "";
    bool another = strcmp(p->line, line) != 0;
    if (another) start_over(p, state);
    snprintf(p->line, sizeof p->line, "%s", line);
    p->generation = (uint32_t)xd_reply_uint_at(state, 0);
    p->records = xd_reply_uint_at(state, 1);
    p->committed = xd_reply_uint_at(state, 2);
    p->events = xd_reply_uint_at(state, 3);
    p->oldest_event = xd_reply_uint_at(state, 4);
    p->fsyncs = syncs(check);
    p->suspect = false;
    p->looked_ms = xd_redis_monotonic();
    if (another) p->ahead_ms = 0;
    xd_redis_note_time(ledger, (int64_t)xd_reply_uint_at(state, 5));
    xd_redis_note_clock(ledger, (int64_t)xd_reply_uint_at(state, 6));
    if (another && ledger->on_events) ledger->on_events(ledger->on_events_arg, p->id, NULL, 0);
}

static void finish(struct check *check)
{
    struct xd_redis_ledger *ledger = check->p->ledger;
    check->p->checking = false;
    if (check->p->suspect)
        xd_redis_wake_later(ledger);
    else
        xd_redis_wake(ledger);
    free(check);
}

static void on_answer(void *arg, redisReply **reply, int64_t replicas)
{
    (void)replicas;
    struct check *check = arg;
    struct xd_rpart *p = check->p;
    const redisReply *r = *reply;
    xd_redis_answered(p->ledger);
    bool config = check->step == ASK_APPEND || check->step == ASK_POLICY;
    if (check->step == ASK_STATE && xd_reply_is_error(r, "LATER ")) {
        check->next = strtoull(r->str + sizeof "LATER " - 1, NULL, 10);
        go_on(check);
        return;
    }
    if (!r || (r->type == REDIS_REPLY_ERROR && !config)) {
        if (xd_reply_is_error(r, "GONE")) p->gone = true;
        finish(check);
        return;
    }
    switch (check->step) {
    case ASK_INFO:
        take_info(check, xd_reply_text(r));
        break;
    case ASK_APPEND:
        check->readable = r->type == REDIS_REPLY_ARRAY && r->elements > 0;
        check->appendonly = is(r, "appendonly", "yes");
        check->always = is(r, "appendfsync", "always");
        check->no_gap = is(r, "no-appendfsync-on-rewrite", "no");
        break;
    case ASK_POLICY:
        check->noeviction = is(r, "maxmemory-policy", "noeviction");
        judge(check);
        break;
    case ASK_STATE:
        take_state(check, r);
        finish(check);
        return;
    }
    check->step++;
    go_on(check);
}

/* The record that begins the next generation, as an entry has it. */
static void pack_beginning(const struct check *check, struct xd_buf *entry)
{
    struct xd_record record = {.type = XD_RECORD_GENERATION, .generation = check->next};
    struct xd_buf packed;
    xd_buf_init(entry, 256);
    xd_buf_init(&packed, 256);
    xd_record_pack(&record, &packed);
    uint8_t length[4] = {(uint8_t)packed.len};
    xd_buf_add(entry, length, sizeof length);
    xd_buf_add(entry, packed.data, packed.len);
    entry->failed = entry->failed || packed.failed;
    xd_buf_free(&packed);
}

static enum xd_code ask_state(struct check *check)
{
    struct xd_rpart *p = check->p;
    const struct xd_redis_ledger_options *options = &p->ledger->options;
    struct xd_redis_to to = {.lane = XD_REDIS_WRITES, .slot = p->slot, .script = &p->ledger->scripts.check};
    struct xd_args args = {0};
    struct xd_buf entry;
    char place[XD_REDIS_PLACE_MAX];
    bool known = p->stored_serial != 0 && xd_redis_monotonic() - p->stored_ms < STORED_KNOWN_MS;
    pack_beginning(check, &entry);
    xd_redis_place(p->ledger->redis, place);
    xd_args_text(&args, "2");
    xd_args_text(&args, p->state_key);
    xd_args_text(&args, p->log_key);
    xd_args_text(&args, p->line);
    xd_args_uint(&args, p->generation);
    xd_args_uint(&args, p->out_events);
    xd_args_text(&args, p->ledger->process);
    xd_args_uint(&args, known ? p->stored_serial : 0);
    xd_args_text(&args, syncs(check) ? "1" : "0");
    xd_args_text(&args, place);
    if (options->clock_ms)
        xd_args_uint(&args, (uint64_t)options->clock_ms(options->clock_arg));
    else
        xd_args_text(&args, "");
    xd_args_uint(&args, check->next);
    xd_args_bytes(&args, entry.data, entry.len);
    enum xd_code code = entry.failed ? XD_NO_MEMORY : xd_redis_ask(p->ledger, &to, &args, on_answer, check);
    xd_buf_free(&entry);
    return code;
}

static void go_on(struct check *check)
{
    struct xd_rpart *p = check->p;
    struct xd_redis_to to = {.lane = XD_REDIS_WRITES, .slot = p->slot};
    struct xd_args args = {0};
    if (check->step == ASK_STATE) {
        if (ask_state(check) != XD_OK) finish(check);
        return;
    }
    if (check->step == ASK_INFO) {
        xd_args_text(&args, "INFO");
    } else {
        xd_args_text(&args, "CONFIG");
        xd_args_text(&args, "GET");
        xd_args_text(&args, check->step == ASK_APPEND ? "*append*" : "maxmemory-policy");
    }
    if (xd_redis_ask(p->ledger, &to, &args, on_answer, check) != XD_OK) finish(check);
}

void xd_redis_check(struct xd_rpart *p)
{
    if (p->checking) return;
    struct check *check = calloc(1, sizeof *check);
    if (!check) {
        xd_redis_wake_later(p->ledger);
        return;
    }
    check->p = p;
    check->next = (uint64_t)p->generation + 1;
    p->checking = true;
    go_on(check);
}

static void on_looked(void *arg, redisReply **reply, int64_t replicas)
{
    (void)replicas;
    struct xd_rpart *p = arg;
    xd_redis_answered(p->ledger);
    if (!*reply || (*reply)->type == REDIS_REPLY_ERROR) xd_redis_suspect(p, *reply);
}

void xd_redis_look(struct xd_rpart *p)
{
    struct xd_redis_ledger *ledger = p->ledger;
    int64_t now = xd_redis_monotonic();
    if (ledger->options.owner_only || ledger->closing || p->suspect || now - p->looked_ms < LOOK_EVERY_MS)
        return;
    struct xd_redis_to to = {.lane = XD_REDIS_READS, .slot = p->slot, .script = &ledger->scripts.look};
    struct xd_args args = {0};
    p->looked_ms = now;
    xd_args_text(&args, "1");
    xd_args_text(&args, p->state_key);
    xd_args_text(&args, p->line);
    if (xd_redis_ask(ledger, &to, &args, on_looked, p) != XD_OK) xd_redis_suspect(p, NULL);
}

bool xd_redis_may_be_behind(struct xd_ledger *base, uint16_t partition, uint32_t generation)
{
    struct xd_rpart *p = xd_rpart_of(xd_redis_ledger_of(base), partition);
    int64_t now = xd_redis_monotonic();
    if (!p || generation <= p->generation) return false;
    if (p->ahead_ms == 0 || now - p->ahead_ms > BEHIND_AGAIN_MS) p->ahead_ms = now;
    return now - p->ahead_ms < BEHIND_MS;
}
