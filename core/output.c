#include "core/output.h"

#include <assert.h>
#include <string.h>

void xd_output_init(struct xd_output *output, size_t limit)
{
    xd_buf_init(&output->events, limit);
    xd_buf_init(&output->ends, limit);
    xd_buf_init(&output->outcomes, limit);
    xd_buf_init(&output->refusals, limit);
    xd_buf_init(&output->closed, limit);
    xd_buf_init(&output->messages, limit);
    xd_buf_init(&output->envelopes, limit);
    xd_buf_init(&output->seen, limit);
}

void xd_output_clear(struct xd_output *output)
{
    xd_buf_clear(&output->events);
    xd_buf_clear(&output->ends);
    xd_buf_clear(&output->outcomes);
    xd_buf_clear(&output->refusals);
    xd_buf_clear(&output->closed);
    xd_buf_clear(&output->messages);
    xd_buf_clear(&output->envelopes);
    xd_buf_clear(&output->seen);
}

void xd_output_free(struct xd_output *output)
{
    xd_buf_free(&output->events);
    xd_buf_free(&output->ends);
    xd_buf_free(&output->outcomes);
    xd_buf_free(&output->refusals);
    xd_buf_free(&output->closed);
    xd_buf_free(&output->messages);
    xd_buf_free(&output->envelopes);
    xd_buf_free(&output->seen);
}

bool xd_output_failed(const struct xd_output *output)
{
    return output->events.failed || output->ends.failed || output->outcomes.failed || output->refusals.failed ||
           output->closed.failed || output->messages.failed || output->envelopes.failed || output->seen.failed;
}

uint32_t xd_output_event_count(const struct xd_output *output)
{
    return (uint32_t)(output->ends.len / sizeof(size_t));
}

void xd_output_end_event(struct xd_output *output)
{
    xd_buf_add(&output->ends, &output->events.len, sizeof output->events.len);
}

static_assert(XD_CODE_COUNT <= 0x100, "a code is one byte of an outcome");

void xd_output_outcome_noted(struct xd_output *output, enum xd_code code, unsigned note)
{
    uint16_t outcome = (uint16_t)((unsigned)code | note << 8);
    xd_buf_add(&output->outcomes, &outcome, sizeof outcome);
}

void xd_output_outcome(struct xd_output *output, enum xd_code code)
{
    xd_output_outcome_noted(output, code, 0);
}

void xd_output_refuse(struct xd_output *output, const struct xd_error *error)
{
    struct xd_refusal refusal = {.record = (uint32_t)(output->outcomes.len / sizeof(uint16_t)), .error = *error};
    xd_buf_add(&output->refusals, &refusal, sizeof refusal);
}

void xd_output_close_ref(struct xd_output *output, uint64_t order_id, struct xd_str account, struct xd_str ref,
                         bool freed)
{
    struct xd_closed_ref closed;
    memset(&closed, 0, sizeof closed); /* what pads it too: outputs are compared byte for byte */
    closed.order_id = order_id;
    closed.freed = freed;
    closed.account_len = (uint8_t)account.len;
    closed.ref_len = (uint8_t)ref.len;
    memcpy(closed.account, account.at, account.len);
    memcpy(closed.ref, ref.at, ref.len);
    xd_buf_add(&output->closed, &closed, sizeof closed);
}

void xd_output_end_message(struct xd_output *output, struct xd_message message)
{
    message.end = output->messages.len;
    xd_buf_add(&output->envelopes, &message, sizeof message);
}

struct xd_message xd_output_message(const struct xd_output *output, uint32_t i, struct xd_str *bytes)
{
    const struct xd_message *all = (const struct xd_message *)(const void *)output->envelopes.data;
    size_t start = i ? all[i - 1].end : 0;
    *bytes = (struct xd_str){(const char *)output->messages.data + start, (uint32_t)(all[i].end - start)};
    return all[i];
}
