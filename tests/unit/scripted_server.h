/* A server for the tests of the client library: a thread that accepts connections on a port of the loopback
 * and does to each what the test wrote down, plain or over TLS. */
#ifndef XD_TESTS_UNIT_SCRIPTED_SERVER_H
#define XD_TESTS_UNIT_SCRIPTED_SERVER_H

#include "core/mp.h"

#include <openssl/ssl.h>
#include <pthread.h>

/* A connection, as its script sees it. */
struct peer {
    int fd;
    SSL *ssl; /* NULL: plain */
    struct xd_buf in;
    msgpack_zone *zone;
    bool lost; /* the other side has gone: reads and writes do nothing */
};

typedef void script_fn(struct peer *peer);

struct server {
    int listener;
    char url[64];
    script_fn *script;
    SSL_CTX *tls;
    int connections; /* how many to serve */
    pthread_t thread;
};

/* Serves `connections` connections, one after the other. `tls` NULL: plain. */
void server_start(struct server *server, script_fn *script, int connections, SSL_CTX *tls);

/* Waits until all have been served. */
void server_join(struct server *server);

/* The next message; nil when the connection is lost. Lives until the next one is read. */
msgpack_object peer_read(struct peer *peer);

/* The next message is a request: its msgid and its parameters' map (or nil). False when the connection is
 * lost. */
bool peer_request(struct peer *peer, uint32_t *id, msgpack_object *params);

void peer_write(struct peer *peer, const void *bytes, size_t len);

/* [1, id, nil, {"n": number}] and [1, id, {code, message, field}, nil], appended to `out`. */
void pack_result(struct xd_buf *out, uint32_t id, int64_t number);
void pack_refusal(struct xd_buf *out, uint32_t id, const char *code, const char *message, const char *field);

/* [2, method, [{"n": number, "code": code, "message": code}]] */
void pack_notification(struct xd_buf *out, const char *method, const char *code, int64_t number);

/* Reads hello and answers it. */
bool peer_hello(struct peer *peer);

#endif
