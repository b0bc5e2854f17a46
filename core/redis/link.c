#include "core/redis/link.h"

#include "core/redis/tls.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REASON_TEXT = 160, COMMAND_COST = 64, LOOKS = 4 /* in a time-out */ };

struct pending {
    struct pending *next;
    xd_redis_reply_cb *callback;
    void *arg;
    size_t cost;
    uint64_t look; /* link->looks when it was sent */
};

enum stage { CONNECTING, GREETING, READY, DOWN };

struct xd_redis_link {
    struct xd_redis_link_config config;
    struct xd_redis_link_events events;
    uint32_t look_ms, patience_ms;
    enum stage stage;
    bool listening;     /* answers that nobody waits for are pushes */
    bool silent;        /* closed by its owner: `down` is not told */
    unsigned inside;    /* calls of ours on the stack, which free the link when the last returns */
    unsigned greetings; /* answers awaited */
    SSL *session;       /* belongs to the connection */
    struct bufferevent *connection;
    redisReader *reader;
    struct event *watch; /* looks whether the oldest command is overdue */
    struct pending *first, *last;
    size_t outstanding;
    uint64_t looks, heard; /* how many there were; how many when bytes came last */
    char why[REASON_TEXT];
};

/* --- the end -------------------------------------------------------------------------------------------- */

static void destroy(struct xd_redis_link *link)
{
    if (link->connection) bufferevent_free(link->connection);
    if (link->reader) redisReaderFree(link->reader);
    if (link->watch) event_free(link->watch);
    free(link);
}

/* What every entry from the event loop ends with: the link is freed here and nowhere else. */
static void leave(struct xd_redis_link *link)
{
    if (--link->inside > 0 || link->stage != DOWN) return;
    struct xd_redis_link_events events = link->events;
    bool silent = link->silent;
    char why[REASON_TEXT];
    memcpy(why, link->why, sizeof why);
    destroy(link);
    if (!silent) events.down(events.arg, why);
}

static void go_down(struct xd_redis_link *link, const char *why)
{
    if (link->stage == DOWN) return;
    link->stage = DOWN;
    snprintf(link->why, sizeof link->why, "%s", why);
    bufferevent_disable(link->connection, EV_READ | EV_WRITE);
    event_del(link->watch);
    while (link->first) {
        struct pending *pending = link->first;
        redisReply *none = NULL;
        link->first = pending->next;
        if (pending->callback) pending->callback(pending->arg, &none);
        free(pending);
    }
}

void xd_redis_link_close(struct xd_redis_link *link)
{
    link->inside++;
    link->silent = true;
    go_down(link, "closed");
    leave(link);
}

/* --- answers -------------------------------------------------------------------------------------------- */

static void answer(struct xd_redis_link *link, redisReply *reply)
{
    struct pending *pending = link->first;
    if (!pending && link->listening) {
        link->events.push(link->events.arg, reply);
        freeReplyObject(reply);
        return;
    }
    if (!pending) {
        freeReplyObject(reply);
        go_down(link, "an answer that nobody asked for");
        return;
    }
    link->first = pending->next;
    link->outstanding -= pending->cost;
    if (pending->callback) pending->callback(pending->arg, &reply);
    if (reply) freeReplyObject(reply);
    free(pending);
}

static void take_answers(struct xd_redis_link *link)
{
    while (link->stage != DOWN) {
        void *reply = NULL;
        if (redisReaderGetReply(link->reader, &reply) != REDIS_OK) {
            go_down(link, link->reader->errstr);
            return;
        }
        if (!reply) return;
        answer(link, reply);
    }
}

static void on_read(struct bufferevent *connection, void *arg)
{
    struct xd_redis_link *link = arg;
    struct evbuffer *input = bufferevent_get_input(connection);
    link->inside++;
    link->heard = link->looks;
    while (link->stage != DOWN && evbuffer_get_length(input) > 0) {
        size_t len = evbuffer_get_contiguous_space(input);
        const unsigned char *bytes = evbuffer_pullup(input, (ev_ssize_t)len);
        bool fed = bytes && redisReaderFeed(link->reader, (const char *)bytes, len) == REDIS_OK;
        evbuffer_drain(input, len);
        if (!fed)
            go_down(link, "no memory for an answer");
        else
            take_answers(link);
    }
    leave(link);
}

