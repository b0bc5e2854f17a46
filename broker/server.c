#include "broker/server.h"

#include "broker/acceptor.h"
#include "broker/session.h"
#include "broker/inquiry.h"
#include "core/cluster/cluster.h"
#include "core/decimal.h"
#include "core/ledger/ledger_redis.h"
#include "core/ledger/ledger_sqlite.h"
#include "matcher/owner.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

enum { SCRATCH_MAX = 32 << 20, RECORD_MAX = 1 << 20, ZONE_CHUNK = 64 << 10 };

/* How long a connection may take to be read to its end while draining. */
enum { DRAIN_FLUSH_MS = 2000 };

enum { SNAPSHOT_RETRY_MS = 50 };

enum stage { STARTING, SERVING, FINISHING, CLOSING, SAVING, STOPPED };

struct xd_server {
    struct xd_broker broker;
    enum stage stage;
    bool settled; /* while FINISHING: all that was submitted is durable and was told */
    struct xd_acceptor *acceptor;
    struct event *drain_timer;
    struct event *begin; /* activated once, in a cluster, where nothing else is waited for */
    struct event *end; /* activated once, so that `stopped` is called from outside of everything */
    bool well;
    void (*stopped)(void *arg, bool well);
    void *arg;
};

static void stop(struct xd_server *server, bool well)
{
    if (server->stage == STOPPED) return;
    server->stage = STOPPED;
    server->well = well;
    event_del(server->drain_timer);
    event_active(server->end, 0, 0);
}

static void on_end(evutil_socket_t socket, short what, void *arg)
{
    (void)socket, (void)what;
    struct xd_server *server = arg;
    server->stopped(server->arg, server->well);
}

/* --- the end --- */

static void close_sessions(struct xd_server *server, int64_t flush_ms)
{
    for (struct xd_session *one = server->broker.sessions; one; one = one->next)
        xd_session_close(one, flush_ms, "draining");
}

/* One that the owner began by itself may be under way; then it is waited for. */
static void on_snapshot(void *arg, enum xd_code code)
{
    struct xd_server *server = arg;
    const struct timeval wait = {.tv_usec = SNAPSHOT_RETRY_MS * 1000L};
    if (code == XD_OVERLOADED) {
        event_add(server->drain_timer, &wait);
        return;
    }
    xd_log(server->broker.log, code == XD_OK ? XD_LOG_INFO : XD_LOG_WARNING, "snapshot",
           xd_log_text("result", xd_code_name(code)));
    stop(server, true);
}

/* Takes the next step of a drain as soon as the one before is done. */
static void go_on(struct xd_server *server)
{
    struct xd_broker *broker = &server->broker;
    if (server->stage == FINISHING && server->settled && broker->outstanding == 0) {
        server->stage = CLOSING;
        close_sessions(server, DRAIN_FLUSH_MS);
    }
    if (server->stage == CLOSING && broker->session_count == 0) {
        server->stage = SAVING;
        event_del(server->drain_timer);
        if (broker->owning)
            xd_owner_snapshot(broker->owner, on_snapshot, server);
        else
            stop(server, true);
    }
}

static void on_settled(void *arg, enum xd_code code)
{
    (void)code;
    struct xd_server *server = arg;
    server->settled = true;
    go_on(server);
}

static void on_drain_timer(evutil_socket_t socket, short what, void *arg)
{
    (void)socket, (void)what;
    struct xd_server *server = arg;
    if (server->stage == SAVING && server->broker.owning) {
        xd_owner_snapshot(server->broker.owner, on_snapshot, server);
        return;
    }
    if (server->stage == SAVING) { /* lost meanwhile: what is to be kept is in the log */
        stop(server, true);
        return;
    }
    xd_log(server->broker.log, XD_LOG_WARNING, "drain_timeout",
           xd_log_number("sessions", (int64_t)server->broker.session_count),
           xd_log_number("outstanding", (int64_t)server->broker.outstanding));
    server->stage = CLOSING;
    close_sessions(server, 0);
    go_on(server);
}

