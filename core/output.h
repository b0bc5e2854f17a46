/* What applying a run of records yields: the events, an outcome for each record, the refs of orders that closed, and the messages
 * to other partitions (docs/CLUSTER.md, Outbox and relay).
 * The engine fills it, the ledger commits it. Cleared and used again, so that the hot path allocates nothing. */
#ifndef XD_CORE_OUTPUT_H
#define XD_CORE_OUTPUT_H

#include "core/order.h"

/* An order that needs its ref no longer: it was refused (`freed`: the ref may be used again at once) or it has closed
 * (the ref is kept for 30 days more). */
struct xd_closed_ref {
    uint64_t order_id;
    bool freed;
    uint8_t account_len, ref_len;
    char account[XD_ACCOUNT_MAX];
    char ref[XD_REF_MAX];
};

/* What an outcome says: the code and, of some types of record, a note (of an amendment: enum xd_amended). */
static inline enum xd_code xd_outcome_code(uint16_t outcome)
{
    return (enum xd_code)(outcome & 0xff);
}

static inline unsigned xd_outcome_note(uint16_t outcome)
{
    return outcome >> 8;
}

/* Why a record was refused, where its code alone does not say it. */
struct xd_refusal {
    uint32_t record; /* which of the records applied, counted from 0 */
    struct xd_error error;
};

/* A packed record for the log of another partition. */
struct xd_message {
    size_t end; /* in `messages` */
    uint64_t seq; /* its number in the session of the two generations, from 1 */
    uint32_t from_gen, to_gen;
    uint16_t to; /* the partition */
};

/* How far a receiver has applied what a partition sent it: the last sequence number of a session. */
struct xd_heard {
    uint32_t from_gen, to_gen;
    uint64_t seq;
};

struct xd_heard_mark {
    uint16_t from;
    struct xd_heard seen;
};

struct xd_output {
    struct xd_buf events;   /* whole events (event.h), one after the other */
    struct xd_buf ends;     /* size_t: where each event ends in `events` */
    struct xd_buf outcomes; /* uint16_t: one for each record applied (xd_outcome_code, xd_outcome_note) */
    struct xd_buf refusals; /* struct xd_refusal */
    struct xd_buf closed;   /* struct xd_closed_ref */
    struct xd_buf messages; /* packed records, one after the other, in the order in which they are to be sent */
    struct xd_buf envelopes; /* struct xd_message: one for each */
    struct xd_buf seen;      /* struct xd_heard_mark: of partitions whose messages were applied; the owner adds them */
};

/* `limit` bounds each of them, in bytes. */
void xd_output_init(struct xd_output *output, size_t limit);
void xd_output_clear(struct xd_output *output);
void xd_output_free(struct xd_output *output);

/* True once anything did not fit or found no memory: the output must not be used. */
bool xd_output_failed(const struct xd_output *output);

uint32_t xd_output_event_count(const struct xd_output *output);

/* To be called after each event appended to `events`. */
void xd_output_end_event(struct xd_output *output);
void xd_output_outcome(struct xd_output *output, enum xd_code code);
void xd_output_outcome_noted(struct xd_output *output, enum xd_code code, unsigned note);
/* To be called before the outcome of the record that it is about. */
void xd_output_refuse(struct xd_output *output, const struct xd_error *error);
void xd_output_close_ref(struct xd_output *output, uint64_t order_id, struct xd_str account, struct xd_str ref,
                         bool freed);
/* To be called after each record appended to `messages`; its `end` is filled in. */
void xd_output_end_message(struct xd_output *output, struct xd_message message);

static inline uint32_t xd_output_message_count(const struct xd_output *output)
{
    return (uint32_t)(output->envelopes.len / sizeof(struct xd_message));
}

/* The message of that number; `*bytes` is its record. */
struct xd_message xd_output_message(const struct xd_output *output, uint32_t i, struct xd_str *bytes);

#endif
