/* What load.c (the loop) and load_calls.c (what is sent, and what comes back) share; for them only. */
#ifndef XD_BENCH_LOAD_PARTS_H
#define XD_BENCH_LOAD_PARTS_H

#include "clients/bench/load.h"
#include "clients/bench/random.h"

struct xd_load_link {
    struct xd_load *load;
    xd_client *client;
    uint32_t orders; /* without an answer */
};

struct xd_load {
    struct xd_load_options options;
    struct xd_load_link *links;
    uint32_t link_count, next_link;
    xd_client *watcher;  /* or NULL */
    int64_t broker_time; /* at hello, s */
    bool broker_stands;  /* its clock is moved by hand */
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

/* An event or notice for the watcher: an xd_client_notify_fn, arg is the load. */
void xd_load_notified(void *arg, const char *method, const msgpack_object *params);

void xd_load_fail(struct xd_load *load, const char *code, const char *message);

/* Frees the calls that have had their answers. */
void xd_load_free_calls(struct xd_load *load);

#endif
