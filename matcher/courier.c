#include "matcher/courier.h"

#include "matcher/relay.h"

#include <event2/event.h>
#include <stdlib.h>
#include <time.h>

enum { RETRY_MS = 500 };

/* Nothing more is read from the outbox above the one; what one read brings at most on top fits below the
 * other. */
static const size_t ENOUGH_BYTES = (size_t)16 << 20, LIMIT_BYTES = (size_t)512 << 20;

struct xd_courier {
    struct xd_ledger *ledger;
    struct xd_relay *relay;
    uint16_t partition, first;
    uint32_t count;
    uint64_t last; /* number of the letter read last */
    bool reading, more, stopped;
    uint32_t pending; /* calls whose callback has not come */
    struct event *timer;
};

/* A call about a receiver. */
struct errand {
    struct xd_courier *courier;
    uint16_t to;
};

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void destroy(struct xd_courier *courier)
{
    xd_relay_destroy(courier->relay);
    if (courier->timer) event_free(courier->timer);
    free(courier);
}

/* To be asked first by every callback: true if the courier has been stopped, and may be gone. */
static bool returned_too_late(struct xd_courier *courier)
{
    courier->pending--;
    if (courier->stopped && courier->pending == 0) {
        destroy(courier);
        return true;
    }
    return courier->stopped;
}

static void go_on_in(struct xd_courier *courier, int64_t ms)
{
    event_add(courier->timer, &(struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000});
}

/* --- errands -------------------------------------------------------------------------------------------- */

static struct errand *begin_errand(struct xd_courier *courier, uint16_t to)
{
    struct errand *errand = malloc(sizeof(*errand));
    if (!errand) return NULL;
    *errand = (struct errand){courier, to};
    courier->pending++;
    return errand;
}

static void on_seen(void *arg, enum xd_code code, struct xd_heard seen)
{
    struct errand errand = *(struct errand *)arg;
    free(arg);
    if (returned_too_late(errand.courier)) return;
    xd_relay_seen(errand.courier->relay, errand.to, code == XD_OK, seen, monotonic_ms());
    go_on_in(errand.courier, code == XD_OK ? 0 : XD_RELAY_LOOK_MS);
}

static void on_appended(void *arg, const struct xd_append_result *result)
{
    struct errand errand = *(struct errand *)arg;
    free(arg);
    if (returned_too_late(errand.courier)) return;
    xd_relay_sent(errand.courier->relay, errand.to, result->code == XD_OK, monotonic_ms());
    go_on_in(errand.courier, result->code == XD_OK ? 0 : XD_RELAY_LOOK_MS);
}

static void do_step(struct xd_courier *courier, const struct xd_relay_step *step)
{
    if (step->type == XD_RELAY_TRIM) {
        xd_ledger_redis_trim_outbox(courier->ledger, courier->partition, step->number);
        return;
    }
    struct errand *errand = begin_errand(courier, step->to);
    if (!errand && step->type == XD_RELAY_LOOK)
        xd_relay_seen(courier->relay, step->to, false, (struct xd_heard){0}, monotonic_ms());
    else if (!errand)
        xd_relay_sent(courier->relay, step->to, false, monotonic_ms());
    else if (step->type == XD_RELAY_LOOK)
        xd_ledger_redis_read_seen(courier->ledger, step->to, courier->partition, on_seen, errand);
    else
        xd_ledger_append(courier->ledger, step->to, 0, step->bytes, step->len, on_appended, errand);
}

/* --- the outbox ----------------------------------------------------------------------------------------- */

static bool take_letters(struct xd_courier *courier, const struct xd_letter *letters, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!xd_relay_add(courier->relay, letters[i].number, &letters[i].message, letters[i].bytes))
            return false;
        courier->last = letters[i].number;
    }
    return true;
}

/* From the beginning of the outbox. */
static bool begin_again(struct xd_courier *courier)
{
    xd_relay_destroy(courier->relay);
    courier->relay = xd_relay_create(courier->partition, courier->first, courier->count, LIMIT_BYTES);
    courier->last = 0;
    courier->more = true;
    return courier->relay != NULL;
}

static void on_letters(void *arg, enum xd_code code, const struct xd_letter *letters, uint32_t count)
{
    struct xd_courier *courier = arg;
    if (returned_too_late(courier)) return;
    courier->reading = false;
    bool taken = code == XD_OK && take_letters(courier, letters, count);
    if (count > 0 || code != XD_OK) courier->more = true;
    if (!taken && code == XD_OK) begin_again(courier);
    go_on_in(courier, taken ? 0 : RETRY_MS);
}

static void read_on(struct xd_courier *courier)
{
    courier->reading = true;
    courier->more = false; /* unless it is said again meanwhile */
    courier->pending++;
    xd_ledger_redis_read_outbox(courier->ledger, courier->partition, courier->last, on_letters, courier);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct xd_courier *courier = arg;
    struct xd_relay_step step;
    if (!courier->relay && !begin_again(courier)) {
        go_on_in(courier, RETRY_MS);
        return;
    }
    if (courier->more && !courier->reading && xd_relay_backlog(courier->relay) < ENOUGH_BYTES)
        read_on(courier);
    while (xd_relay_next(courier->relay, monotonic_ms(), &step))
        do_step(courier, &step);
    int64_t now = monotonic_ms(), due = xd_relay_due_ms(courier->relay, now);
    if (due != INT64_MAX) go_on_in(courier, due > now ? due - now : XD_RELAY_LOOK_MS);
}

/* --- beginning and ending ------------------------------------------------------------------------------- */

struct xd_courier *xd_courier_start(struct event_base *base, struct xd_ledger *ledger, uint16_t partition,
                                    uint16_t first, uint32_t count)
{
    struct xd_courier *courier = calloc(1, sizeof(*courier));
    if (!courier) return NULL;
    *courier = (struct xd_courier){.ledger = ledger, .partition = partition, .first = first, .count = count};
    courier->timer = evtimer_new(base, on_timer, courier);
    if (!courier->timer || !begin_again(courier)) {
        destroy(courier);
        return NULL;
    }
    go_on_in(courier, 0);
    return courier;
}

void xd_courier_grew(struct xd_courier *courier)
{
    courier->more = true;
    go_on_in(courier, 0);
}

void xd_courier_stop(struct xd_courier *courier)
{
    if (!courier) return;
    courier->stopped = true;
    event_del(courier->timer);
    if (courier->pending == 0) destroy(courier);
}
