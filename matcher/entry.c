#include "matcher/entry.h"

#include "core/record.h"

bool xd_entry_apply(struct xd_engine *engine, msgpack_zone *zone, const struct xd_log_entry *entry,
                    struct xd_output *output)
{
    msgpack_object object;
    struct xd_record record;
    size_t at = 0;
    msgpack_zone_clear(zone);
    bool good = msgpack_unpack((const char *)entry->bytes, entry->len, &at, zone, &object) ==
                    MSGPACK_UNPACK_SUCCESS &&
                xd_record_unpack(&object, &record);
    if (!good) record = (struct xd_record){.type = XD_RECORD_TICK};
    return xd_engine_apply(engine, entry->time_ms / 1000, &record, output);
}