void xd_server_drain(struct xd_server *server)
{
    struct xd_broker *broker = &server->broker;
    int64_t ms = broker->settings->drain_timeout_ms;
    const struct timeval limit = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
    if (server->stage >= FINISHING) return;
    xd_log(broker->log, XD_LOG_INFO, "draining", xd_log_number("sessions", (int64_t)broker->session_count),
           xd_log_number("outstanding", (int64_t)broker->outstanding));
    server->stage = FINISHING;
    broker->draining = true;
    xd_acceptor_close(server->acceptor);
    server->acceptor = NULL;
    for (struct xd_session *one = broker->sessions; one; one = one->next)
        xd_session_notice(one, XD_DRAINING, xd_code_meaning(XD_DRAINING));
    event_add(server->drain_timer, &limit);
    xd_ledger_settle(broker->ledger, on_settled, server);
}

static void on_changed(void *arg)
{
    struct xd_server *server = arg;
    if (server->acceptor) xd_acceptor_room(server->acceptor);
    if (server->broker.draining) go_on(server);
}

/* --- the start --- */

static void serve(struct xd_server *server)
{
    char address[XD_ADDRESS_TEXT];
    struct xd_error error;
    if (!xd_acceptor_listen(server->acceptor, &error)) {
        xd_log(server->broker.log, XD_LOG_ERROR, "failed", xd_log_text("why", error.message));
        stop(server, false);
        return;
    }
    server->stage = SERVING;
    xd_acceptor_address(server->acceptor, address);
    xd_log(server->broker.log, XD_LOG_INFO, "ready", xd_log_text("listen", address));
}

static void on_owner(void *arg, bool owning, enum xd_code code)
{
    struct xd_server *server = arg;
    server->broker.owning = owning;
    server->broker.owner_state = code;
    if (!owning)
        xd_log(server->broker.log, server->broker.draining ? XD_LOG_DEBUG : XD_LOG_WARNING, "not_owning",
               xd_log_number("partition", 0), xd_log_text("code", xd_code_name(code)));
    else if (server->stage == STARTING)
        serve(server);
    else
        xd_log(server->broker.log, XD_LOG_INFO, "owning", xd_log_number("partition", 0));
}

static void on_differs(void *arg, uint64_t records, uint64_t events, uint64_t committed)
{
    const struct xd_server *server = arg;
    xd_log(server->broker.log, XD_LOG_ERROR, "replay_differs", xd_log_number("partition", 0),
           xd_log_number("records", (int64_t)records), xd_log_number("events", (int64_t)events),
           xd_log_number("committed_events", (int64_t)committed));
}

static void on_begin(evutil_socket_t socket, short what, void *arg)
{
    (void)socket, (void)what;
    struct xd_server *server = arg;
    if (server->stage == STARTING) serve(server);
}

static bool open_transport(struct xd_broker *broker, struct xd_error *error)
{
    const struct xd_settings *settings = broker->settings;
    const char *client_ca = xd_settings_authenticated(settings) ? settings->tls_client_ca : NULL;
    if (*settings->tls_cert)
        return xd_transport_tls(settings->tls_cert, settings->tls_key, client_ca, &broker->transport, error);
    broker->transport = xd_transport_plain();
    return true;
}

/* A clock that is moved by hand begins where the ledger's records end; where there are none, now. */
static void set_clock(struct xd_broker *broker)
{
    if (!broker->clock.by_hand) return;
    int64_t last = xd_ledger_now_ms(broker->ledger);
    broker->clock.now_ms = last > 0 ? last : xd_clock_real_ms() / 1000 * 1000;
}

static struct xd_market market_of(const struct xd_settings *settings)
{
    return (struct xd_market){.currency = xd_currency(settings->currency, strlen(settings->currency)),
                              .road_factor_e4 = (int32_t)settings->road_factor_e4};
}

