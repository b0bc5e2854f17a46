/* crossdock amend: new values for some fields of an open order. */
#include "clients/cli/commands.h"
#include "core/given.h"
#include "core/id.h"
#include "core/schema.h"

#include <stdio.h>
#include <string.h>

/* One FIELD=VALUE; nothing after the mark takes the field out. What the field may be is the broker's to say. */
static bool add_change(const char *text, struct xd_buf *params, struct xd_error *error)
{
    char name[XD_GIVEN];
    const char *equals = strchr(text, '=');
    size_t len = equals ? (size_t)(equals - text) : strlen(text);
    xd_given_name(text, len, name);
    if (!equals) return xd_fail(error, XD_BAD_VALUE, name, "not FIELD=VALUE");
    const struct xd_field *field = xd_field_find(text, len);
    if (!field || xd_field_id(field) == XD_F_REF) {
        return xd_fail(error, XD_UNKNOWN_FIELD, name, "no field that can be amended; docs/ORDERS.md lists them");
    }
    if (equals[1] != '\0') return xd_field_from_text(field, equals + 1, params, error);
    xd_mp_cstr(params, field->name);
    xd_mp_nil(params);
    return true;
}

static void print_amended(const msgpack_object *result)
{
    struct xd_str id = {"", 0}, status = id;
    const msgpack_object *kept = xd_mp_get(result, "kept_priority");
    xd_mp_get_str(result, "id", &id);
    xd_mp_get_str(result, "status", &status);
    xd_cli_print(id);
    fputs("  ", stdout);
    xd_cli_print(status);
    if (xd_str_equal(status, xd_str_of("amended")) && kept && kept->type == MSGPACK_OBJECT_BOOLEAN)
        fputs(kept->via.boolean ? ", keeps its priority" : ", loses its priority", stdout);
    putchar('\n');
}

enum xd_exit xd_cli_amend(struct xd_cli *cli)
{
    struct xd_error error;
    struct xd_buf params;
    bool good = true;
    xd_cli_params(cli, &params, (uint32_t)cli->arg_count);
    xd_cli_order_name(&params, cli->args[0]);
    for (size_t i = 1; good && i < cli->arg_count; i++)
        good = add_change(cli->args[i], &params, &error);
    if (good && params.failed) good = xd_fail(&error, XD_TOO_LONG, NULL, "the amendment is too long");
    if (good) return xd_cli_ask_and_print(cli, "amend", &params, print_amended);
    xd_buf_free(&params);
    return xd_cli_mistake(cli, &error);
}
