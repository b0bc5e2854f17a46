/* A run of commands: what is played into both engines, cut down when they differ, printed and read again.
 *
 * As text it is JSON, a line each: the options, then the steps.
 *
 *   {"partition": 0, "max_orders": 40, "road_factor_e4": 12500, "currency": "CNY"}
 *   {"at": 1893456000, "record": {"type": "order", "account": "a1", "id": "o0-1", "credit": 500, "order":
 * {...}}}
 *   {"at": 1893456060, "record": {"type": "accept", "account": "a2", "match": "m0-1"}}
 *   {"restore": true}
 */
#ifndef XD_TESTS_DIFFERENTIAL_SCRIPT_H
#define XD_TESTS_DIFFERENTIAL_SCRIPT_H

#include "core/buf.h"
#include "core/record.h"
#include "tests/differential/twin.h"

#include <stdio.h>

struct xd_step {
    int64_t at;
    bool restore;        /* not a record: the fast engine is replaced by one loaded from its snapshot */
    uint32_t start, len; /* the record in its ledger form, in `bytes` */
    /* What a command on a match aims at: the latest match of this pair. Ids of matches depend on all that
     * came before, so a script that is cut down would miss it otherwise. 0: just the id in the record. */
    uint64_t offer_id, request_id;
};

struct xd_script {
    struct xd_twin_options options;
    struct xd_buf bytes;
    struct xd_step *steps;
    uint32_t count;
};

/* An empty script. */
void xd_script_init(struct xd_script *script, const struct xd_twin_options *options);
void xd_script_free(struct xd_script *script);

/* Adds a record (its ids of orders, see struct xd_step) or a restore. */
void xd_script_add(struct xd_script *script, int64_t at, const struct xd_record *record, uint64_t offer_id,
                   uint64_t request_id);
void xd_script_add_restore(struct xd_script *script);

/* Adds a step of another script. */
void xd_script_copy(struct xd_script *script, const struct xd_script *from, uint32_t step);

/* The record of a step, as it comes out of its ledger form; strings point into `object`, which the caller has
 * initialised and destroys. False if it is not one that xd_order_read would pass. */
bool xd_script_record(const struct xd_script *script, uint32_t step, msgpack_unpacked *object,
                      struct xd_record *out);

/* Writes the script as text. False if that failed. */
bool xd_script_print(const struct xd_script *script, FILE *file);

/* Reads a script (to be initialised by this call) from text; on failure `*error` and `*line` say what is
 * wrong where. */
bool xd_script_read(struct xd_script *script, FILE *file, struct xd_error *error, unsigned *line);

#endif
