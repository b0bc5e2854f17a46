#include "tests/ledger/toy.h"

#include "core/mp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

size_t toy_write(const struct toy_record *record, char *out, size_t capacity, size_t len)
{
    int written =
        snprintf(out, capacity, "%u %c %s %s %" PRIu64 " ", record->number, record->wish, record->account,
                 record->ref, record->order_id);
    size_t used = (size_t)written;
    if (len <= used) return used;
    memset(out + used, '.', len - used);
    return len;
}

bool toy_parse(const uint8_t *bytes, size_t len, struct toy_record *out)
{
    char text[256];
    size_t copied = len < sizeof text - 1 ? len : sizeof text - 1;
    memcpy(text, bytes, copied);
    text[copied] = '\0';
    char wish;
    if (sscanf(text, "%u %c %64s %64s %" SCNu64 " ", &out->number, &wish, out->account, out->ref,
               &out->order_id) != 5)
        return false;
    out->wish = (enum toy_wish)wish;
    return true;
}

static void add_event(struct toy_state *state, struct xd_output *output, const char *account, int64_t time_ms)
{
    struct xd_buf *out = &output->events;
    xd_mp_map(out, 4); /* as core/event.c begins an event */
    xd_mp_cstr(out, "account");
    xd_mp_cstr(out, account);
    xd_mp_cstr(out, "type");
    xd_mp_cstr(out, "toy");
    xd_mp_cstr(out, "time");
    xd_mp_int(out, time_ms);
    xd_mp_cstr(out, "order");
    xd_mp_uint(out, state->hash);
    xd_output_end_event(output);
    state->next_event++;
}

static void refuse(struct xd_output *output, unsigned number)
{
    struct xd_error error;
    xd_fail(&error, XD_LAPSED, "number", "%u is refused", number);
    xd_output_refuse(output, &error);
}

void toy_apply(struct toy_state *state, const struct xd_log_entry *entry, struct xd_output *output)
{
    struct toy_record record = {0};
    toy_parse(entry->bytes, entry->len, &record);
    uint64_t mixed[] = {state->hash, entry->offset, (uint64_t)entry->time_ms,
                        XXH3_64bits(entry->bytes, entry->len)};
    state->hash = XXH3_64bits(mixed, sizeof mixed);
    state->next_record = entry->offset + 1;
    state->last_ms = entry->time_ms;
    if (record.wish != TOY_QUIET) add_event(state, output, record.account, entry->time_ms);
    if (record.wish != TOY_QUIET && record.number % 3 == 0) add_event(state, output, "all", entry->time_ms);
    if (record.wish == TOY_REFUSE) refuse(output, record.number);
    xd_output_outcome(output, record.wish == TOY_REFUSE ? XD_LAPSED : XD_OK);
    if (strcmp(record.ref, "-") != 0 && (record.wish == TOY_REFUSE || record.wish == TOY_CLOSE))
        xd_output_close_ref(output, record.order_id, xd_str_of(record.account), xd_str_of(record.ref),
                            record.wish == TOY_REFUSE);
}
