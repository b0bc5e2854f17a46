/* What is asked of the engine of a partition and changes nothing: listings, explanations, the hash of the
 * state. Asked in the same process, or of the partition's owner in another (docs/CLUSTER.md, Questions): then
 * question and answer are packed, sent and unpacked, and the answer is the same. */
#ifndef XD_MATCHER_QUESTION_H
#define XD_MATCHER_QUESTION_H

#include "engine/engine.h"

enum xd_question_type {
    XD_ASK_ORDERS,     /* account, state, after, limit */
    XD_ASK_MATCHES,    /* the same */
    XD_ASK_EXPLAIN,    /* account, id */
    XD_ASK_WHAT_IF,    /* account, order */
    XD_ASK_STATE_HASH, /* nothing */
    XD_ASK_COUNT
};

struct xd_question {
    enum xd_question_type type;
    struct xd_str account;
    int state; /* as in struct xd_listing */
    uint64_t after;
    uint32_t limit;
    uint64_t id;
    struct xd_order order;
};

/* An answer's entries may be fewer than asked for where they are long: no more than about this together. */
enum { XD_ANSWER_BYTES = 768 << 10 };

/* Appends the answer. Listings: an array [count, id to go on after, whether there are more], and that many
 * entries behind it. Explanations: the map. The hash: {partition, records, hash}. `now` (s) is what the clock
 * shows, `records` how many the engine has applied. False and *error. */
bool xd_question_answer(const struct xd_question *question, struct xd_engine *engine, uint16_t partition,
                        uint64_t records, int64_t now, struct xd_buf *out, struct xd_error *error);

/* The head of a listing's answer; *entries is what stands behind it. False if it is none. */
struct xd_listing_head {
    uint32_t count;
    uint64_t last;
    bool more;
};
bool xd_listing_head_read(struct xd_str answer, struct xd_listing_head *head, struct xd_str *entries);

/* Appends the question, an array; and back: strings point into `object`. */
void xd_question_pack(const struct xd_question *question, struct xd_buf *out);
bool xd_question_unpack(const msgpack_object *object, struct xd_question *out);

#endif
