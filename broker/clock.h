/* The broker's time: the machine's, or under --test-clock one that stands still until it is moved. */
#ifndef XD_BROKER_CLOCK_H
#define XD_BROKER_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct xd_clock {
    bool by_hand;
    int64_t now_ms; /* where by_hand: milliseconds since 1970 */
};

/* Milliseconds since 1970. `clock` is a struct xd_clock; void, to be given to the ledger. */
int64_t xd_clock_ms(void *clock);

/* The machine's own. */
int64_t xd_clock_real_ms(void);

#endif
