#include "tests/unit/refusal.h"

#include "core/order.h"
#include "tests/unit/notation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

void check_refusals(const struct refusal *rows, size_t count)
{
    struct xd_market market = {.currency = xd_currency("EUR", 3), .road_factor_e4 = 12500};
    for (size_t i = 0; i < count; i++) {
        const struct refusal *row = &rows[i];
        struct parsed parsed;
        struct xd_order order;
        struct xd_error error;
        notation_map(row->base, row->drop, row->more, &parsed);
        if (xd_order_read(&parsed.object, &market, &order, &error)) fail_msg("\"%s\" was read", row->more);
        if (error.code != row->code || strcmp(error.field, row->field) != 0 ||
            strcmp(error.message, row->message) != 0) {
            fail_msg("\"%s\" without %s: %s, \"%s\", \"%s\"", row->more,
                     row->drop == NULL ? "nothing" : row->drop, xd_code_name(error.code), error.field,
                     error.message);
        }
        parsed_free(&parsed);
    }
}
