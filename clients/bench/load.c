#include "clients/bench/load_parts.h"

#include "core/mp.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS INT64_C(1000000000)

enum { PARAMS_BYTES = 1 << 20 };
enum { ANSWER_PATIENCE_S = 30, EVENT_PATIENCE_S = 10 }; /* for what does not come */

/* --- birth --- */

/* Eight hexadecimal digits that no other load has, in all likelihood. */
static void make_prefix(char out[static XD_VERIFY_PREFIX + 1])
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct xd_random random;
    xd_random_seed(&random,
                   (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec + ((uint64_t)getpid() << 40));
    snprintf(out, XD_VERIFY_PREFIX + 1, "b%08x", (uint32_t)(xd_random_bits(&random) >> 32));
}

bool xd_load_dial(struct xd_load *load, struct xd_load_link *link, int timeout_ms, xd_client_error *error)
{
    xd_client_options options = load->options.client;
    options.account = "*";
    options.timeout_ms = timeout_ms;
    if (link == &load->watch) {
        options.notify = xd_load_notified;
        options.notify_arg = load;
    }
    link->client = xd_client_connect(&options, error);
    return link->client != NULL;
}

static void read_hello(struct xd_load *load)
{
    const msgpack_object *hello = xd_client_hello(load->links[0].client);
    const msgpack_object *factor = xd_mp_get(hello, "road_factor");
    const msgpack_object *stands = xd_mp_get(hello, "test_clock");
    load->road_factor = 1.25;
    if (factor && factor->type == MSGPACK_OBJECT_FLOAT64) load->road_factor = factor->via.f64;
    if (factor && factor->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
        load->road_factor = (double)factor->via.u64;
    load->broker_stands = stands && stands->type == MSGPACK_OBJECT_BOOLEAN && stands->via.boolean;
    xd_mp_get_int(hello, "time", &load->broker_time);
    load->hello_ns = xd_load_clock_ns();
}

static bool connect_all(struct xd_load *load, xd_client_error *error)
{
    for (uint32_t i = 0; i < load->options.connections; i++) {
        struct xd_load_link *link = &load->links[i];
        link->load = load;
        load->link_count++;
        if (!xd_load_dial(load, link, load->options.client.timeout_ms, error)) return false;
    }
    read_hello(load);
    return !load->options.watch || xd_load_dial(load, &load->watch, load->options.client.timeout_ms, error);
}

static struct xd_load *out_of_memory(struct xd_load *load, xd_client_error *error)
{
    xd_load_destroy(load);
    snprintf(error->code, sizeof error->code, "no_memory");
    snprintf(error->message, sizeof error->message, "no memory for the load");
    return NULL;
}

struct xd_load *xd_load_create(const struct xd_load_options *options, xd_client_error *error)
{
    char prefix[XD_VERIFY_PREFIX + 1];
    memset(error, 0, sizeof *error);
    struct xd_load *load = calloc(1, sizeof *load);
    if (!load) return out_of_memory(load, error);
    load->options = *options;
    make_prefix(prefix);
    load->verify = xd_verify_create(prefix);
    load->links = calloc(options->connections, sizeof *load->links);
    load->stats = calloc(1, sizeof *load->stats);
    if (options->reconnect_ns > 0) load->seen = calloc(UINT16_MAX + 1, sizeof *load->seen);
    xd_buf_init(&load->params, PARAMS_BYTES);
    xd_random_seed(&load->random, options->seed);
    if (!load->verify || !load->links || !load->stats || (options->reconnect_ns > 0 && !load->seen))
        return out_of_memory(load, error);
    if (connect_all(load, error)) return load;
    xd_load_destroy(load);
    return NULL;
}

void xd_load_destroy(struct xd_load *load)
{
    if (!load) return;
    for (uint32_t i = 0; i < load->link_count; i++)
        xd_client_close(load->links[i].client);
    xd_client_close(load->watch.client);
    xd_load_free_calls(load);
    xd_verify_destroy(load->verify);
    xd_buf_free(&load->params);
    free(load->seen);
    free(load->links);
    free(load->stats);
    free(load);
}

double xd_load_road_factor(const struct xd_load *load)
{
    return load->road_factor;
}

int64_t xd_load_broker_time(const struct xd_load *load)
{
    return load->broker_time;
}

const struct xd_load_stats *xd_load_stats(const struct xd_load *load)
{
    return load->stats;
}

const struct xd_verify *xd_load_verify(const struct xd_load *load)
{
    return load->verify;
}

/* --- the loop --- */

static bool failed(const struct xd_load *load)
{
    return load->error.code[0] != '\0';
}

static bool serve(struct xd_load *load, struct xd_load_link *link)
{
    if (xd_client_run(link->client, 0) >= 0) return true;
    if (load->options.reconnect_ns == 0)
        xd_load_fail(load, "connection", xd_client_why(link->client)->message);
    return xd_load_lost(load, link);
}

static struct pollfd polled_for(const struct xd_load_link *link)
{
    if (!link->client) return (struct pollfd){.fd = -1};
    short events = (short)(POLLIN | (xd_client_wants_write(link->client) ? POLLOUT : 0));
    return (struct pollfd){.fd = xd_client_fd(link->client), .events = events};
}

/* Waits for any connection for at most `wait_ns`, then serves those that have something. */
static void wait_and_serve(struct xd_load *load, int64_t wait_ns)
{
    struct pollfd polled[XD_LOAD_CONNECTIONS_MAX + 1];
    nfds_t count = 0;
    for (uint32_t i = 0; i < load->link_count; i++)
        polled[count++] = polled_for(&load->links[i]);
    polled[count++] = polled_for(&load->watch);
    struct timespec wait = {.tv_sec = wait_ns / SECOND_NS, .tv_nsec = wait_ns % SECOND_NS};
    if (ppoll(polled, count, &wait, NULL) <= 0) return;
    for (uint32_t i = 0; i < load->link_count; i++) {
        if (polled[i].revents && !serve(load, &load->links[i])) return;
    }
    if (polled[count - 1].revents) serve(load, &load->watch);
}

static void send_queued(struct xd_load *load)
{
    for (uint32_t i = 0; i < load->link_count && !failed(load); i++) {
        struct xd_load_link *link = &load->links[i];
        if (link->client && xd_client_unsent(link->client) > 0) serve(load, link);
    }
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Whether another `*count` orders are to be sent; lessens *count where fewer are left. What was due in time
 * in an open loop is sent however late it is: leaving out what a slow broker held up would flatter it. */
static bool wants_more(const struct xd_load *load, int64_t now_ns, uint32_t *count)
{
    const struct xd_load_options *options = &load->options;
    uint64_t left = load->source->total - load->sent;
    if (load->setting_up) {
        left = load->source->setup - load->sent;
    } else {
        uint64_t measured = load->sent - load->source->setup;
        if (options->stop && *options->stop) return false;
        if (options->orders) left = min_u64(left, options->orders - measured);
        if (options->seconds > 0 && options->rate > 0)
            left = min_u64(left, (uint64_t)(options->seconds * options->rate + 0.5) - measured);
        else if (options->seconds > 0 && (double)(now_ns - load->start_ns) >= options->seconds * 1e9)
            return false;
    }
    if (left < *count) *count = (uint32_t)left;
    return left > 0 && !load->source_ended && !failed(load);
}

static void fill_closed(struct xd_load *load)
{
    for (uint32_t i = 0; i < load->link_count; i++) {
        struct xd_load_link *link = &load->links[i];
        uint32_t count = load->options.batch;
        while (link->client && link->orders + load->options.batch <= load->options.outstanding) {
            int64_t now_ns = xd_load_clock_ns();
            if (!wants_more(load, now_ns, &count) || !xd_load_submit(load, link, count, now_ns, 0)) return;
        }
    }
}

/* The next connection with room for another call, in turn; NULL if all are full. */
static struct xd_load_link *free_link(struct xd_load *load)
{
    for (uint32_t i = 0; i < load->link_count; i++) {
        load->next_link = (load->next_link + 1) % load->link_count;
        struct xd_load_link *link = &load->links[load->next_link];
        if (link->client && link->orders + load->options.batch <= load->options.outstanding) return link;
    }
    return NULL;
}

/* When the i-th order after the setup is due. */
static int64_t due(const struct xd_load *load, uint64_t i)
{
    return load->start_ns + (int64_t)((double)i / load->options.rate * 1e9);
}

/* Sends what is due; returns how long until the next call is. */
static int64_t fill_open(struct xd_load *load)
{
    enum { FULL_WAIT_NS = 1000 * 1000 };
    double step_ns = 1e9 / load->options.rate;
    for (;;) {
        uint32_t count = load->options.batch;
        int64_t now_ns = xd_load_clock_ns();
        if (!wants_more(load, now_ns, &count)) return FULL_WAIT_NS;
        uint64_t next = load->sent - load->source->setup;
        int64_t left_ns = due(load, next + count - 1) - now_ns;
        if (left_ns > 0) return left_ns;
        struct xd_load_link *link = free_link(load);
        if (!link || !xd_load_submit(load, link, count, due(load, next), step_ns)) return FULL_WAIT_NS;
    }
}

static void tick(struct xd_load *load, int64_t *next_tick_ns)
{
    int64_t now_ns = xd_load_clock_ns();
    if (!load->options.tick || load->setting_up || now_ns < *next_tick_ns) return;
    *next_tick_ns = now_ns + (int64_t)load->options.tick_ms * 1000000;
    load->stats->seconds = (double)(now_ns - load->start_ns) / 1e9;
    load->options.tick(load->options.arg, load);
}

/* Sends until nothing more is to be sent and all is answered. */
static void pump(struct xd_load *load)
{
    enum { WAIT_NS = 100 * 1000 * 1000 };
    bool open = load->options.rate > 0 && !load->setting_up;
    int64_t next_tick_ns = load->start_ns + (int64_t)load->options.tick_ms * 1000000;
    load->last_answer_ns = xd_load_clock_ns();
    for (;;) {
        uint32_t any = 1;
        int64_t wait_ns = WAIT_NS;
        if (open) {
            int64_t due_ns = fill_open(load);
            if (due_ns < wait_ns) wait_ns = due_ns;
        } else {
            fill_closed(load);
        }
        xd_load_mend(load);
        send_queued(load);
        int64_t now_ns = xd_load_clock_ns();
        if (failed(load) || (load->stats->outstanding == 0 && !wants_more(load, now_ns, &any))) return;
        if (load->stats->outstanding == 0) load->last_answer_ns = now_ns;
        if (now_ns - load->last_answer_ns > ANSWER_PATIENCE_S * SECOND_NS + load->options.reconnect_ns)
            xd_load_fail(load, "timeout", "no answer for 30 seconds");
        wait_and_serve(load, wait_ns);
        tick(load, &next_tick_ns);
    }
}

/* Waits until everything was told that must be, and then for a quiet moment: events of the last orders may be
 * under way, and proposals that were just answered. */
static void settle(struct xd_load *load)
{
    enum { QUIET_NS = 200 * 1000 * 1000, STEP_NS = 20 * 1000 * 1000 };
    if (!load->options.watch) return;
    load->last_event_ns = xd_load_clock_ns();
    for (;;) {
        xd_load_mend(load);
        send_queued(load);
        int64_t now_ns = xd_load_clock_ns();
        if (!load->watch.client) load->last_event_ns = now_ns;
        int64_t quiet_ns = now_ns - load->last_event_ns;
        if (failed(load) || (xd_verify_settled(load->verify) && quiet_ns > QUIET_NS)) return;
        if (quiet_ns > EVENT_PATIENCE_S * SECOND_NS) return;
        wait_and_serve(load, STEP_NS);
    }
}

/* --- a run --- */

/* What came of a subscription. A position that the broker no longer has all from is a gap. */
static bool subscribed(struct xd_load *load, const xd_client_reply *reply)
{
    struct xd_str cursor;
    const msgpack_object *recovered = xd_mp_get(&reply->result, "recovered");
    if (reply->error.type != MSGPACK_OBJECT_NIL) return false;
    if (recovered && recovered->type == MSGPACK_OBJECT_BOOLEAN && !recovered->via.boolean)
        xd_verify_gap(load->verify);
    if (xd_mp_get_str(&reply->result, "cursor", &cursor) && cursor.len < sizeof load->cursor)
        snprintf(load->cursor, sizeof load->cursor, "%.*s", (int)cursor.len, cursor.at);
    return true;
}

bool xd_load_subscribe(struct xd_load *load)
{
    xd_client_reply reply;
    xd_buf_clear(&load->params);
    xd_mp_map(&load->params, 1);
    xd_mp_cstr(&load->params, "from");
    xd_mp_cstr(&load->params, load->cursor[0] ? load->cursor : "now");
    if (!xd_client_request(load->watch.client, "subscribe", load->params.data, load->params.len, &reply)) {
        if (xd_load_lost(load, &load->watch)) return true;
        xd_load_fail(load, "connection", xd_client_why(load->watch.client)->message);
        return false;
    }
    bool good = subscribed(load, &reply);
    bool later = !good && xd_load_retries(load, &reply.error) && xd_load_lost(load, &load->watch);
    if (!good && !later) xd_load_fail(load, "refused", "the broker refused the subscription to all events");
    xd_client_reply_free(&reply);
    return good || later;
}

static void measure(struct xd_load *load)
{
    load->setting_up = load->source->setup > 0;
    load->start_ns = xd_load_clock_ns();
    if (load->setting_up) pump(load);
    load->setting_up = false;
    if (failed(load)) return;
    load->start_ns = xd_load_clock_ns();
    pump(load);
    load->stats->seconds = (double)(load->last_answer_ns - load->start_ns) / 1e9;
    if (!failed(load)) settle(load);
}

bool xd_load_run(struct xd_load *load, const struct xd_source *source, xd_client_error *error)
{
    load->source = source;
    if (!load->options.watch || xd_load_subscribe(load)) measure(load);
    if (load->options.watch && !failed(load)) xd_verify_finish(load->verify);
    *error = load->error;
    return !failed(load);
}
