#include "tests/differential/shrink.h"

/* The script without steps [from, until), cut off after the first step at which the engines differ. False,
 * with nothing to free, if they agree. */
static bool fails_without(const struct xd_script *script, uint32_t from, uint32_t until,
                          struct xd_script *out)
{
    const char *what;
    struct xd_script less;
    xd_script_init(&less, &script->options);
    for (uint32_t i = 0; i < script->count; i++) {
        if (i < from || i >= until) xd_script_copy(&less, script, i);
    }
    uint32_t differs = xd_duel_play(&less, &what);
    if (differs == less.count) {
        xd_script_free(&less);
        return false;
    }
    less.count = differs + 1;
    *out = less;
    return true;
}

/* The same steps with their matches named by id, so that the text of the script plays the same. */
static void resolve(struct xd_script *script)
{
    struct xd_script resolved;
    struct xd_duel duel;
    xd_script_init(&resolved, &script->options);
    xd_duel_begin(&duel, &script->options);
    for (uint32_t i = 0; i < script->count; i++) {
        xd_duel_step(&duel, script, i, &resolved);
    }
    xd_duel_end(&duel);
    xd_script_free(script);
    *script = resolved;
}

void xd_shrink(struct xd_script *script, unsigned plays)
{
    uint32_t run = script->count / 2;
    bool dropped = false;
    while (run > 0 && plays > 0) {
        for (uint32_t end = script->count; end > 0 && plays > 0; plays--) {
            /* From the end: what came last is likely to matter least for what came before. */
            uint32_t from = end > run ? end - run : 0;
            struct xd_script less;
            if (fails_without(script, from, end, &less)) {
                xd_script_free(script);
                *script = less;
                dropped = true;
            }
            end = from < script->count ? from : script->count;
        }
        /* Single steps are gone over again as long as that drops any. */
        if (run > 1 || !dropped) run /= 2;
        dropped = false;
    }
    resolve(script);
}