/* --- greeting ------------------------------------------------------------------------------------------- */

/* What ROLE answers: ["master", ...]. */
static bool is_master(const redisReply *role)
{
    return role->type == REDIS_REPLY_ARRAY && role->elements > 0 &&
           role->element[0]->type == REDIS_REPLY_STRING && strcmp(role->element[0]->str, "master") == 0;
}

static void greeted(void *arg, redisReply **reply)
{
    struct xd_redis_link *link = arg;
    if (!*reply) return;
    if ((*reply)->type == REDIS_REPLY_ERROR) {
        char why[REASON_TEXT];
        snprintf(why, sizeof why, "refused: %s", (*reply)->str);
        go_down(link, why);
        return;
    }
    if (--link->greetings > 0) return;
    if (link->config.master_only && !is_master(*reply)) {
        go_down(link, "not a master");
        return;
    }
    link->stage = READY;
    link->events.ready(link->events.arg);
}

static enum xd_code put(struct xd_redis_link *link, const char *command, size_t len,
                        xd_redis_reply_cb *callback, void *arg)
{
    struct pending *pending = malloc(sizeof *pending);
    if (!pending) return XD_NO_MEMORY;
    if (bufferevent_write(link->connection, command, len) != 0) {
        free(pending);
        return XD_NO_MEMORY;
    }
    *pending =
        (struct pending){.callback = callback, .arg = arg, .cost = len + COMMAND_COST, .look = link->looks};
    *(link->first ? &link->last->next : &link->first) = pending;
    link->last = pending;
    link->outstanding += pending->cost;
    return XD_OK;
}

static bool greet_with(struct xd_redis_link *link, int argc, const char **argv)
{
    char *command = NULL;
    int len = redisFormatCommandArgv(&command, argc, argv, NULL);
    bool sent = len > 0 && put(link, command, (size_t)len, greeted, link) == XD_OK;
    if (len > 0) redisFreeCommand(command);
    if (sent) link->greetings++;
    return sent;
}

/* Always asks something, so that the answer shows that the server is there and takes commands. */
static void greet(struct xd_redis_link *link)
{
    const struct xd_redis_link_config *config = &link->config;
    char db[16];
    snprintf(db, sizeof db, "%u", config->db);
    const char *user[] = {"AUTH", config->user, config->password};
    const char *password[] = {"AUTH", config->password};
    const char *select[] = {"SELECT", db};
    const char *last[] = {config->master_only ? "ROLE" : "PING"};
    bool sent = true;
    link->stage = GREETING;
    if (*config->user)
        sent = greet_with(link, 3, user);
    else if (*config->password)
        sent = greet_with(link, 2, password);
    if (sent && config->db > 0) sent = greet_with(link, 2, select);
    sent = sent && greet_with(link, 1, last);
    if (!sent) go_down(link, "no memory to greet");
}

