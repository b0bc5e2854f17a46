/* Borders: making, unmaking, and what arrives. */
#include "matcher/border.h"

#include <stdlib.h>

enum { FIRST_GENERATION = 1 };

bool xd_border_create(struct xd_engine *engine)
{
    const struct xd_layout *layout = engine->options.layout;
    if (!layout || layout->count == 1) return true;
    struct xd_border *border = calloc(1, sizeof *border);
    if (!border) return false;
    border->layout = *layout;
    border->own = (uint16_t)(engine->options.partition % layout->count);
    border->first = (uint16_t)(engine->options.partition - border->own);
    border->generation = FIRST_GENERATION;
    for (unsigned range = 0; range < layout->count; range++) {
        border->peers[range].gen = FIRST_GENERATION;
    }
    engine->border = border;
    return true;
}

void xd_border_free(struct xd_engine *engine)
{
    free(engine->border);
}
