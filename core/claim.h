/* What `claims` and `answers` records list (docs/CLUSTER.md, Borders): the parts that a partition puts aside
 * of its own orders for an order of another partition, and what that one makes of them. */
#ifndef XD_CORE_CLAIM_H
#define XD_CORE_CLAIM_H

#include "core/order.h"

enum { XD_CLAIMS_MAX = 16 }; /* in a round */

struct xd_claim {
    uint64_t id; /* the order that is at home with who claims */
    struct xd_str account;
    int64_t credit;
    int64_t amount[XD_DIMS]; /* put aside */
    int64_t part;            /* of the main dimension */
    int64_t surplus;         /* counted on; hundredths */
    struct xd_order order;
};

struct xd_answer {
    bool yes; /* the rest is meaningful only then */
    uint64_t match_id;
    int64_t amount[XD_DIMS];
    int64_t part;
    int64_t state; /* enum xd_match_state: proposed or confirmed */
};

/* Each appends one. */
void xd_claim_pack(const struct xd_claim *claim, struct xd_buf *out);
void xd_answer_pack(const struct xd_answer *answer, struct xd_buf *out);

/* The packed claims or answers of a record, one at a time. */
struct xd_claim_reader {
    struct xd_str bytes;
    size_t at;
    msgpack_unpacked object;
};
void xd_claim_reader_begin(struct xd_claim_reader *reader, struct xd_str bytes);
void xd_claim_reader_end(struct xd_claim_reader *reader);
bool xd_claim_reader_more(const struct xd_claim_reader *reader);

/* The next one; its strings live until the one after it is read. False if it is malformed. */
bool xd_claim_next(struct xd_claim_reader *reader, struct xd_claim *out);
bool xd_answer_next(struct xd_claim_reader *reader, struct xd_answer *out);

/* All of them as people and programs read them: an array of maps, of a no nil. */
void xd_claims_write(struct xd_str packed, struct xd_buf *out);
void xd_answers_write(struct xd_str packed, struct xd_buf *out);

#endif
