/* crossdock offer, crossdock request, crossdock what-if: one order from FIELD=VALUE. */
#include "clients/cli/cli.h"
#include "clients/cli/explain.h"
#include "core/given.h"
#include "core/schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* An order under construction. */
struct draft {
    const struct xd_cli *cli;
    enum xd_side side;
    enum xd_kind kind;
    const char *const *args; /* KIND, then FIELD=VALUE */
    size_t arg_count;
    bool tried;     /* it is not to be submitted: it needs no ref */
    uint64_t given; /* bit per enum xd_field_id */
    bool account_given;
    uint32_t pairs;
    struct xd_buf fields;
};

static void add_text(struct draft *draft, const char *key, const char *value)
{
    xd_mp_cstr(&draft->fields, key);
    xd_mp_cstr(&draft->fields, value);
    draft->pairs++;
}

static bool add_account(struct draft *draft, const char *value, struct xd_error *error)
{
    if (draft->account_given) return xd_fail(error, XD_DUPLICATE_FIELD, "account", "given twice");
    draft->account_given = true;
    add_text(draft, "account", value);
    return true;
}

/* One FIELD=VALUE. */
static bool add_field(struct draft *draft, const char *text, struct xd_error *error)
{
    char name[XD_GIVEN];
    const char *equals = strchr(text, '=');
    size_t len = equals ? (size_t)(equals - text) : strlen(text);
    xd_given_name(text, len, name);
    if (!equals) return xd_fail(error, XD_BAD_VALUE, name, "not FIELD=VALUE");
    if (len == 7 && memcmp(text, "account", len) == 0) return add_account(draft, equals + 1, error);

    const struct xd_field *field = xd_field_find(text, len);
    if (!field) return xd_fail(error, XD_UNKNOWN_FIELD, name, "no such field; --help lists them");
    uint64_t bit = UINT64_C(1) << xd_field_id(field);
    if (draft->given & bit) return xd_fail(error, XD_DUPLICATE_FIELD, name, "given twice");
    draft->given |= bit;
    draft->pairs++;
    return xd_field_from_text(field, equals + 1, &draft->fields, error);
}

static bool find_kind(const char *text, enum xd_kind *kind, struct xd_error *error)
{
    for (unsigned i = 0; i < XD_KINDS; i++) {
        if (strcmp(xd_kind_names[i], text) != 0) continue;
        *kind = (enum xd_kind)i;
        return true;
    }
    char given[XD_GIVEN];
    xd_given_text(text, strlen(text), given);
    return xd_fail(error, XD_BAD_VALUE, "kind", "%s is not truck, cold or warehouse", given);
}

/* A ref that nobody else has made up: 64 random bits. */
static void add_ref(struct draft *draft)
{
    uint64_t random = 0;
    char ref[32];
    while (getrandom(&random, sizeof random, 0) != sizeof random)
        ;
    snprintf(ref, sizeof ref, "x%016" PRIx64, random);
    add_text(draft, "ref", ref);
}

static bool read_order(struct draft *draft, struct xd_error *error)
{
    if (!find_kind(draft->args[0], &draft->kind, error)) return false;
    draft->given = UINT64_C(1) << XD_F_SIDE | UINT64_C(1) << XD_F_KIND;
    add_text(draft, "side", xd_side_names[draft->side]);
    add_text(draft, "kind", xd_kind_names[draft->kind]);
    for (size_t i = 1; i < draft->arg_count; i++)
        if (!add_field(draft, draft->args[i], error)) return false;
    if (!draft->tried && !(draft->given >> XD_F_REF & 1)) add_ref(draft);
    return true;
}

static void print_accepted(const msgpack_object *result)
{
    struct xd_str id = {"", 0}, status = id, durability = id, ref = id;
    xd_mp_get_str(result, "id", &id);
    xd_mp_get_str(result, "status", &status);
    xd_mp_get_str(result, "durability", &durability);
    xd_mp_get_str(result, "ref", &ref);
    const struct xd_str line[] = {id,         xd_str_of("  "),      status, xd_str_of(" ("),
                                  durability, xd_str_of(")  ref "), ref};
    for (size_t i = 0; i < sizeof line / sizeof *line; i++)
        xd_cli_print(line[i]);
    putchar('\n');
}

/* What became of the only order of a submit. */
static enum xd_exit tell_outcome(const struct xd_cli *cli, const msgpack_object *result)
{
    const msgpack_object *results = xd_mp_get(result, "results");
    if (!results || results->type != MSGPACK_OBJECT_ARRAY || results->via.array.size != 1)
        return xd_cli_error(cli, XD_EXIT_NO_CONNECTION, "protocol", "",
                            "the broker's answer has not one result");
    const msgpack_object *outcome = results->via.array.ptr;
    const msgpack_object *error = xd_mp_get(outcome, "error");
    if (error) return xd_cli_refused(cli, error);
    if (cli->settings.json)
        xd_cli_json(outcome);
    else
        print_accepted(outcome);
    return XD_EXIT_DONE;
}

