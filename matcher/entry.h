/* A record as it stands in the log, applied to an engine. */
#ifndef XD_MATCHER_ENTRY_H
#define XD_MATCHER_ENTRY_H

#include "core/ledger/ledger.h"
#include "engine/engine.h"

/* The zone is cleared first and borrowed. A record that cannot be read cannot be left out either: time goes
 * on, as for any reader of this log. False as xd_engine_apply. */
bool xd_entry_apply(struct xd_engine *engine, msgpack_zone *zone, const struct xd_log_entry *entry,
                    struct xd_output *output);

#endif
