#include "tests/support/cutting_proxy.h"
#include "tests/ledger/cmocka_all.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <stdlib.h>

struct proxy_pair {
    struct proxy_pair *next, **self;
    struct cutting_proxy *proxy;
    struct bufferevent *client, *server;
};

static void end(struct proxy_pair *pair)
{
    *pair->self = pair->next;
    if (pair->next) pair->next->self = pair->self;
    bufferevent_free(pair->client);
    bufferevent_free(pair->server);
    free(pair);
}

static void on_request(struct bufferevent *client, void *arg)
{
    struct proxy_pair *pair = arg;
    bufferevent_write_buffer(pair->server, bufferevent_get_input(client));
}

static void on_answer(struct bufferevent *server, void *arg)
{
    struct proxy_pair *pair = arg;
    struct cutting_proxy *proxy = pair->proxy;
    if (proxy->cut_every && ++proxy->answers % proxy->cut_every == 0) {
        proxy->cuts++;
        end(pair);
        return;
    }
    bufferevent_write_buffer(pair->client, bufferevent_get_input(server));
}

static void on_end(struct bufferevent *either, short what, void *arg)
{
    (void)either;
    if (!(what & BEV_EVENT_CONNECTED)) end(arg);
}

static void on_client(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from, int len,
                      void *arg)
{
    (void)listener, (void)from, (void)len;
    struct cutting_proxy *proxy = arg;
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)proxy->to),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct proxy_pair *pair = calloc(1, sizeof *pair);
    assert_non_null(pair);
    pair->proxy = proxy;
    pair->next = proxy->pairs;
    pair->self = &proxy->pairs;
    if (pair->next) pair->next->self = &pair->next;
    proxy->pairs = pair;
    pair->client = bufferevent_socket_new(proxy->base, fd, BEV_OPT_CLOSE_ON_FREE);
    pair->server = bufferevent_socket_new(proxy->base, -1, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(pair->client, on_request, NULL, on_end, pair);
    bufferevent_setcb(pair->server, on_answer, NULL, on_end, pair);
    bufferevent_enable(pair->client, EV_READ | EV_WRITE);
    bufferevent_enable(pair->server, EV_READ | EV_WRITE);
    assert_int_equal(bufferevent_socket_connect(pair->server, (struct sockaddr *)&to, sizeof to), 0);
}

void cutting_proxy_start(struct cutting_proxy *proxy)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof own;
    proxy->listener = evconnlistener_new_bind(proxy->base, on_client, proxy, LEV_OPT_CLOSE_ON_FREE, 16,
                                              (struct sockaddr *)&own, sizeof own);
    assert_non_null(proxy->listener);
    getsockname(evconnlistener_get_fd(proxy->listener), (struct sockaddr *)&own, &len);
    proxy->port = ntohs(own.sin_port);
}

void cutting_proxy_stop(struct cutting_proxy *proxy)
{
    while (proxy->pairs)
        end(proxy->pairs);
    evconnlistener_free(proxy->listener);
}