/* A front, where a cluster has been initialised in that Redis; else a broker that does it all. */
static bool find_cluster(struct xd_broker *broker, struct xd_error *error)
{
    const struct xd_settings *settings = broker->settings;
    const struct xd_cluster_options options = {.url = settings->redis,
                                               .tls_ca = settings->redis_tls_ca,
                                               .tls_cert = settings->redis_tls_cert,
                                               .tls_key = settings->redis_tls_key,
                                               .timeout_ms = (uint32_t)settings->redis_timeout_ms};
    broker->cluster = xd_cluster_open(broker->base, &options, error);
    if (!broker->cluster) return false;
    const struct xd_cluster_layout *layout = xd_cluster_layout(broker->cluster);
    if (!layout) {
        xd_cluster_close(broker->cluster);
        broker->cluster = NULL;
        return true;
    }
    if (settings->test_clock)
        return xd_fail(error, XD_BAD_VALUE, "test-clock", "--test-clock is not for a cluster: Redis' clock stamps records");
    broker->layout = &layout->ranges;
    broker->partitions = xd_cluster_partitions(layout);
    return true;
}

static bool open_redis(struct xd_broker *broker, struct xd_error *error)
{
    const struct xd_settings *settings = broker->settings;
    struct xd_redis_ledger_options options = xd_settings_redis(settings);
    if (!find_cluster(broker, error)) return false;
    options.market = broker->cluster ? xd_cluster_layout(broker->cluster)->market : market_of(settings);
    options.market_given = xd_settings_market_given(settings);
    options.partitions = broker->partitions;
    options.clock_ms = settings->test_clock ? xd_clock_ms : NULL;
    options.clock_arg = &broker->clock;
    broker->ledger = xd_ledger_open_redis(broker->base, &options, error);
    if (broker->ledger) broker->market = xd_ledger_redis_market(broker->ledger);
    return broker->ledger != NULL;
}

static bool open_sqlite(struct xd_broker *broker, struct xd_error *error)
{
    const struct xd_settings *settings = broker->settings;
    const struct xd_sqlite_options options = {
        .directory = settings->data,
        .market = market_of(settings),
        .market_given = xd_settings_market_given(settings),
        .keep_log = settings->keep_log,
        .event_retention_s = (settings->retain_events_ms + 999) / 1000,
        .backlog_limit = (size_t)settings->backlog,
        .clock_ms = xd_clock_ms,
        .clock_arg = &broker->clock,
    };
    broker->ledger = xd_ledger_open_sqlite(broker->base, &options, error);
    if (broker->ledger) broker->market = xd_ledger_market(broker->ledger);
    return broker->ledger != NULL;
}

static bool open_ledger(struct xd_broker *broker, struct xd_error *error)
{
    const struct xd_settings *settings = broker->settings;
    broker->clock.by_hand = settings->test_clock;
    if (!(*settings->redis ? open_redis(broker, error) : open_sqlite(broker, error))) return false;
    set_clock(broker);
    return true;
}

static bool start_parts(struct xd_server *server, struct xd_error *error)
{
    struct xd_broker *broker = &server->broker;
    const struct xd_owner_options owner = {
        .engine = {.partition = 0,
                   .market = broker->market,
                   .max_orders = (uint32_t)broker->settings->max_orders},
        .snapshot_every = (uint64_t)broker->settings->snapshot_every,
        .rebuild = broker->settings->rebuild,
        .changed = on_owner,
        .differs = on_differs,
        .arg = server,
    };
    broker->feed = xd_feed_create(broker, (size_t)broker->settings->max_connections);
    broker->inquiries = xd_inquiries_create(broker);
    if (!broker->feed || !broker->inquiries) return xd_fail(error, XD_NO_MEMORY, NULL, "no memory for the broker");
    if (broker->cluster) {
        event_active(server->begin, 0, 0);
        return true;
    }
    broker->owner = xd_owner_start(broker->base, broker->ledger, &owner);
    return broker->owner || xd_fail(error, XD_NO_MEMORY, NULL, "no memory for the engine");
}

