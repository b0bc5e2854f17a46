/* Tables of malformed orders, each with the exact error that it gets. */
#ifndef XD_TESTS_REFUSAL_H
#define XD_TESTS_REFUSAL_H

#include "core/error.h"

#include <stddef.h>

struct refusal {
    const char *base, *drop, *more; /* notation_map's */
    enum xd_code code;
    const char *field, *message;
};

/* Reads each as an order and compares what it fails with. */
void check_refusals(const struct refusal *rows, size_t count);

#endif
