/* Some lines of a submit: the orders that go out in one call, and what stands in their place in the output.
 *
 *     line      {"ref":"a"..}   not JSON      {"ref":"b"..}
 *     orders    a                             b                one call
 *     entries   ref "a"         error line    ref "b"          results fill in the refs' lines, in order
 */
#ifndef XD_CLIENTS_CLI_BATCH_H
#define XD_CLIENTS_CLI_BATCH_H

#include "core/mp.h"

/* Bytes bound a batch of more than one order; as every element takes a byte, they bound its elements too. */
enum {
    XD_BATCH_ORDERS = 500,
    XD_BATCH_LINES = 2000, /* with those that are no orders */
    XD_BATCH_BYTES = 64000,
    XD_BATCH_TEXT_MAX = 4 << 20,
};

enum xd_batch_state { XD_BATCH_FILLING, XD_BATCH_SENT, XD_BATCH_DONE };

struct xd_batch {
    enum xd_batch_state state;
    uint32_t order_count, line_count;
    struct xd_buf orders;  /* packed */
    struct xd_buf entries; /* struct xd_batch_entry */
    struct xd_buf text;    /* of the entries */
    struct xd_buf out;     /* when done: whole lines of JSON */
    bool refused;          /* an order was */
};

void xd_batch_init(struct xd_batch *batch);
void xd_batch_free(struct xd_batch *batch);

/* Makes it empty, to be filled again. */
void xd_batch_clear(struct xd_batch *batch);

/* Whether an order of `len` packed bytes still fits in; an empty batch takes one of any length. */
bool xd_batch_has_room(const struct xd_batch *batch, size_t len, uint32_t max_orders);

/* Adds a packed order. `ref` is remembered for errors of the whole call; NULL where the order has none. */
void xd_batch_order(struct xd_batch *batch, const struct xd_buf *order, const struct xd_str *ref);

/* Adds a line that is no order. */
void xd_batch_refuse(struct xd_batch *batch, const struct xd_error *error);

/* The parameters of its submit call, appended. */
void xd_batch_params(const struct xd_batch *batch, struct xd_buf *params);

/* Its answer, of which nothing is kept: makes `out`. `error` nil: the results are in `result`. */
void xd_batch_answer(struct xd_batch *batch, const msgpack_object *error, const msgpack_object *result);

/* The same where no answer will come: every order gets this error. */
void xd_batch_give_up(struct xd_batch *batch, const char *code, const char *message);

/* False if anything of it did not fit or found no memory. */
bool xd_batch_good(const struct xd_batch *batch);

#endif
