/* What is found out about an order, between explain.c, what_if.c and explain_write.c. */
#ifndef XD_ENGINE_EXPLANATION_H
#define XD_ENGINE_EXPLANATION_H

#include "engine/explain/explain.h"
#include "engine/explain/nearest.h"

/* A match that would be made. */
struct xd_would_match {
    struct xd_candidate candidate;
    uint32_t dims;                                                  /* that the request states */
    bool proposed;                                                  /* one of the sides confirms by hand */
    int64_t from_day, until_day;                                    /* storage */
    int64_t pickup_eta, pickup_leave, delivery_eta, delivery_leave; /* s, truck */
};

struct xd_explanation {
    const struct xd_slot *order;
    bool resting;  /* it is in the book; else it was only asked about */
    bool complete; /* everything in reach was looked at */
    uint32_t in_reach, fits;
    uint32_t misses[XD_MISS_COUNT], alone[XD_MISS_COUNT];
    struct xd_nearest nearest[XD_MISS_COUNT];
    struct xd_would_match *matches; /* room for XD_EXPLAIN_MATCHES; NULL where none are asked for */
    uint32_t match_count;
    bool more_matches;
    int64_t remaining; /* of a request: what would still be open */
};

/* what_if.c: fills in the matches that explanation->order, a slot of its own that is spoiled by it, would
 * make. False without memory. */
bool xd_find_matches(struct xd_engine *engine, struct xd_slot *order, struct xd_explanation *explanation);

/* explain_write.c */
void xd_explanation_write(const struct xd_explanation *explanation, struct xd_buf *out);

/* explain_text.c: the nearest miss in a sentence. Returns `text`. */
enum { XD_NEAREST_TEXT = 256 };
const char *xd_nearest_text(const struct xd_slot *order, enum xd_miss miss, const struct xd_nearest *nearest,
                            char text[static XD_NEAREST_TEXT]);

#endif
