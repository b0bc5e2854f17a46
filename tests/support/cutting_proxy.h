/* A TCP proxy on the test's own event base that loses answers: what was asked is carried out, and the
 * connection breaks instead of saying so. */
#ifndef XD_TESTS_SUPPORT_CUTTING_PROXY_H
#define XD_TESTS_SUPPORT_CUTTING_PROXY_H

struct event_base;
struct proxy_pair;

struct cutting_proxy {
    struct event_base *base;
    int port;           /* its own */
    int to;             /* the server's */
    unsigned cut_every; /* every so many answers; 0: none */
    unsigned answers, cuts;
    struct evconnlistener *listener;
    struct proxy_pair *pairs; /* of connections */
};

void cutting_proxy_start(struct cutting_proxy *proxy);
void cutting_proxy_stop(struct cutting_proxy *proxy);

#endif
