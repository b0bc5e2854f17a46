/* What load.c (the loop) and load_calls.c (what is sent, and what comes back) share; for them only. */
#ifndef XD_BENCH_LOAD_PARTS_H
#define XD_BENCH_LOAD_PARTS_H

#include "clients/bench/load.h"
#include "clients/bench/random.h"

/* A call without an answer yet, or a free one. */
struct xd_load_call {
    struct xd_load_call *next;
    struct xd_load *load;
    struct xd_load_link *link;
    uint64_t first; /* index of its first order */
    uint32_t count;
    uint8_t *bytes; /* a submit's parameters, where they may have to be sent again; owned */
    size_t len;
};

struct xd_load_link {
    struct xd_load *load;
    xd_client *client;          /* NULL while there is no connection */
    uint32_t orders;            /* without an answer */
    int64_t lost_ns, retry_ns;  /* when the connection ended, and when to try again */
    struct xd_load_call *again; /* to be sent again */
    int64_t again_ns;           /* not before then */
};

enum { XD_LOAD_CURSOR = 8192 }; /* the longest cursor: some 40 bytes for each of 192 partitions */

/* The next event of a partition that was not seen. */
struct xd_load_seen {
    uint32_t generation;
    uint64_t next;
};

struct xd_load {
    struct xd_load_options options;
    struct xd_load_link *links;
    uint32_t link_count, next_link;
    struct xd_load_link watch;   /* its client NULL as well where nobody watches */
    char cursor[XD_LOAD_CURSOR]; /* after the last event; "" before the first subscription */
    struct xd_load_seen *seen;   /* of every partition, with reconnect_ns; else NULL */
    int64_t broker_time;         /* at hello, s */
    bool broker_stands;          /* its clock is moved by hand */
    double road_factor;
    int64_t hello_ns, start_ns, last_answer_ns, last_event_ns;

    const struct xd_source *source;
    bool source_ended;
    bool setting_up;
    uint64_t sent; /* index of the next order */
    struct xd_verify *verify;
    struct xd_random random;
    struct xd_load_call *free_calls;
    struct xd_buf params;
    struct xd_load_stats *stats;
    xd_client_error error; /* why the load failed; code "" while it has not */
};

int64_t xd_load_clock_ns(void);

/* Sends the next `count` orders in one call; the i-th was due at due_ns + i * step_ns. False when the source
 * has no more or the load failed. */
bool xd_load_submit(struct xd_load *load, struct xd_load_link *link, uint32_t count, int64_t due_ns,
                    double step_ns);

/* Sends a submit's parameters. False if the load failed. */
bool xd_load_send(struct xd_load *load, struct xd_load_call *call, const uint8_t *bytes, size_t len);

/* again.c: what survives the end of a connection. All but xd_load_mend do nothing (false) without
 * reconnect_ns. */

/* Whether a refused call is to be sent again. */
bool xd_load_retries(const struct xd_load *load, const msgpack_object *error);

/* Has the call, whose answer did not come or told to try later, sent again. */
void xd_load_again(struct xd_load_call *call);

/* The connection has ended: true if it will be made again. The client is closed. */
bool xd_load_lost(struct xd_load *load, struct xd_load_link *link);

/* Makes lost connections again, and sends again what is due for it. The load fails if one stays lost. */
void xd_load_mend(struct xd_load *load);

/* Whether the event has come before; remembers it, and the cursor after it. */
bool xd_load_repeated(struct xd_load *load, const msgpack_object *event);

/* load.c: a connection for the link; the watcher's is notified. False and *error if there is none. */
bool xd_load_dial(struct xd_load *load, struct xd_load_link *link, int timeout_ms, xd_client_error *error);

/* load.c: asks for the events from the cursor on, or from now. */
bool xd_load_subscribe(struct xd_load *load);

/* An event or notice for the watcher: an xd_client_notify_fn, arg is the load. */
void xd_load_notified(void *arg, const char *method, const msgpack_object *params);

void xd_load_fail(struct xd_load *load, const char *code, const char *message);

/* Frees the calls that have had their answers, and those that were to be sent again. */
void xd_load_free_calls(struct xd_load *load);

#endif
