/* crossdock explain, and what it and crossdock what-if print. */
#include "clients/cli/explain.h"
#include "clients/cli/view.h"
#include "core/schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void print_view(const msgpack_object *map, const char *key)
{
    char text[XD_VIEW];
    xd_cli_print(xd_str_of(xd_view(map, key, text)));
}

static int64_t number(const msgpack_object *map, const char *key)
{
    int64_t value = 0;
    xd_mp_get_int(map, key, &value);
    return value;
}

static bool says(const msgpack_object *map, const char *key, const char *text)
{
    char value[XD_VIEW];
    return strcmp(xd_view(map, key, value), text) == 0;
}

static bool is_true(const msgpack_object *map, const char *key)
{
    const msgpack_object *value = xd_mp_get(map, key);
    return value && value->type == MSGPACK_OBJECT_BOOLEAN && value->via.boolean;
}

/* The entries of a list, or none. */
static const msgpack_object_array *list_of(const msgpack_object *map, const char *key)
{
    static const msgpack_object_array none = {0};
    const msgpack_object *list = xd_mp_get(map, key);
    return list && list->type == MSGPACK_OBJECT_ARRAY ? &list->via.array : &none;
}

/* What the other side of an order is called. */
static const char *others(const msgpack_object *explanation, int64_t count)
{
    if (says(explanation, "side", xd_side_names[XD_OFFER])) return count == 1 ? "request" : "requests";
    if (says(explanation, "kind", xd_kind_names[XD_TRUCK])) return count == 1 ? "truck" : "trucks";
    if (says(explanation, "kind", xd_kind_names[XD_COLD])) return count == 1 ? "chamber" : "chambers";
    return count == 1 ? "warehouse" : "warehouses";
}

/* "request K-7 (cold, 12 pallets): " */
static void print_order(const msgpack_object *explanation)
{
    char amount[XD_VIEW];
    print_view(explanation, "side");
    if (xd_mp_get(explanation, "ref")) putchar(' ');
    print_view(explanation, "ref");
    fputs(" (", stdout);
    print_view(explanation, "kind");
    printf(", ");
    bool has_open = xd_mp_get(explanation, "open");
    xd_cli_print(xd_str_of(xd_view_amount(explanation, has_open ? "open" : "amount", amount)));
    fputs("): ", stdout);
}

static void print_outcome(const msgpack_object *explanation)
{
    int64_t in_reach = number(explanation, "in_reach"), fits = number(explanation, "fits");
    uint32_t matches = list_of(explanation, "matches")->size;
    char remaining[XD_VIEW];
    if (matches > 0) {
        printf("%" PRIu32 "%s match%s", matches, is_true(explanation, "more") ? " or more" : "",
               matches == 1 ? "" : "es");
        bool rest = xd_mp_get(explanation, "remaining") && !says(explanation, "remaining", "0");
        if (rest) printf(", %s unmatched", xd_view_amount(explanation, "remaining", remaining));
    } else if (fits > 0) {
        printf("%" PRId64 " would match", fits);
    } else {
        fputs("no match", stdout);
    }
    printf(" among %" PRId64 " %s in reach", in_reach, others(explanation, in_reach));
    puts(is_true(explanation, "complete") ? "" : " that were looked at; there are more, farther away");
}

static void print_when(const msgpack_object *match)
{
    char first[XD_VIEW], last[XD_VIEW];
    const msgpack_object *pickup = xd_mp_get(match, "pickup"), *delivery = xd_mp_get(match, "delivery");
    if (pickup && delivery) {
        xd_view_time(pickup, "eta", first);
        xd_view_time(delivery, "eta", last);
    } else {
        xd_view(match, "from_day", first);
        xd_view(match, "until_day", last);
    }
    printf("%s to %s", first, last);
}

static void print_match(const msgpack_object *match)
{
    char state[XD_VIEW], amounts[XD_VIEW], price[XD_VIEW], quote[XD_VIEW], km[XD_VIEW];
    printf("  %s  %s  at %s (quote %s)  %s km  ", xd_view(match, "state", state),
           xd_view_amounts(match, amounts), xd_view_money(match, "price", price),
           xd_view_money(match, "quote", quote), xd_view(match, "km", km));
    print_when(match);
    putchar('\n');
}

static void print_reason(const msgpack_object *reason)
{
    char name[XD_VIEW];
    printf("  %-12s %5" PRId64, xd_view(reason, "reason", name), number(reason, "count"));
    const msgpack_object *nearest = xd_mp_get(reason, "nearest");
    struct xd_str text;
    if (nearest && xd_mp_get_str(nearest, "text", &text)) {
        fputs("   ", stdout);
        xd_cli_print(text);
    }
    putchar('\n');
}

enum xd_exit xd_cli_tell_explanation(const struct xd_cli *cli, const msgpack_object *explanation)
{
    if (cli->settings.json) {
        xd_cli_json(explanation);
        return XD_EXIT_DONE;
    }
    print_order(explanation);
    print_outcome(explanation);
    const msgpack_object_array *matches = list_of(explanation, "matches"),
                               *reasons = list_of(explanation, "reasons");
    for (uint32_t i = 0; i < matches->size; i++)
        print_match(&matches->ptr[i]);
    for (uint32_t i = 0; i < reasons->size; i++)
        print_reason(&reasons->ptr[i]);
    return XD_EXIT_DONE;
}

enum xd_exit xd_cli_explain(struct xd_cli *cli)
{
    struct xd_buf params;
    xd_client_reply reply;
    xd_cli_params(cli, &params, 1);
    xd_cli_order_name(&params, cli->args[0]);
    enum xd_exit status = xd_cli_connect(cli, NULL, NULL);
    if (status == XD_EXIT_DONE) status = xd_cli_ask(cli, "explain", &params, &reply);
    xd_buf_free(&params);
    if (status != XD_EXIT_DONE) return status;
    status = xd_cli_tell_explanation(cli, &reply.result);
    xd_client_reply_free(&reply);
    return status;
}
