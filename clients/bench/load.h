/* The load: connections that send a source's orders and one that watches, in one thread around poll().
 *
 * Closed loop: every connection keeps `outstanding` orders without an answer; latency counts from the call.
 * Open loop (`rate` above 0): order i is due at start + i / rate whatever the broker does, and latency counts
 * from then, so that a stall is seen by all orders that it delays ("coordinated omission" is G. Tene's name
 * for what this avoids).
 *
 * With `reconnect_ns` brokers may come and go: a connection that ends is made again, orders without an answer
 * are sent again under the same refs, and so are those that a broker could not take at the time; the watcher
 * resumes at its last cursor, and events that it has seen already are passed over. Latency still counts from
 * the first time.
 *
 * The watcher (account `*`) sees all events: they are verified (verify.h), matches are timed from the order
 * whose coming formed them, and proposals are answered: one match in ten is declined, the others accepted. */
#ifndef XD_BENCH_LOAD_H
#define XD_BENCH_LOAD_H

#include "clients/bench/histogram.h"
#include "clients/bench/verify.h"
#include "clients/include/crossdock.h"

#include <signal.h>

enum { XD_LOAD_CONNECTIONS_MAX = 1024, XD_LOAD_BATCH_MAX = 500, XD_LOAD_OUTSTANDING_MAX = 100000 };

struct xd_load;

struct xd_load_options {
    xd_client_options client; /* account, notify and notify_arg are not used */
    uint32_t connections;     /* 1..XD_LOAD_CONNECTIONS_MAX */
    uint32_t outstanding;     /* orders without an answer a connection; at least `batch` */
    uint32_t batch;           /* orders a call, 1..XD_LOAD_BATCH_MAX */
    uint64_t orders;          /* so many, setup not counted; 0: no limit */
    double seconds;           /* so long; 0: no limit */
    double rate;              /* orders/s of the open loop; 0: closed loop */
    uint64_t seed;            /* which orders are cancelled */
    int64_t reconnect_ns;     /* how long a connection that ended is tried again; 0: the load fails */
    bool watch;               /* false: no watcher, so nothing is verified or matched by hand */
    const volatile sig_atomic_t *stop; /* not 0: send no more, finish; or NULL */

    void (*tick)(void *arg, const struct xd_load *load); /* every `tick_ms` while it runs; or NULL */
    int tick_ms;
    /* Every event that concerns the load, after verification; or NULL. */
    void (*told)(void *arg, const struct xd_load *load, const struct xd_told *told,
                 const struct xd_verified *verified);
    void *arg;
};

struct xd_load_stats {
    double seconds;       /* since the first order after the setup; at the end, until the last answer */
    uint64_t measured;    /* acknowledged, setup not counted */
    uint64_t outstanding; /* sent and not answered */
    uint64_t reconnected; /* connections made again */
    uint64_t resent;      /* orders sent again */
    uint64_t repeated;    /* events that came again after a resume */
    uint64_t actions;     /* accepts, declines and cancels sent */
    uint64_t actions_refused;
    struct xd_histogram ack;   /* ns */
    struct xd_histogram match; /* ns, from the incoming order to its first match event */
    char refusal[320];         /* the first order refused, in words; "" if none */
    char durability[16];       /* as the last acknowledgement said */
};

/* Connects. NULL and *error if that fails. The options are copied; what they point to must outlive the
 * load. */
struct xd_load *xd_load_create(const struct xd_load_options *options, xd_client_error *error);
void xd_load_destroy(struct xd_load *load);

/* What the broker said at hello: its road factor, its time (seconds). */
double xd_load_road_factor(const struct xd_load *load);
int64_t xd_load_broker_time(const struct xd_load *load);

/* Sends the source's orders until there are no more, or the limits or `stop` say so; waits for all answers
 * and events. Once per load. False and *error if a connection ended, or answers stayed out. Violations are no
 * failure here. */
bool xd_load_run(struct xd_load *load, const struct xd_source *source, xd_client_error *error);

const struct xd_load_stats *xd_load_stats(const struct xd_load *load);
const struct xd_verify *xd_load_verify(const struct xd_load *load);

#endif
