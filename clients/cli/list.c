/* crossdock orders, crossdock matches: a listing, page by page. */
#include "clients/cli/cli.h"
#include "clients/cli/table.h"
#include "clients/cli/view.h"
#include "core/pair.h"

#include <stdio.h>

enum { PAGE = 500, AFTER_MAX = 64 };

struct listing {
    const char *method; /* and the key of the rows in the result */
    const struct xd_column_head *heads;
    size_t columns;
    void (*add_row)(struct xd_text_table *table, const msgpack_object *row);
};

static const struct xd_column_head order_heads[] = {
    {"ID", false, 9},     {"REF", false, 12}, {"ACCOUNT", false, 12},
    {"SIDE", false, 7},   {"KIND", false, 9}, {"STATE", false, 9},
    {"AMOUNT", true, 12}, {"OPEN", true, 7},  {"VALID UNTIL", false, 0},
};

static void add_order(struct xd_text_table *table, const msgpack_object *order)
{
    static const char *const plain[] = {"id", "ref", "account", "side", "kind", "state"};
    char text[XD_VIEW];
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        xd_table_cell(table, xd_view(order, plain[i], text));
    xd_table_cell(table, xd_view_amount(order, "amount", text));
    xd_table_cell(table, xd_view(order, "open", text));
    xd_table_cell(table, xd_view_time(order, "valid_until", text));
}

static const struct xd_column_head match_heads[] = {
    {"ID", false, 9},     {"KIND", false, 9},     {"STATE", false, 9},
    {"OFFER", false, 20}, {"REQUEST", false, 20}, {"AMOUNT", false, 20},
    {"PRICE", true, 12},  {"KM", true, 8},        {"WHEN", false, 0},
};

static void add_match(struct xd_text_table *table, const msgpack_object *match)
{
    char text[XD_VIEW];
    xd_table_cell(table, xd_view(match, "id", text));
    xd_table_cell(table, xd_view(match, "kind", text));
    xd_table_cell(table, xd_view(match, "state", text));
    xd_table_cell(table, xd_view_party(match, "offer", text));
    xd_table_cell(table, xd_view_party(match, "request", text));
    xd_table_cell(table, xd_view_amounts(match, text));
    xd_table_cell(table, xd_view_money(match, "price", text));
    xd_table_cell(table, xd_view(match, "km", text));
    xd_table_cell(table, xd_view_when(match, text));
}

static void pack_page(const struct xd_cli *cli, const char *after, struct xd_buf *params)
{
    const char *state = cli->settings.state;
    xd_cli_params(cli, params, 1u + (state[0] != '\0') + (after[0] != '\0'));
    xd_pair_int(params, "limit", PAGE);
    if (state[0]) {
        xd_pair_cstr(params, "state", state);
    }
    if (after[0]) {
        xd_pair_cstr(params, "after", after);
    }
}

static void print_page(const struct xd_cli *cli, const struct listing *listing, const msgpack_object *result,
                       struct xd_text_table *table)
{
    const msgpack_object *rows = xd_mp_get(result, listing->method);
    if (!rows || rows->type != MSGPACK_OBJECT_ARRAY) return;
    for (uint32_t i = 0; i < rows->via.array.size; i++) {
        if (cli->settings.json)
            xd_cli_json(&rows->via.array.ptr[i]);
        else
            listing->add_row(table, &rows->via.array.ptr[i]);
    }
    if (!cli->settings.json) xd_table_print(table);
}

/* Prints the page after *after; then it is the next one's, or empty when this was the last. */
static enum xd_exit one_page(struct xd_cli *cli, const struct listing *listing, char after[static AFTER_MAX],
                             struct xd_text_table *table)
{
    struct xd_buf params;
    xd_client_reply reply;
    pack_page(cli, after, &params);
    enum xd_exit status = xd_cli_ask(cli, listing->method, &params, &reply);
    xd_buf_free(&params);
    if (status != XD_EXIT_DONE) return status;
    print_page(cli, listing, &reply.result, table);
    struct xd_str next = {"", 0};
    xd_mp_get_str(&reply.result, "next", &next);
    snprintf(after, AFTER_MAX, "%.*s", (int)next.len, next.at);
    xd_client_reply_free(&reply);
    return XD_EXIT_DONE;
}

static enum xd_exit list(struct xd_cli *cli, const struct listing *listing)
{
    struct xd_text_table table;
    char after[AFTER_MAX] = "";
    xd_table_init(&table, listing->heads, listing->columns);
    enum xd_exit status = xd_cli_connect(cli, NULL, NULL);
    if (status == XD_EXIT_DONE) {
        do {
            status = one_page(cli, listing, after, &table);
        } while (status == XD_EXIT_DONE && after[0]);
    }
    xd_table_free(&table);
    return status;
}

enum xd_exit xd_cli_orders(struct xd_cli *cli)
{
    static const struct listing orders = {"orders", order_heads, sizeof order_heads / sizeof *order_heads,
                                          add_order};
    return list(cli, &orders);
}

enum xd_exit xd_cli_matches(struct xd_cli *cli)
{
    static const struct listing matches = {"matches", match_heads, sizeof match_heads / sizeof *match_heads,
                                           add_match};
    return list(cli, &matches);
}
