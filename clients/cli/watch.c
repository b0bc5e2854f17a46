/* crossdock watch: events as they come.
 *
 * With --durable a cursor is acknowledged only after its event has been written to stdout, one ack under way
 * at a time; the rest catches up with the next. */
#include "clients/cli/cli.h"
#include "clients/cli/view.h"
#include "core/pair.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { CURSOR_MAX = 1024, ACK_MAX = 2 * CURSOR_MAX };

struct watch {
    struct xd_cli *cli;
    int64_t printed;
    char cursor[CURSOR_MAX]; /* after the last event printed */
    bool unacked;            /* it has not been acknowledged */
    bool ack_under_way;
    enum xd_exit status; /* of a refused ack */
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_full(const struct watch *watch)
{
    return watch->cli->settings.count > 0 && watch->printed >= watch->cli->settings.count;
}

static void print_event(struct watch *watch, const msgpack_object *event)
{
    if (is_full(watch)) return;
    if (watch->cli->settings.json) {
        xd_cli_json(event);
    } else {
        xd_view_print_event(event);
        putchar('\n');
    }
    watch->printed++;
    struct xd_str cursor;
    if (xd_mp_get_str(event, "cursor", &cursor) && cursor.len < CURSOR_MAX) {
        snprintf(watch->cursor, CURSOR_MAX, "%.*s", (int)cursor.len, cursor.at);
        watch->unacked = true;
    }
    if (is_full(watch)) xd_client_stop(watch->cli->client);
}

/* What the broker has to say besides events, and that events were missed, is no event: it goes to stderr. */
static void print_notice(const struct watch *watch, const char *code, const char *message)
{
    if (watch->cli->settings.json)
        fprintf(stderr, "{\"notice\":{\"code\":\"%s\",\"message\":\"%s\"}}\n", code, message);
    else
        fprintf(stderr, "crossdock: %s (%s)\n", message, code);
}

static void on_notify(void *arg, const char *method, const msgpack_object *params)
{
    struct watch *watch = arg;
    if (strcmp(method, "event") == 0) print_event(watch, params);
    if (strcmp(method, "notice") != 0) return;
    struct xd_str code = {"", 0};
    xd_mp_get_str(params, "code", &code);
    if (xd_str_equal(code, xd_str_of("draining")))
        print_notice(watch, "draining", "the broker is shutting down");
}

static void pack_subscribe(const struct xd_cli *cli, struct xd_buf *params)
{
    const struct xd_cli_settings *settings = &cli->settings;
    const char *from = settings->all ? "start" : settings->from;
    xd_cli_params(cli, params, (uint32_t)(from[0] != '\0') + (settings->durable[0] != '\0'));
    if (from[0]) {
        xd_pair_cstr(params, "from", from);
    }
    if (settings->durable[0]) {
        xd_pair_cstr(params, "durable", settings->durable);
    }
}

static enum xd_exit subscribe(struct watch *watch)
{
    struct xd_buf params;
    xd_client_reply reply;
    pack_subscribe(watch->cli, &params);
    enum xd_exit status = xd_cli_ask(watch->cli, "subscribe", &params, &reply);
    xd_buf_free(&params);
    if (status != XD_EXIT_DONE) return status;
    const msgpack_object *recovered = xd_mp_get(&reply.result, "recovered");
    if (recovered && recovered->type == MSGPACK_OBJECT_BOOLEAN && !recovered->via.boolean)
        print_notice(watch, "not_recovered",
                     "older events are gone; see orders and matches for the present state");
    xd_client_reply_free(&reply);
    return XD_EXIT_DONE;
}

static void on_acked(void *arg, const msgpack_object *error, const msgpack_object *result)
{
    (void)result;
    struct watch *watch = arg;
    watch->ack_under_way = false;
    struct xd_str code = {"", 0};
    xd_mp_get_str(error, "code", &code);
    bool refused = error->type == MSGPACK_OBJECT_MAP && !xd_str_equal(code, xd_str_of("connection"));
    if (refused) watch->status = xd_cli_refused(watch->cli, error);
}

/* False if stdout took not all that was printed: then nothing is acknowledged. */
static bool write_and_ack(struct watch *watch)
{
    if (fflush(stdout) != 0 || ferror(stdout)) return false;
    if (!watch->cli->settings.durable[0] || !watch->unacked || watch->ack_under_way) return true;
    struct xd_buf params;
    xd_buf_init(&params, ACK_MAX);
    xd_mp_map(&params, 1);
    xd_pair_cstr(&params, "cursor", watch->cursor);
    watch->unacked = false;
    watch->ack_under_way =
        xd_client_call(watch->cli->client, "ack", params.data, params.len, on_acked, watch);
    xd_buf_free(&params);
    return true;
}

/* How long to wait for the next message, -1 for ever; 0 once the idle time is over. */
static int patience(const struct watch *watch, int64_t last_event)
{
    int64_t idle = watch->cli->settings.idle_ms;
    if (idle == 0) return -1;
    int64_t left = last_event + idle - now_ms();
    return left > 0 ? (int)left : 0;
}

/* Events until the count, the idle time or the connection's end. */
static enum xd_exit follow(struct watch *watch)
{
    int64_t last_event = now_ms(), printed = 0;
    while (!is_full(watch) && watch->status == XD_EXIT_DONE) {
        int wait = patience(watch, last_event);
        int taken = xd_client_run(watch->cli->client, wait);
        if (!write_and_ack(watch)) return XD_EXIT_REFUSED;
        if (taken < 0) return xd_cli_lost(watch->cli);
        if (watch->printed > printed) last_event = now_ms();
        if (watch->printed == printed && wait == 0) break;
        printed = watch->printed;
    }
    return watch->status;
}

/* What was printed last is acknowledged before the end. */
static enum xd_exit settle(struct watch *watch)
{
    while (watch->status == XD_EXIT_DONE && (watch->ack_under_way || watch->unacked)) {
        bool durable = watch->cli->settings.durable[0] != '\0';
        if (!durable) break;
        if (!write_and_ack(watch)) return XD_EXIT_REFUSED;
        if (xd_client_run(watch->cli->client, -1) < 0) return xd_cli_lost(watch->cli);
    }
    return watch->status;
}

enum xd_exit xd_cli_watch(struct xd_cli *cli)
{
    struct watch watch = {.cli = cli};
    if (cli->settings.all && cli->settings.from[0])
        return xd_cli_usage(cli, "watch", "--from and --all do not go together");
    enum xd_exit status = xd_cli_connect(cli, on_notify, &watch);
    if (status == XD_EXIT_DONE) status = subscribe(&watch);
    if (status == XD_EXIT_DONE) status = follow(&watch);
    if (status == XD_EXIT_DONE) status = settle(&watch);
    return status;
}
