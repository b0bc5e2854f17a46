/* libcrossdock: a client of the Crossdock broker in C.
 *
 * One xd_client is one connection, used from one thread at a time. Calls are pipelined: xd_client_call queues
 * a request and returns, xd_client_run sends, receives, and calls back. The blocking helpers at the end are
 * made of the two.
 *
 *     xd_client_options options = {.url = "tcp://127.0.0.1:7400", .account = "acme"};
 *     xd_client_error error;
 *     xd_client *client = xd_client_connect(&options, &error);
 *     if (!client)
 *         return fail(error.message);
 *     xd_client_reply reply;
 *     if (xd_client_request(client, "cancel", params, params_len, &reply))  // params: one msgpack map
 *         ...reply.error or reply.result...
 *     xd_client_reply_free(&reply);
 *     xd_client_close(client);
 *
 * Ownership: bytes given to a call are copied before it returns. Objects given to a callback live until it
 * returns. What a blocking helper fills in is freed with its _free function. Parameters and results are
 * msgpack-c objects, as docs/PROTOCOL.md names them.
 *
 * Callbacks are called only from within xd_client_run, xd_client_request and xd_client_close, and never
 * inside each other. In a callback xd_client_call and xd_client_stop may be used; xd_client_run does nothing
 * and returns 0, xd_client_request returns false; xd_client_close takes effect when the call that is under
 * way returns (run with -1, request with false), and the client must not be used after it.
 *
 * Limits: 64 MiB not yet sent, 1,048,576 calls without an answer, 16 MiB a message from the broker. The
 * library raises no SIGPIPE, prints nothing and never exits. */
#ifndef CROSSDOCK_H
#define CROSSDOCK_H

#include <msgpack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define XD_CLIENT_API __attribute__((visibility("default")))

typedef struct xd_client xd_client;

/* Why something could not be done. `code` is the broker's where it refused ("out_of_range") or said why it
 * closes ("slow_consumer"), else "connection", "tls", "url", "no_memory", "protocol" (what was sent is not
 * what docs/PROTOCOL.md says, or a call from within a callback) or "timeout". */
typedef struct {
    char code[32];
    char field[80];
    char message[320];
} xd_client_error;

/* An event or notice from the broker: the notification's method ("event", "notice") and its map. */
typedef void xd_client_notify_fn(void *arg, const char *method, const msgpack_object *params);

/* The answer to a call: `error` (nil, or the map {code, message, field}) and `result`. Called once for each
 * call, with error code "connection" when the connection ended first. */
typedef void xd_client_reply_fn(void *arg, const msgpack_object *error, const msgpack_object *result);

typedef struct {
    const char *url;             /* tcp://host:port or tls://host:port; NULL: tcp://127.0.0.1:7400 */
    const char *account;         /* for hello; NULL: none (the certificate says) */
    const char *tls_ca;          /* PEM file of CAs; NULL: the system's */
    const char *tls_cert;        /* PEM file of the client's certificate, or NULL */
    const char *tls_key;         /* PEM file of its key, or NULL */
    bool tls_insecure;           /* do not verify the broker: for experiments only */
    int timeout_ms;              /* for connecting and for the blocking helpers; 0: 10000; negative: none */
    xd_client_notify_fn *notify; /* or NULL */
    void *notify_arg;
} xd_client_options;

/* Connects, says hello and waits for its answer. NULL and *error if that fails; error->code is the broker's
 * if it refused. */
XD_CLIENT_API xd_client *xd_client_connect(const xd_client_options *options, xd_client_error *error);

/* Closes at once; calls without an answer get "connection". Frees. NULL is allowed. */
XD_CLIENT_API void xd_client_close(xd_client *client);

/* What the broker said to hello (owned by the client). */
XD_CLIENT_API const msgpack_object *xd_client_hello(const xd_client *client);

/* Queues a call. `params` is one packed msgpack map, or NULL for none; `callback` may be NULL. False (and the
 * callback is never called) when the connection has ended, a limit is reached or there is no memory. */
XD_CLIENT_API bool xd_client_call(xd_client *client, const char *method, const void *params, size_t len,
                                  xd_client_reply_fn *callback, void *arg);

/* Sends what is queued, receives what has come, and calls back; waits up to `timeout_ms` (0: not at all, -1:
 * for ever) for the first message. Returns how many messages were taken, 0 on time-out, -1 when the
 * connection has ended (xd_client_why). */
XD_CLIENT_API int xd_client_run(xd_client *client, int timeout_ms);

/* Makes a current or the next xd_client_run return as soon as it can. For use in callbacks. */
XD_CLIENT_API void xd_client_stop(xd_client *client);

/* For use with an event loop of the caller's own: the socket, and whether to wait for it to become writable
 * too; then xd_client_run(client, 0) until it returns 0. With TLS also after every own call. */
XD_CLIENT_API int xd_client_fd(const xd_client *client);
XD_CLIENT_API bool xd_client_wants_write(const xd_client *client);

/* Calls without an answer, and bytes not yet sent. */
XD_CLIENT_API size_t xd_client_outstanding(const xd_client *client);
XD_CLIENT_API size_t xd_client_unsent(const xd_client *client);

/* Why the connection ended, or the last xd_client_request returned false. Owned by the client. */
XD_CLIENT_API const xd_client_error *xd_client_why(const xd_client *client);

/* --- blocking ------------------------------------------------------------------------------------------- */

typedef struct {
    msgpack_object error;  /* nil, or the map */
    msgpack_object result; /* nil when there is an error */
    msgpack_zone *zone;    /* holds both */
} xd_client_reply;

/* Calls and waits for the answer (events go on being notified). False if the connection ended or the time ran
 * out (xd_client_why); a refusal by the broker is true, with reply->error set. */
XD_CLIENT_API bool xd_client_request(xd_client *client, const char *method, const void *params, size_t len,
                                     xd_client_reply *reply);
XD_CLIENT_API void xd_client_reply_free(xd_client_reply *reply);

#ifdef __cplusplus
}
#endif

#endif