static void on_event(struct bufferevent *connection, short what, void *arg)
{
    struct xd_redis_link *link = arg;
    link->inside++;
    if (what & BEV_EVENT_CONNECTED) {
        int on = 1;
        setsockopt(bufferevent_getfd(connection), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        greet(link);
    } else if (link->session && (what & BEV_EVENT_ERROR) && link->stage == CONNECTING) {
        int dns = bufferevent_socket_get_dns_error(connection);
        int socket_error = EVUTIL_SOCKET_ERROR();
        unsigned long code = bufferevent_get_openssl_error(connection);
        go_down(link, dns    ? evutil_gai_strerror(dns)
                      : code ? xd_redis_tls_problem(link->session, code)
                             : evutil_socket_error_to_string(socket_error));
    } else if (what & BEV_EVENT_ERROR) {
        int dns = bufferevent_socket_get_dns_error(connection);
        go_down(link, dns ? evutil_gai_strerror(dns) : evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
    } else if (what & BEV_EVENT_EOF) {
        go_down(link, "closed by the server");
    }
    leave(link);
}

/* Whether that much time has passed since then. It is counted in looks, of which a process that was busy or
 * stopped for long makes but one: its own silence is not the server's. */
static bool is_over(const struct xd_redis_link *link, uint64_t look, uint32_t ms)
{
    return link->looks - look > ms / link->look_ms + 1;
}

static void on_watch(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct xd_redis_link *link = arg;
    uint32_t timeout_ms = link->config.timeout_ms;
    link->looks++;
    link->inside++;
    if (link->stage != READY && is_over(link, 0, timeout_ms)) {
        go_down(link, "not connected in time");
    } else if (link->first) {
        uint64_t since = link->first->look > link->heard ? link->first->look : link->heard;
        if (is_over(link, since, timeout_ms + link->patience_ms)) go_down(link, "no answer in time");
    }
    leave(link);
}

/* --- opening -------------------------------------------------------------------------------------------- */

static struct bufferevent *new_connection(struct xd_redis_link *link, const struct xd_redis_host *host)
{
    struct event_base *base = link->config.base;
    int options = BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS;
    if (!link->config.tls) return bufferevent_socket_new(base, -1, options);
    link->session = xd_redis_tls_session(link->config.tls, host->name);
    if (!link->session) return NULL;
    struct bufferevent *connection =
        bufferevent_openssl_socket_new(base, -1, link->session, BUFFEREVENT_SSL_CONNECTING, options);
    if (connection) bufferevent_openssl_set_allow_dirty_shutdown(connection, 1);
    return connection;
}

static bool begin(struct xd_redis_link *link, const struct xd_redis_host *host)
{
    link->look_ms = link->config.timeout_ms / LOOKS + 1;
    const struct timeval look = {.tv_sec = link->look_ms / 1000,
                                 .tv_usec = (suseconds_t)(link->look_ms % 1000) * 1000};
    link->reader = redisReaderCreate();
    link->watch = event_new(link->config.base, -1, EV_PERSIST, on_watch, link);
    link->connection = new_connection(link, host);
    if (!link->reader || !link->watch || !link->connection || event_add(link->watch, &look) != 0)
        return false;
    bufferevent_setcb(link->connection, on_read, NULL, on_event, link);
    return bufferevent_enable(link->connection, EV_READ | EV_WRITE) == 0 &&
           bufferevent_socket_connect_hostname(link->connection, link->config.dns, AF_UNSPEC, host->name,
                                               host->port) == 0;
}

struct xd_redis_link *xd_redis_link_open(const struct xd_redis_link_config *config,
                                         const struct xd_redis_host *host, uint32_t patience_ms,
                                         const struct xd_redis_link_events *events)
{
    struct xd_redis_link *link = calloc(1, sizeof *link);
    if (!link) return NULL;
    link->config = *config;
    link->events = *events;
    link->patience_ms = patience_ms;
    if (begin(link, host)) return link;
    destroy(link);
    return NULL;
}

bool xd_redis_link_ready(const struct xd_redis_link *link)
{
    return link->stage == READY;
}

enum xd_code xd_redis_link_send(struct xd_redis_link *link, const char *command, size_t len,
                                xd_redis_reply_cb *callback, void *arg)
{
    if (link->stage != READY) return XD_STORAGE_FAILED;
    if (link->outstanding > 0 && link->outstanding + len > link->config.limit) return XD_OVERLOADED;
    return put(link, command, len, callback, arg);
}

enum xd_code xd_redis_link_listen(struct xd_redis_link *link, const char *command, size_t len)
{
    if (link->stage != READY) return XD_STORAGE_FAILED;
    link->listening = link->events.push != NULL;
    if (evbuffer_get_length(bufferevent_get_output(link->connection)) + len > link->config.limit)
        return XD_OVERLOADED;
    return bufferevent_write(link->connection, command, len) == 0 ? XD_OK : XD_NO_MEMORY;
}
