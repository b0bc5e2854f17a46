/* orders, matches and state_hash: read from the engine at once, shown when what was read is durable. */
#include "broker/method.h"
#include "broker/page.h"

#include <inttypes.h>
#include <stdlib.h>

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 1000 };

/* A page that would be longer is made of fewer entries, so that no client has to take longer messages than
 * the broker. */
enum { PAGE_BYTES = 768 << 10 };

struct kind {
    const char *list; /* the result's key */
    const char *(*state_name)(int state);
    int states;
    bool (*parse)(const char *text, size_t len, uint64_t *id);
    size_t (*format)(uint64_t id, char out[static XD_ID_TEXT]);
    uint32_t (*read)(const struct xd_engine *engine, const struct xd_listing *listing, struct xd_buf *out,
                     uint64_t *last, bool *more);
};

static const char *order_state(int state)
{
    return xd_order_state_name((enum xd_order_state)state);
}

static const char *match_state(int state)
{
    return xd_match_state_name((enum xd_match_state)state);
}

static const struct kind orders = {"orders",          order_state,        XD_ORDER_STATE_COUNT,
                                   xd_order_id_parse, xd_order_id_format, xd_engine_list_orders};
static const struct kind matches = {"matches",         match_state,        XD_MATCH_STATE_COUNT,
                                    xd_match_id_parse, xd_match_id_format, xd_engine_list_matches};

static bool read_listing(const struct xd_call *call, const struct kind *kind, struct xd_listing *out,
                         struct xd_error *error)
{
    struct xd_str state, after;
    int64_t limit = 0;
    *out = (struct xd_listing){.account = xd_session_account(call->session), .state = -1};
    if (!xd_param_text(call, "state", true, &state, error) ||
        !xd_param_text(call, "after", true, &after, error) ||
        !xd_param_int(call, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &limit, error))
        return false;
    out->limit = (uint32_t)limit;
    if (after.len > 0 && !kind->parse(after.at, after.len, &out->after))
        return xd_fail(error, XD_BAD_PARAMS, "after", "not an id that a page before ended with");
    if (state.len == 0) return true;
    for (int i = 0; i < kind->states; i++)
        if (xd_str_equal(state, xd_str_of(kind->state_name(i)))) out->state = i;
    if (out->state >= 0) return true;
    return xd_fail(error, XD_BAD_PARAMS, "state", "there is no such state of %s", kind->list);
}

/* The entries of one page into `entries`; fewer than asked for where they are long. */
static uint32_t read_page(const struct xd_engine *engine, const struct kind *kind, struct xd_listing listing,
                          struct xd_buf *entries, uint64_t *last, bool *more)
{
    for (;;) {
        xd_buf_clear(entries);
        *last = 0;
        *more = false;
        uint32_t count = kind->read(engine, &listing, entries, last, more);
        if ((entries->len <= PAGE_BYTES && !entries->failed) || listing.limit == 1) return count;
        listing.limit /= 2;
    }
}

static void write_page(struct xd_buf *out, const struct xd_engine *engine, const struct kind *kind,
                       const struct xd_listing *listing)
{
    struct xd_buf entries;
    uint64_t last = 0;
    bool more = false;
    xd_buf_init(&entries, out->limit);
    uint32_t count = read_page(engine, kind, *listing, &entries, &last, &more);
    xd_mp_map(out, 2);
    xd_mp_cstr(out, kind->list);
    xd_mp_array(out, count);
    xd_buf_add(out, entries.data, entries.len);
    out->failed = out->failed || entries.failed;
    xd_mp_cstr(out, "next");
    if (more) {
        char id[XD_ID_TEXT];
        xd_mp_str(out, id, kind->format(last, id));
    } else {
        xd_mp_nil(out);
    }
    xd_buf_free(&entries);
}

static void list(const struct xd_call *call, const struct kind *kind)
{
    struct xd_listing listing;
    struct xd_error error;
    struct xd_engine *engine = NULL;
    if (!read_listing(call, kind, &listing, &error)) {
        xd_reply_error(&call->reply, &error);
        return;
    }
    struct xd_page *page = xd_page_begin(&call->reply, &engine);
    if (!page) return;
    write_page(&page->value, engine, kind, &listing);
    xd_page_show(page);
}

void xd_method_orders(struct xd_call *call)
{
    list(call, &orders);
}

void xd_method_matches(struct xd_call *call)
{
    list(call, &matches);
}

void xd_method_state_hash(struct xd_call *call)
{
    struct xd_engine *engine = NULL;
    struct xd_page *page = xd_page_begin(&call->reply, &engine);
    if (!page) return;
    char hash[24];
    snprintf(hash, sizeof(hash), "%016" PRIx64, xd_engine_state_hash(engine));
    struct xd_buf *out = &page->value;
    xd_mp_map(out, 1);
    xd_mp_cstr(out, "partitions");
    xd_mp_array(out, 1);
    xd_mp_map(out, 3);
    xd_mp_cstr(out, "partition");
    xd_mp_int(out, 0);
    xd_mp_cstr(out, "records");
    xd_mp_uint(out, xd_owner_position(call->broker->owner));
    xd_mp_cstr(out, "hash");
    xd_mp_cstr(out, hash);
    xd_page_show(page);
}