static enum xd_exit send_order(struct xd_cli *cli, const struct draft *draft)
{
    enum xd_exit status = xd_cli_connect(cli, NULL, NULL);
    if (status != XD_EXIT_DONE) return status;
    struct xd_buf params;
    xd_buf_init(&params, XD_PARAMS_MAX);
    if (!draft->tried) {
        xd_mp_map(&params, 1);
        xd_mp_cstr(&params, "orders");
        xd_mp_array(&params, 1);
    }
    xd_mp_map(&params, draft->pairs);
    xd_buf_add(&params, draft->fields.data, draft->fields.len);

    xd_client_reply reply;
    status = xd_cli_ask(cli, draft->tried ? "what_if" : "submit", &params, &reply);
    if (status == XD_EXIT_DONE) {
        status = draft->tried ? xd_cli_tell_explanation(cli, &reply.result) : tell_outcome(cli, &reply.result);
        xd_client_reply_free(&reply);
    }
    xd_buf_free(&params);
    return status;
}

/* Reads the order that the draft's arguments say, and sends it. */
static enum xd_exit draft_and_send(struct xd_cli *cli, struct draft *draft)
{
    struct xd_error error;
    xd_buf_init(&draft->fields, XD_PARAMS_MAX / 2);
    bool good = read_order(draft, &error);
    if (good && draft->fields.failed) good = xd_fail(&error, XD_TOO_LONG, NULL, "the order is too long");
    enum xd_exit status = good ? send_order(cli, draft) : xd_cli_mistake(cli, &error);
    xd_buf_free(&draft->fields);
    return status;
}

enum xd_exit xd_cli_offer(struct xd_cli *cli)
{
    struct draft draft = {.cli = cli, .side = XD_OFFER, .args = cli->args, .arg_count = cli->arg_count};
    return draft_and_send(cli, &draft);
}

enum xd_exit xd_cli_request(struct xd_cli *cli)
{
    struct draft draft = {.cli = cli, .side = XD_REQUEST, .args = cli->args, .arg_count = cli->arg_count};
    return draft_and_send(cli, &draft);
}

enum xd_exit xd_cli_what_if(struct xd_cli *cli)
{
    struct draft draft = {.cli = cli, .args = cli->args + 1, .arg_count = cli->arg_count - 1, .tried = true};
    char given[XD_GIVEN];
    while (draft.side < XD_SIDES && strcmp(xd_side_names[draft.side], cli->args[0]) != 0)
        draft.side++;
    xd_given_text(cli->args[0], strlen(cli->args[0]), given);
    if (draft.side == XD_SIDES) return xd_cli_usage(cli, "side", "%s is not offer or request", given);
    return draft_and_send(cli, &draft);
}

/* --- help ----------------------------------------------------------------------------------------------- */

/* A ref that is left out is made up, so here it is optional. */
static const char *need_text(const struct xd_field *field, enum xd_side side, enum xd_kind kind)
{
    static const char *const names[] = {[XD_NEVER] = "-", [XD_OPTIONAL] = "may", [XD_REQUIRED] = "must"};
    return names[xd_field_id(field) == XD_F_REF ? XD_OPTIONAL : field->need[xd_column(side, kind)]];
}

void xd_cli_help_fields(bool request)
{
    enum xd_side side = request ? XD_REQUEST : XD_OFFER;
    printf("\n%-16s %-14s %-5s %-5s %-9s\n", "Field", "Unit", "truck", "cold", "warehouse");
    for (size_t i = 0; i < XD_FIELD_COUNT; i++) {
        const struct xd_field *field = &xd_fields[i];
        const char *truck = need_text(field, side, XD_TRUCK), *cold = need_text(field, side, XD_COLD);
        const char *warehouse = need_text(field, side, XD_WAREHOUSE);
        bool none = *truck == '-' && *cold == '-' && *warehouse == '-';
        if (none || i == XD_F_SIDE || i == XD_F_KIND) continue;
        /* A degree sign is two bytes and one column. */
        int width = 14 + (int)(strstr(field->unit, "°") != NULL);
        printf("%-16s %-*s %-5s %-5s %-9s %s%s%s\n", field->name, width, field->unit, truck, cold, warehouse,
               field->doc, field->default_text[0] ? "; default: " : "", field->default_text);
    }
}