static void announce(const struct xd_server *server)
{
    const struct xd_broker *broker = &server->broker;
    const struct xd_settings *settings = broker->settings;
    bool authenticated = xd_settings_authenticated(settings);
    char currency[4], road_factor[32];
    xd_currency_format(broker->market.currency, currency);
    xd_decimal_format(broker->market.road_factor_e4, 4, road_factor);
    xd_log(broker->log, XD_LOG_INFO, "starting", xd_log_text("version", XD_VERSION),
           xd_log_text("listen", settings->listen), xd_log_text("transport", broker->transport.ops->name),
           xd_log_text("data", broker->cluster ? "cluster" : *settings->redis ? "redis" : settings->data),
           xd_log_number("partitions", broker->partitions),
           xd_log_text("durability", *settings->redis ? settings->durability_text
                                                      : xd_durability_name(XD_DURABILITY_FSYNCED)),
           xd_log_text("authentication", authenticated ? "client-certificates" : "none"),
           xd_log_text("currency", currency), xd_log_text("road_factor", road_factor));
    if (!authenticated)
        xd_log(broker->log, XD_LOG_WARNING, "no_authentication",
               xd_log_text("note",
                           "clients are taken at their word who they are; only loopback is listened on"));
    if (broker->clock.by_hand)
        xd_log(broker->log, XD_LOG_WARNING, "test_clock",
               xd_log_text("note", "time stands still until the method 'clock' moves it"));
}

static bool make_events(struct xd_server *server, struct xd_error *error)
{
    server->drain_timer = event_new(server->broker.base, -1, 0, on_drain_timer, server);
    server->end = event_new(server->broker.base, -1, 0, on_end, server);
    server->begin = event_new(server->broker.base, -1, 0, on_begin, server);
    if (server->drain_timer && server->end && server->begin && msgpack_zone_init(&server->broker.zone, ZONE_CHUNK))
        return true;
    return xd_fail(error, XD_NO_MEMORY, NULL, "no memory for the broker");
}

struct xd_server *xd_server_start(const struct xd_settings *settings, const struct xd_log *log,
                                  struct event_base *base, void (*stopped)(void *arg, bool well), void *arg,
                                  struct xd_error *error)
{
    struct xd_server *server = calloc(1, sizeof(*server));
    if (!server) {
        xd_fail(error, XD_NO_MEMORY, NULL, "no memory for the broker");
        return NULL;
    }
    server->stopped = stopped;
    server->arg = arg;
    struct xd_broker *broker = &server->broker;
    broker->settings = settings;
    broker->log = log;
    broker->base = base;
    broker->changed = on_changed;
    broker->changed_arg = server;
    broker->partitions = 1;
    xd_buf_init(&broker->scratch, SCRATCH_MAX);
    xd_buf_init(&broker->record, RECORD_MAX);
    bool opened = make_events(server, error) && open_transport(broker, error) &&
                  (server->acceptor = xd_acceptor_bind(broker, error)) != NULL &&
                  open_ledger(broker, error) && start_parts(server, error);
    if (!opened) {
        xd_server_destroy(server);
        return NULL;
    }
    announce(server);
    return server;
}

/* The feed goes last: the ledger may still call it back while it closes. */
static void close_ledger(struct xd_broker *broker)
{
    if (broker->owner) xd_owner_stop(broker->owner);
    broker->owner = NULL;
    if (broker->ledger) xd_ledger_close(broker->ledger);
    xd_inquiries_destroy(broker->inquiries);
    xd_cluster_close(broker->cluster);
    xd_feed_destroy(broker->feed);
}

void xd_server_destroy(struct xd_server *server)
{
    if (!server) return;
    struct xd_broker *broker = &server->broker;
    server->stage = STOPPED;
    xd_acceptor_close(server->acceptor);
    close_ledger(broker);
    xd_transport_destroy(&broker->transport);
    msgpack_zone_destroy(&broker->zone);
    xd_buf_free(&broker->scratch);
    xd_buf_free(&broker->record);
    if (server->drain_timer) event_free(server->drain_timer);
    if (server->begin) event_free(server->begin);
    if (server->end) event_free(server->end);
    free(server);
}
