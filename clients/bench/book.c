#include "clients/bench/book.h"

#include "clients/bench/encode.h"
#include "clients/bench/places.h"
#include "core/schema.h"

#include <stdlib.h>
#include <string.h>

enum { ORDER_BYTES = 8192, REF_LEN = XD_LOAD_REF - 1, ALL = XD_BOOK_OFFERS + XD_BOOK_REQUESTS };

/* Stands where the ref will be written. */
static const char no_ref[XD_LOAD_REF] = "------------------";

struct page {
    struct xd_load_order order; /* bytes are its own */
    uint8_t *bytes;
    size_t ref_at;
};

struct book {
    struct xd_market_play *play; /* owns the accounts' names */
    struct page pages[ALL];      /* the offers, then the requests */
    uint64_t next;
};

static void destroy(void *state)
{
    struct book *book = state;
    if (!book) return;
    for (int i = 0; i < ALL; i++)
        free(book->pages[i].bytes);
    xd_market_destroy(book->play);
    free(book);
}

/* Storage that is as good as endless, for goods that may lie anywhere: what matches at first goes on
 * matching. */
static void deepen(struct xd_order *order)
{
    enum { DEEPER = 1000, ACCESS_E4 = 1000 };
    enum xd_dim dim = xd_main_dim((enum xd_kind)order->kind);
    int64_t most = xd_fields[dim == XD_M2 ? XD_F_M2 : XD_F_PALLETS].max;
    if (order->side == XD_REQUEST) {
        order->radius_m = 1500 * 1000;
        order->per_access_km = ACCESS_E4;
    } else {
        order->amount[dim] = order->amount[dim] < most / DEEPER ? order->amount[dim] * DEEPER : most;
    }
}

/* The market's next order of a side and kind, made to be matched at once and without hands. */
static void draw(struct book *book, enum xd_side side, int kind, int64_t now, struct xd_market_order *out)
{
    do {
        xd_market_draw(book->play, now, out);
    } while (out->order.side != (int64_t)side || (kind >= 0 && out->order.kind != kind));
    out->order.given &= ~(UINT64_C(1) << XD_F_CONFIRM);
    out->order.ref = xd_str_of(no_ref);
    out->order.given |= UINT64_C(1) << XD_F_REF;
    if (out->order.kind != XD_TRUCK) deepen(&out->order);
    if (side == XD_OFFER) return;
    out->order.fill = XD_FILL_NOW;
    out->order.given |= UINT64_C(1) << XD_F_FILL;
}

static bool write_page(struct book *book, struct page *page, enum xd_side side, int kind, int64_t now)
{
    uint8_t scratch[ORDER_BYTES];
    struct xd_buf bytes = {.data = scratch, .cap = sizeof scratch, .limit = sizeof scratch}; /* never grows */
    struct xd_market_order drawn;
    draw(book, side, kind, now, &drawn);
    if (!xd_encode_order(&drawn.order, drawn.account, &bytes)) return false;
    page->bytes = malloc(bytes.len);
    if (!page->bytes) return false;
    memcpy(page->bytes, bytes.data, bytes.len);
    page->ref_at = xd_encode_find(bytes.data, bytes.len, no_ref);
    page->order = (struct xd_load_order){
        .bytes = page->bytes,
        .len = bytes.len,
        .account = drawn.account,
        .place = xd_towns[drawn.town].name,
        .amount = drawn.order.amount[xd_main_dim((enum xd_kind)drawn.order.kind)],
        .side = (uint8_t)side,
        .kind = (uint8_t)drawn.order.kind,
        .splits = side == XD_REQUEST && drawn.order.min_part > 0,
    };
    return true;
}

static bool next(void *state, const char *ref, int64_t now, struct xd_load_order *out)
{
    struct book *book = state;
    uint64_t at = book->next++;
    if (at >= ALL) at = XD_BOOK_OFFERS + (at - XD_BOOK_OFFERS) % XD_BOOK_REQUESTS;
    struct page *page = &book->pages[at];
    (void)now;
    memcpy(page->bytes + page->ref_at, ref, REF_LEN);
    *out = page->order;
    return true;
}

bool xd_book_source(struct xd_market_play *play, int kind, int64_t now, struct xd_source *out)
{
    struct book *book = calloc(1, sizeof *book);
    if (!book) {
        xd_market_destroy(play);
        return false;
    }
    book->play = play;
    for (int i = 0; i < ALL; i++) {
        if (write_page(book, &book->pages[i], i < XD_BOOK_OFFERS ? XD_OFFER : XD_REQUEST, kind, now))
            continue;
        destroy(book);
        return false;
    }
    *out = (struct xd_source){
        .state = book, .next = next, .destroy = destroy, .setup = XD_BOOK_OFFERS, .total = UINT64_MAX};
    return true;
}
