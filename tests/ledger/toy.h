/* A toy in the engine's place: small records in text, and a pure function from records to events that carries
 * a hash of everything before, so that events are right only if all records are there, in order, with their
 * times. */
#ifndef XD_TESTS_LEDGER_TOY_H
#define XD_TESTS_LEDGER_TOY_H

#include "core/ledger/ledger.h"

/* What a record asks of the toy. */
enum toy_wish { TOY_KEEP = 'k', TOY_REFUSE = 'r', TOY_CLOSE = 'c', TOY_QUIET = 'q' /* causes no event */ };

struct toy_record {
    unsigned number;
    enum toy_wish wish;
    char account[XD_ACCOUNT_MAX + 1];
    char ref[XD_REF_MAX + 1]; /* "-": not an order */
    uint64_t order_id;
};

/* Writes the record to `out`, padded to `len` bytes if it is shorter; returns its length. */
size_t toy_write(const struct toy_record *record, char *out, size_t capacity, size_t len);
bool toy_parse(const uint8_t *bytes, size_t len, struct toy_record *out);

struct toy_state {
    uint64_t next_record, next_event;
    uint64_t hash;
    int64_t last_ms;
};

/* Applies one record: an event to its account (and to "all" for every third), an outcome, and its ref if it
 * closes. */
void toy_apply(struct toy_state *state, const struct xd_log_entry *entry, struct xd_output *output);

#endif
