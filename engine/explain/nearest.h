/* Of the pairs that fail for one reason alone, the one that misses by least: what the asking order would have
 * to be changed in, and by how much, to fit.
 *
 * What is to be changed is searched for with xd_fit itself, so a change that is told is a change that works:
 * a handful of *knobs* (the limit of its price, its windows, its amounts) is turned by the same measure until
 * the pair fits, and then each is turned back as far as it will go. Who already has a nearer miss pays one
 * xd_fit for the next pair. */
#ifndef XD_ENGINE_NEAREST_H
#define XD_ENGINE_NEAREST_H

#include "engine/explain/knob.h"
#include "engine/fit/fit.h"

/* The nearest miss for one reason. */
struct xd_nearest {
    bool found;
    int64_t miss; /* by how much: hundredths (price), s or days (time), parts per million of an amount
                   * (capacity), tenths of a degree, features, points of credit, metres */
    int64_t
        change[XD_KNOBS];  /* of the asking order, in the table's units; all 0 where nothing in it can help */
    uint64_t features;     /* those that are lacking */
    int64_t quote;         /* price, of an offer that asks: what it would have to ask, at most */
    int64_t wanted_credit; /* credit: what the other order wants of the asking account, or 0 where that is not
                              it */
};

struct xd_asking {
    const struct xd_slot *order;
    int32_t road_factor_e4;
    int64_t now;
};

/* The pair fails for `miss` alone (struct xd_verdict). Replaces *best if it misses by less, and the asking
 * order, or the one limit of the other side that is told as a difference (distance), can be changed so that
 * it fits. */
void xd_nearest_try(const struct xd_asking *asking, const struct xd_slot *resting, enum xd_miss miss,
                    struct xd_nearest *best);

#endif
