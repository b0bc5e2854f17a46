#include "clients/bench/market.h"

#include "clients/bench/encode.h"
#include "clients/bench/market_parts.h"

#include <stdio.h>
#include <stdlib.h>

enum { ORDER_BYTES = 8192 };

/* Of 100 orders, how many are of a side and kind. */
struct share {
    int percent;
    enum xd_side side;
    enum xd_kind kind;
};

static const struct share shares[] = {
    {45, XD_REQUEST, XD_TRUCK}, {30, XD_OFFER, XD_TRUCK},    {9, XD_REQUEST, XD_WAREHOUSE},
    {7, XD_REQUEST, XD_COLD},   {5, XD_OFFER, XD_WAREHOUSE}, {4, XD_OFFER, XD_COLD},
};

/* Who posts what: so many accounts of a kind, and the first one's index. */
struct trade {
    const char *name;
    uint32_t first, count;
};

static const struct trade carriers = {"carrier", 0, 1000};
static const struct trade shippers = {"shipper", 1000, 2596};
static const struct trade stores = {"store", 3596, 500};

static void name_accounts(struct xd_market_play *play, const struct trade *trade)
{
    for (uint32_t i = 0; i < trade->count; i++) {
        char *name = play->accounts[trade->first + i];
        snprintf(name, XD_MARKET_ACCOUNT_NAME, "%s-%04u", trade->name, i + 1);
    }
}

struct xd_market_play *xd_market_create(uint64_t seed, double road_factor)
{
    struct xd_market_play *play = calloc(1, sizeof *play);
    if (!play) return NULL;
    play->places = xd_places_create();
    if (!play->places) {
        free(play);
        return NULL;
    }
    xd_random_seed(&play->random, seed);
    play->road_factor = road_factor;
    xd_buf_init(&play->bytes, ORDER_BYTES);
    name_accounts(play, &carriers);
    name_accounts(play, &shippers);
    name_accounts(play, &stores);
    return play;
}

void xd_market_destroy(struct xd_market_play *play)
{
    if (!play) return;
    xd_places_destroy(play->places);
    xd_buf_free(&play->bytes);
    free(play);
}

static const char *draw_account(struct xd_market_play *play, enum xd_side side, enum xd_kind kind)
{
    const struct trade *trade = side == XD_REQUEST ? &shippers : kind == XD_TRUCK ? &carriers : &stores;
    int64_t index = trade->first + xd_random_between(&play->random, 0, (int64_t)trade->count - 1);
    return play->accounts[index];
}

static const struct share *draw_share(struct xd_random *random)
{
    int64_t percent = xd_random_between(random, 0, 99);
    const struct share *share = shares;
    while (percent >= share->percent)
        percent -= share++->percent;
    return share;
}

void xd_market_draw(struct xd_market_play *play, int64_t now, struct xd_market_order *out)
{
    const struct share *share = draw_share(&play->random);
    out->order = (struct xd_order){.side = share->side, .kind = share->kind};
    xd_market_gives(&out->order, XD_F_SIDE);
    xd_market_gives(&out->order, XD_F_KIND);
    if (xd_random_chance(&play->random, 0.04)) {
        out->order.confirm = XD_CONFIRM_MANUAL;
        xd_market_gives(&out->order, XD_F_CONFIRM);
    }
    out->account = draw_account(play, share->side, share->kind);
    if (share->kind == XD_TRUCK && share->side == XD_OFFER) {
        out->town = xd_market_truck_offer(play, now, &out->order);
    } else if (share->kind == XD_TRUCK) {
        out->town = xd_market_truck_request(play, now, &out->order);
    } else if (share->side == XD_OFFER) {
        out->town = xd_market_storage_offer(play, now, &out->order);
    } else {
        out->town = xd_market_storage_request(play, now, &out->order);
    }
}

static bool next(void *state, const char *ref, int64_t now, struct xd_load_order *out)
{
    struct xd_market_play *play = state;
    struct xd_market_order drawn;
    xd_market_draw(play, now, &drawn);
    drawn.order.ref = xd_str_of(ref);
    xd_market_gives(&drawn.order, XD_F_REF);
    if (!xd_encode_order(&drawn.order, drawn.account, &play->bytes)) return false;
    *out = (struct xd_load_order){
        .bytes = play->bytes.data,
        .len = play->bytes.len,
        .account = drawn.account,
        .place = xd_towns[drawn.town].name,
        .amount = drawn.order.amount[xd_main_dim((enum xd_kind)drawn.order.kind)],
        .side = (uint8_t)drawn.order.side,
        .kind = (uint8_t)drawn.order.kind,
        .manual = drawn.order.confirm == XD_CONFIRM_MANUAL,
        .splits = drawn.order.side == XD_REQUEST && drawn.order.min_part > 0,
    };
    return true;
}

static void destroy(void *state)
{
    xd_market_destroy(state);
}

struct xd_source xd_market_source(struct xd_market_play *play)
{
    return (struct xd_source){
        .state = play, .next = next, .destroy = destroy, .total = UINT64_MAX, .cancels = 0.02};
}
