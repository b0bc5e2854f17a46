/* Both engines side by side: every command is applied to each, and all that they say is compared. */
#ifndef XD_TESTS_DIFFERENTIAL_DUEL_H
#define XD_TESTS_DIFFERENTIAL_DUEL_H

#include "engine/engine.h"
#include "tests/differential/script.h"

struct xd_duel {
    struct xd_engine_options options;
    struct xd_engine *engine;
    struct xd_twin *twin;
    struct xd_output fast, naive;
    msgpack_unpacked object;
    uint64_t applied; /* records */
};

void xd_duel_begin(struct xd_duel *duel, const struct xd_twin_options *options);
void xd_duel_end(struct xd_duel *duel);

/* Plays a step. NULL if the two agree, else what they differ in: "events", "outcome", ... a static string.
 * `resolved`, where given, takes the step as it was played, its matches named by their ids. */
const char *xd_duel_step(struct xd_duel *duel, const struct xd_script *script, uint32_t step,
                         struct xd_script *resolved);

/* Plays a whole script. The first step at which they differ, or script->count. `*what` as above. */
uint32_t xd_duel_play(const struct xd_script *script, const char **what);

/* Prints what the two said at the last step, from the first event on that differs. */
void xd_duel_explain(const struct xd_duel *duel, FILE *file);

#endif
