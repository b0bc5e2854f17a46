/* A client of a scripted server, and what it was told. */
#ifndef XD_TESTS_UNIT_CLIENT_RIG_H
#define XD_TESTS_UNIT_CLIENT_RIG_H

#include "clients/lib/client.h"
#include "scripted_server.h"

/* As account acme, by a timeout of 5 s. Fails the test where there is no connection. */
xd_client *connect_to(const struct server *server, xd_client_notify_fn *notify, void *arg);

/* How calls ended: with a result, a refusal or the connection; `sum` is of the results' n. */
struct tally {
    int64_t answered, refused, lost, sum;
    xd_client *client;
};
void count_reply(void *arg, const msgpack_object *error, const msgpack_object *result);

/* What was told without a call; `stop`: the client is stopped at each. */
struct heard {
    int64_t events, others, sum;
    xd_client **client;
    bool stop;
};
void hear(void *arg, const char *method, const msgpack_object *params);

#endif
