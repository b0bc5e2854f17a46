#include "core/ledger/redis_ledger.h"

#include "core/decimal.h"

#include <event2/event.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { AGAIN_MS = 20, TICK_MS = 100, LIMIT_BYTES = 64 << 20, SUSPECT_HEALTHY_MS = 1000, VERSION = 2 };

static const char market_key[] = "xd:market";

/* --- time, and being called again ------------------------------------------------------------------------
 */

int64_t xd_redis_monotonic(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t local_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void xd_redis_note_time(struct xd_redis_ledger *ledger, int64_t ms)
{
    if (ms > ledger->last_ms) ledger->last_ms = ms;
}

void xd_redis_note_clock(struct xd_redis_ledger *ledger, int64_t ms)
{
    ledger->skew_ms = ms - local_ms();
}

static int64_t now_ms(const struct xd_ledger *base)
{
    const struct xd_redis_ledger *ledger = xd_redis_ledger_of(base);
    const struct xd_redis_ledger_options *options = &ledger->options;
    int64_t now = options->clock_ms ? options->clock_ms(options->clock_arg) : local_ms() + ledger->skew_ms;
    return now > ledger->last_ms ? now : ledger->last_ms;
}

void xd_redis_wake(struct xd_redis_ledger *ledger)
{
    event_active(ledger->turn_event, EV_TIMEOUT, 0);
}

void xd_redis_wake_later(struct xd_redis_ledger *ledger)
{
    if (!event_pending(ledger->again_timer, EV_TIMEOUT, NULL))
        event_add(ledger->again_timer, &(struct timeval){.tv_usec = AGAIN_MS * 1000});
}

void xd_redis_put_off(struct xd_redis_ledger *ledger, struct xd_put_off *put_off)
{
    put_off->next = NULL;
    *(ledger->put_off ? &ledger->last_put_off->next : &ledger->put_off) = put_off;
    ledger->last_put_off = put_off;
    event_active(ledger->put_off_event, EV_TIMEOUT, 0);
}

static void run_put_off(struct xd_redis_ledger *ledger)
{
    struct xd_put_off *one = ledger->put_off;
    ledger->put_off = NULL;
    while (one) {
        struct xd_put_off *next = one->next;
        one->run(one);
        one = next;
    }
}

static void on_put_off(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    run_put_off(arg);
}

struct done_refusal {
    struct xd_put_off put_off;
    xd_done_cb *callback;
    void *arg;
    enum xd_code code;
};

static void done_refusal_run(struct xd_put_off *put_off)
{
    struct done_refusal *refusal = (struct done_refusal *)put_off;
    refusal->callback(refusal->arg, refusal->code);
    free(refusal);
}

void xd_redis_refuse_done(struct xd_redis_ledger *ledger, enum xd_code code, xd_done_cb *callback, void *arg)
{
    if (!callback) return;
    struct done_refusal *refusal = malloc(sizeof *refusal);
    if (!refusal) {
        callback(arg, XD_NO_MEMORY);
        return;
    }
    *refusal = (struct done_refusal){
        .put_off.run = done_refusal_run, .callback = callback, .arg = arg, .code = code};
    xd_redis_put_off(ledger, &refusal->put_off);
}

void xd_redis_suspect(struct xd_rpart *p, const redisReply *reply)
{
    if (xd_reply_is_error(reply, "GONE")) p->gone = true;
    if (!p->suspect) p->suspect_ms = xd_redis_monotonic();
    p->suspect = true;
    xd_redis_wake_later(p->ledger);
}

/* --- the turn: everything that can go on goes on ----------------------------------------------------------
 */

static void go_on(struct xd_rpart *p)
{
    xd_redis_go_on_acquiring(p);
    if (p->gone) return;
    if (p->suspect) {
        xd_redis_check(p);
        return;
    }
    xd_redis_go_on_appending(p);
    xd_redis_go_on_committing(p);
    xd_redis_go_on_releasing(p);
    xd_redis_go_on_following(p);
    xd_redis_go_on_telling(p);
    xd_redis_go_on_closing(p);
    xd_redis_go_on_saving(p);
    xd_redis_go_on_reading(p);
    xd_redis_fetch_numbers(p);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct xd_redis_ledger *ledger = arg;
    for (uint16_t i = 0; ledger->agreed && i < ledger->options.partitions; i++)
        go_on(&ledger->parts[i]);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct xd_redis_ledger *ledger = arg;
    for (uint16_t i = 0; i < ledger->options.partitions; i++) {
        struct xd_rpart *p = &ledger->parts[i];
        xd_redis_expire_appends(p, false);
        xd_redis_renew(p);
        xd_redis_trim_events(p);
        xd_redis_go_on_replicating(p);
        xd_redis_answer_waiting(p);
        xd_redis_look(p);
        if (p->suspect) xd_redis_wake_later(ledger);
    }
    xd_redis_settled(ledger, XD_OK);
}

static void on_ready(void *arg)
{
    xd_redis_wake(arg);
}

/* --- small questions --------------------------------------------------------------------------------------
 */

static size_t backlog(const struct xd_ledger *base)
{
    return xd_redis_ledger_of(base)->backlog;
}

static size_t backlog_limit(const struct xd_ledger *base)
{
    return xd_redis_ledger_of(base)->options.backlog_limit;
}

static enum xd_code health(const struct xd_ledger *base)
{
    const struct xd_redis_ledger *ledger = xd_redis_ledger_of(base);
    int64_t now = xd_redis_monotonic();
    if (now < ledger->full_until_ms) return XD_STORAGE_FULL;
    for (uint16_t i = 0; i < ledger->options.partitions; i++) {
        const struct xd_rpart *p = &ledger->parts[i];
        if (p->gone || (p->suspect && now - p->suspect_ms > SUSPECT_HEALTHY_MS)) return XD_STORAGE_FAILED;
    }
    return XD_OK;
}

static uint64_t event_head(const struct xd_ledger *base, uint16_t partition)
{
    const struct xd_rpart *p = xd_rpart_of(xd_redis_ledger_of(base), partition);
    return p ? p->told_events : 0;
}

static uint64_t event_oldest(const struct xd_ledger *base, uint16_t partition)
{
    const struct xd_rpart *p = xd_rpart_of(xd_redis_ledger_of(base), partition);
    return p ? p->oldest_event : 0;
}

static uint32_t generation(const struct xd_ledger *base, uint16_t partition)
{
    const struct xd_rpart *p = xd_rpart_of(xd_redis_ledger_of(base), partition);
    return p ? p->generation : 0;
}

struct xd_market xd_ledger_redis_market(const struct xd_ledger *base)
{
    return xd_redis_ledger_of(base)->market;
}

/* --- the end ----------------------------------------------------------------------------------------------
 */

static bool is_idle(const struct xd_redis_ledger *ledger)
{
    for (uint16_t i = 0; i < ledger->options.partitions; i++) {
        const struct xd_rpart *p = &ledger->parts[i];
        if (p->entries || p->stored || p->commits || p->closings || p->releasing.epoch != 0 || p->acquirings)
            return false;
    }
    return ledger->calls == 0 && !ledger->put_off;
}

static void destroy(struct xd_redis_ledger *ledger)
{
    struct event *events[] = {ledger->turn_event, ledger->again_timer, ledger->tick_timer,
                              ledger->put_off_event};
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (events[i]) event_free(events[i]);
    free(ledger->parts);
    free(ledger);
}

static void give_up(struct xd_rpart *p)
{
    xd_redis_expire_appends(p, true);
    xd_redis_go_on_acquiring(p);
    xd_redis_lose(p, XD_DRAINING);
    xd_redis_forget_closings(p);
    free(p->closings);
    xd_redis_drop_parked(p);
    xd_redis_refuse_waiting(p, XD_DRAINING);
}

static void turn_until_idle(struct xd_redis_ledger *ledger, int64_t limit_ms)
{
    while (!is_idle(ledger) && xd_redis_monotonic() < limit_ms) {
        xd_redis_wake(ledger);
        event_base_loop(ledger->events, EVLOOP_ONCE);
    }
}

static void close_ledger(struct xd_ledger *base)
{
    struct xd_redis_ledger *ledger = xd_redis_ledger_of(base);
    int64_t limit = xd_redis_monotonic() + ledger->options.timeout_ms;
    ledger->closing = true;
    turn_until_idle(ledger, limit);
    for (uint16_t i = 0; i < ledger->options.partitions; i++)
        xd_redis_release(base, &ledger->parts[i].lease);
    turn_until_idle(ledger, limit);
    if (ledger->redis) xd_redis_free(ledger->redis);
    ledger->redis = NULL;
    for (uint16_t i = 0; i < ledger->options.partitions; i++)
        give_up(&ledger->parts[i]);
    xd_redis_settled(ledger, XD_DRAINING);
    run_put_off(ledger);
    destroy(ledger);
}

/* --- opening ----------------------------------------------------------------------------------------------
 */

static const struct xd_ledger_ops ops = {
    .reserve = xd_redis_reserve,
    .find_ref = xd_redis_find_ref,
    .append = xd_redis_append,
    .room = xd_redis_room,
    .backlog = backlog,
    .backlog_limit = backlog_limit,
    .health = health,
    .now_ms = now_ms,
    .acquire = xd_redis_acquire,
    .release = xd_redis_release,
    .load_snapshot = xd_redis_load_snapshot,
    .begin_snapshot = xd_redis_begin_snapshot,
    .add_to_snapshot = xd_redis_add_to_snapshot,
    .end_snapshot = xd_redis_end_snapshot,
    .drop_snapshot = xd_redis_drop_snapshot,
    .read_log = xd_redis_read_log,
    .follow_log = xd_redis_follow_log,
    .commit = xd_redis_commit,
    .follow_events = xd_redis_follow_events,
    .read_events = xd_redis_read_events,
    .event_head = event_head,
    .event_oldest = event_oldest,
    .generation = generation,
    .may_be_behind = xd_redis_may_be_behind,
    .save_cursor = xd_redis_save_cursor,
    .load_cursor = xd_redis_load_cursor,
    .settle = xd_redis_settle,
    .close = close_ledger,
};

struct waiting {
    struct xd_redis_ledger *ledger;
    redisReply *reply;
    bool done;
};

static void on_waited(void *arg, redisReply **reply, int64_t replicas)
{
    (void)replicas;
    struct waiting *waiting = arg;
    xd_redis_answered(waiting->ledger);
    waiting->reply = *reply;
    waiting->done = true;
    *reply = NULL;
}

static bool unreachable(const struct xd_redis_ledger *ledger, struct xd_error *error)
{
    const char *why = xd_redis_trouble(ledger->redis);
    return xd_fail(error, XD_STORAGE_FAILED, "redis", "Redis cannot be reached: %s",
                   *why ? why : "no answer in time");
}

/* Asks and waits for the answer, again and again until `limit_ms`. NULL and *error if there was none. */
static redisReply *ask_and_wait(struct xd_redis_ledger *ledger, const struct xd_redis_to *to,
                                const struct xd_args *args, int64_t limit_ms, struct xd_error *error)
{
    while (xd_redis_monotonic() < limit_ms) {
        struct waiting waiting = {.ledger = ledger};
        if (xd_redis_ask(ledger, to, args, on_waited, &waiting) == XD_OK) {
            while (!waiting.done)
                event_base_loop(ledger->events, EVLOOP_ONCE);
            if (waiting.reply && waiting.reply->type != REDIS_REPLY_ERROR) return waiting.reply;
            if (waiting.reply) {
                xd_fail(error, XD_STORAGE_FAILED, "redis", "Redis answers: %.200s", waiting.reply->str);
                freeReplyObject(waiting.reply);
                return NULL;
            }
        }
        xd_redis_wake_later(ledger); /* and no loopexit, which could end a later loop instead of this one */
        event_base_loop(ledger->events, EVLOOP_ONCE);
    }
    unreachable(ledger, error);
    return NULL;
}

/* The partitions first, the market last: a ledger that has its market is whole. */
static bool initialise(struct xd_redis_ledger *ledger, int64_t limit_ms, struct xd_error *error)
{
    for (uint16_t i = 0; i < ledger->options.partitions; i++) {
        struct xd_redis_to to = {
            .lane = XD_REDIS_WRITES, .slot = ledger->parts[i].slot, .script = &ledger->scripts.init};
        struct xd_args args = {0};
        xd_args_text(&args, "1");
        xd_args_text(&args, ledger->parts[i].state_key);
        redisReply *reply = ask_and_wait(ledger, &to, &args, limit_ms, error);
        if (!reply) return false;
        freeReplyObject(reply);
    }
    struct xd_redis_to to = {.lane = XD_REDIS_WRITES,
                             .slot = xd_redis_slot(market_key, sizeof market_key - 1)};
    struct xd_args args = {0};
    ledger->market = ledger->options.market;
    xd_args_text(&args, "HSET");
    xd_args_text(&args, market_key);
    xd_args_text(&args, "version");
    xd_args_uint(&args, VERSION);
    xd_args_text(&args, "currency");
    xd_args_uint(&args, (uint64_t)ledger->market.currency);
    xd_args_text(&args, "road_factor_e4");
    xd_args_uint(&args, (uint64_t)ledger->market.road_factor_e4);
    xd_args_text(&args, "partitions");
    xd_args_uint(&args, ledger->options.partitions);
    redisReply *reply = ask_and_wait(ledger, &to, &args, limit_ms, error);
    if (reply) freeReplyObject(reply);
    return reply != NULL;
}

static bool compare(struct xd_redis_ledger *ledger, const redisReply *reply, struct xd_error *error)
{
    const struct xd_redis_ledger_options *options = &ledger->options;
    ledger->market.currency = (int64_t)xd_reply_uint(xd_reply_field(reply, "currency"));
    ledger->market.road_factor_e4 = (int32_t)xd_reply_uint(xd_reply_field(reply, "road_factor_e4"));
    uint64_t partitions = xd_reply_uint(xd_reply_field(reply, "partitions"));
    if (xd_reply_uint(xd_reply_field(reply, "version")) != VERSION)
        return xd_fail(error, XD_STORAGE_FAILED, "redis", "the ledger in Redis is of another version");
    if (partitions != options->partitions)
        return xd_fail(error, XD_BAD_VALUE, "partitions", "the ledger in Redis has %u partitions, not %u",
                       (unsigned)partitions, (unsigned)options->partitions);
    if (!options->market_given) return true;
    if (ledger->market.currency != options->market.currency)
        return xd_fail(error, XD_BAD_VALUE, "currency",
                       "the ledger in Redis is of a market of another currency");
    if (ledger->market.road_factor_e4 != options->market.road_factor_e4)
        return xd_fail(error, XD_BAD_VALUE, "road_factor",
                       "the ledger in Redis is of a market of another road factor");
    return true;
}

static bool agree(struct xd_redis_ledger *ledger, int64_t limit_ms, struct xd_error *error)
{
    struct xd_redis_to to = {.lane = XD_REDIS_WRITES,
                             .slot = xd_redis_slot(market_key, sizeof market_key - 1)};
    struct xd_args args = {0};
    xd_args_text(&args, "HGETALL");
    xd_args_text(&args, market_key);
    redisReply *reply = ask_and_wait(ledger, &to, &args, limit_ms, error);
    if (!reply) return false;
    bool fresh = reply->type != REDIS_REPLY_ARRAY || reply->elements == 0;
    bool agreed = fresh || compare(ledger, reply, error);
    freeReplyObject(reply);
    return agreed && (!fresh || initialise(ledger, limit_ms, error));
}

/* What a turn of the loop is waited for in: a partition that has been checked and has numbers to give. */
static bool check_all(struct xd_redis_ledger *ledger, int64_t limit_ms, struct xd_error *error)
{
    ledger->agreed = true;
    xd_redis_wake(ledger);
    for (uint16_t i = 0; i < ledger->options.partitions; i++) {
        struct xd_rpart *p = &ledger->parts[i];
        while (!p->gone && (p->suspect || p->order_next == p->order_end) && xd_redis_monotonic() < limit_ms) {
            if (ledger->trouble.code != XD_OK && !xd_redis_strong_enough(ledger, error)) return false;
            event_base_loop(ledger->events, EVLOOP_ONCE);
        }
        if (p->gone)
            return xd_fail(error, XD_STORAGE_FAILED, "redis",
                           "partition %u is not in Redis any more; restore it from a backup", (unsigned)i);
        if (p->suspect || p->order_next == p->order_end) return unreachable(ledger, error);
        if (!xd_redis_strong_enough(ledger, error)) return false;
    }
    return true;
}

static bool make_events(struct xd_redis_ledger *ledger)
{
    ledger->turn_event = event_new(ledger->events, -1, 0, on_turn, ledger);
    ledger->again_timer = evtimer_new(ledger->events, on_turn, ledger);
    ledger->tick_timer = event_new(ledger->events, -1, EV_PERSIST, on_tick, ledger);
    ledger->put_off_event = event_new(ledger->events, -1, 0, on_put_off, ledger);
    return ledger->turn_event && ledger->again_timer && ledger->tick_timer && ledger->put_off_event &&
           event_add(ledger->tick_timer, &(struct timeval){.tv_usec = TICK_MS * 1000}) == 0;
}

static bool make_parts(struct xd_redis_ledger *ledger)
{
    uint64_t name = ledger->options.process;
    ledger->parts = calloc(ledger->options.partitions, sizeof *ledger->parts);
    if (!ledger->parts || (name == 0 && RAND_bytes((unsigned char *)&name, sizeof name) != 1)) return false;
    snprintf(ledger->process, sizeof ledger->process, "%016llx", (unsigned long long)name);
    for (uint16_t i = 0; i < ledger->options.partitions; i++) {
        struct xd_rpart *p = &ledger->parts[i];
        p->ledger = ledger;
        p->id = i;
        p->suspect = true; /* until it has been checked */
        snprintf(p->state_key, sizeof p->state_key, "xd:{p%u}:state", (unsigned)i);
        snprintf(p->log_key, sizeof p->log_key, "xd:{p%u}:log", (unsigned)i);
        snprintf(p->out_key, sizeof p->out_key, "xd:{p%u}:out", (unsigned)i);
        snprintf(p->lease_key, sizeof p->lease_key, "xd:{p%u}:lease", (unsigned)i);
        snprintf(p->outbox_key, sizeof p->outbox_key, "xd:{p%u}:outbox", (unsigned)i);
        snprintf(p->seen_key, sizeof p->seen_key, "xd:{p%u}:seen", (unsigned)i);
        snprintf(p->marks_key, sizeof p->marks_key, "xd:{p%u}:marks:", (unsigned)i);
        memcpy(p->closed, "0-0", sizeof "0-0");
        p->slot = xd_redis_slot(p->state_key, strlen(p->state_key));
    }
    return true;
}

static bool open_redis(struct xd_redis_ledger *ledger, struct xd_error *error)
{
    const struct xd_redis_ledger_options *options = &ledger->options;
    struct xd_redis_options redis = {.tls_ca = options->tls_ca,
                                     .tls_cert = options->tls_cert,
                                     .tls_key = options->tls_key,
                                     .timeout_ms = options->timeout_ms,
                                     .limit = LIMIT_BYTES,
                                     .ready = on_ready,
                                     .arg = ledger};
    int64_t limit_ms = xd_redis_monotonic() + 2 * (int64_t)options->timeout_ms;
    if (!xd_redis_url_parse(options->url, &redis.url, error)) return false;
    ledger->redis = xd_redis_create(ledger->events, &redis, error);
    return ledger->redis && agree(ledger, limit_ms, error) && check_all(ledger, limit_ms, error);
}

struct xd_ledger *xd_ledger_open_redis(struct event_base *base, const struct xd_redis_ledger_options *options,
                                       struct xd_error *error)
{
    struct xd_redis_ledger *ledger = calloc(1, sizeof *ledger);
    if (!ledger) {
        xd_fail(error, XD_NO_MEMORY, NULL, "no memory for the ledger");
        return NULL;
    }
    ledger->base.ops = &ops;
    ledger->options = *options;
    ledger->events = base;
    xd_redis_scripts_init(&ledger->scripts);
    bool made = make_parts(ledger) && make_events(ledger);
    if (!made) xd_fail(error, XD_NO_MEMORY, NULL, "no memory for the ledger");
    if (made && open_redis(ledger, error)) return &ledger->base;
    ledger->closing = true;
    xd_redis_free(ledger->redis);
    run_put_off(ledger);
    destroy(ledger);
    return NULL;
}
