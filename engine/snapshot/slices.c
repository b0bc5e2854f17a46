/* A snapshot made in slices: the state as it was at its beginning, while records go on being applied.
 *
 *      orders as they came  saved so far | still to come: saved in passing, or kept aside | came since: not in it
 *                                      reached                                     the end
 *
 * What is about to change, or to go, and is still to come, is packed as it is and kept aside until the walk gets there. Then
 * the same for matches, by id. */
#include "engine/border/border.h"

#include <stdlib.h>
#include <string.h>

static const size_t BORDER_MAX = (size_t)1 << 32;
static const size_t PACKED_MAX = (size_t)64 << 20; /* of one order, far above what any comes to */

/* How an order or match was. */
struct image {
    uint64_t key; /* xd_slot.entered of an order, id of a match */
    uint64_t id;
    uint32_t len;
    uint8_t bytes[];
};

/* The least key first. */
struct images {
    struct image **heap;
    uint32_t count, room;
};

struct xd_slices {
    struct xd_buf header; /* as it was; empty once it has been given */
    struct xd_buf border; /* the same of what comes last: ghosts and the like */
    struct xd_buf bytes;  /* what is to be kept is packed here first */
    bool failed;
    xd_link order; /* the next to come to, or 0 */
    struct xd_deal *deal;
    uint64_t orders_reached, orders_end; /* xd_slot.entered: all below are saved; what is not in it */
    uint64_t deals_reached, deals_end;   /* ids */
    struct images orders, deals;
};

/* --- images ----------------------------------------------------------------------------------------------------------------- */

static bool push(struct images *images, struct image *image)
{
    if (images->count == images->room) {
        uint32_t room = images->room ? images->room * 2 : 64;
        struct image **heap = realloc(images->heap, room * sizeof(*heap));
        if (!heap) return false;
        images->heap = heap;
        images->room = room;
    }
    uint32_t i = images->count++;
    for (; i > 0 && images->heap[(i - 1) / 2]->key > image->key; i = (i - 1) / 2) {
        images->heap[i] = images->heap[(i - 1) / 2];
    }
    images->heap[i] = image;
    return true;
}

static struct image *pop(struct images *images)
{
    struct image *top = images->heap[0], *last = images->heap[--images->count];
    uint32_t i = 0;
    for (uint32_t child = 1; child < images->count; child = 2 * i + 1) {
        if (child + 1 < images->count && images->heap[child + 1]->key < images->heap[child]->key) child++;
        if (images->heap[child]->key >= last->key) break;
        images->heap[i] = images->heap[child];
        i = child;
    }
    if (images->count) images->heap[i] = last;
    return top;
}

/* Keeps what slices->bytes holds. */
static void keep(struct xd_slices *slices, struct images *images, uint64_t key, uint64_t id, struct xd_mark *mark)
{
    const struct xd_buf *bytes = &slices->bytes;
    struct image *image = bytes->failed ? NULL : malloc(sizeof *image + bytes->len);
    if (image) {
        *image = (struct image){.key = key, .id = id, .len = (uint32_t)bytes->len};
        memcpy(image->bytes, bytes->data, bytes->len);
    }
    if (image && push(images, image)) {
        mark->kept = true;
        return;
    }
    free(image);
    slices->failed = true;
}

void xd_slices_keep_order(struct xd_engine *engine, struct xd_slot *slot)
{
    struct xd_slices *slices = engine->slices;
    if (slot->mark.kept || slot->entered < slices->orders_reached || slot->entered >= slices->orders_end) return;
    xd_buf_clear(&slices->bytes);
    xd_pack_order(slot, &slices->bytes);
    keep(slices, &slices->orders, slot->entered, slot->id, &slot->mark);
}

void xd_slices_keep_match(struct xd_engine *engine, struct xd_deal *deal)
{
    struct xd_slices *slices = engine->slices;
    if (deal->mark.kept || deal->id < slices->deals_reached || deal->id >= slices->deals_end) return;
    xd_buf_clear(&slices->bytes);
    xd_pack_match(deal, &slices->bytes);
    keep(slices, &slices->deals, deal->id, deal->id, &deal->mark);
}

void xd_slices_pass_order(struct xd_engine *engine, const struct xd_slot *slot)
{
    if (engine->slices && engine->slices->order == xd_pool_link(slot)) engine->slices->order = slot->everybody.after;
}

void xd_slices_replace_order(struct xd_engine *engine, xd_link was, xd_link is)
{
    if (engine->slices && engine->slices->order == was) engine->slices->order = is;
}

void xd_slices_pass_match(struct xd_engine *engine, const struct xd_deal *deal)
{
    if (engine->slices && engine->slices->deal == deal) engine->slices->deal = deal->after;
}

/* --- the walk --------------------------------------------------------------------------------------------------------------- */

static void give_image(struct images *images, struct xd_buf *out)
{
    struct image *image = pop(images);
    xd_buf_add(out, image->bytes, image->len);
    free(image);
}

/* Whether an image comes next: its order may be the next of the walk, or no longer be in it. */
static bool image_is_next(const struct images *images, bool more, uint64_t key)
{
    return images->count && (!more || images->heap[0]->key <= key);
}

/* False when all orders have been given. */
static bool give_order(struct xd_engine *engine, struct xd_buf *out)
{
    struct xd_slices *slices = engine->slices;
    struct xd_slot *slot = xd_slot_at(engine, slices->order);
    bool more = slot && slot->entered < slices->orders_end;
    if (image_is_next(&slices->orders, more, more ? slot->entered : 0)) {
        const struct image *image = slices->orders.heap[0];
        struct xd_slot *kept = xd_table_get(&engine->orders, image->id);
        if (kept) kept->mark.kept = false;
        if (more && kept == slot) slices->order = slot->everybody.after;
        slices->orders_reached = image->key + 1;
        give_image(&slices->orders, out);
        return true;
    }
    if (!more) return false;
    size_t at = out->len;
    xd_pack_order(slot, out);
    if (!out->failed) xd_mark_hash(engine->unhashed, &slot->mark, out->data + at, out->len - at);
    slices->orders_reached = slot->entered + 1;
    slices->order = slot->everybody.after;
    return true;
}

static bool give_match(struct xd_engine *engine, struct xd_buf *out)
{
    struct xd_slices *slices = engine->slices;
    struct xd_deal *deal = slices->deal;
    bool more = deal && deal->id < slices->deals_end;
    if (image_is_next(&slices->deals, more, more ? deal->id : 0)) {
        uint64_t id = slices->deals.heap[0]->id;
        if (more && deal->id == id) {
            deal->mark.kept = false;
            slices->deal = deal->after;
        }
        slices->deals_reached = id + 1;
        give_image(&slices->deals, out);
        return true;
    }
    if (!more) return false;
    size_t at = out->len;
    xd_pack_match(deal, out);
    if (!out->failed) xd_mark_hash(engine->unhashed, &deal->mark, out->data + at, out->len - at);
    slices->deals_reached = deal->id + 1;
    slices->deal = deal->after;
    return true;
}

/* --- the parts of engine.h -------------------------------------------------------------------------------------------------- */

bool xd_engine_save_begin(struct xd_engine *engine)
{
    struct xd_slices *slices = engine->slices ? NULL : calloc(1, sizeof *slices);
    if (!slices) return false;
    xd_buf_init(&slices->header, PACKED_MAX);
    xd_buf_init(&slices->bytes, PACKED_MAX);
    xd_pack_header(engine, &slices->header);
    xd_buf_init(&slices->border, BORDER_MAX);
    xd_border_pack(engine, &slices->border, NULL);
    slices->failed = slices->header.failed || slices->border.failed;
    slices->order = engine->first_order;
    slices->deal = engine->first_deal;
    slices->orders_end = engine->next_entered;
    slices->deals_end = xd_id(engine->options.partition, engine->next_match);
    engine->slices = slices;
    return true;
}

enum xd_save_result xd_engine_save_some(struct xd_engine *engine, uint32_t most, struct xd_buf *out)
{
    struct xd_slices *slices = engine->slices;
    xd_buf_add(out, slices->header.data, slices->header.len);
    xd_buf_clear(&slices->header);
    bool more = true;
    while (more && most-- && !slices->failed && !out->failed) {
        more = give_order(engine, out) || give_match(engine, out);
    }
    if (!more) xd_buf_add(out, slices->border.data, slices->border.len);
    if (slices->failed || out->failed || engine->failed) {
        xd_engine_save_abandon(engine);
        return XD_SAVE_FAILED;
    }
    if (more) return XD_SAVE_GOES_ON;
    xd_engine_save_abandon(engine);
    return XD_SAVE_WHOLE;
}

static void free_images(struct images *images)
{
    for (uint32_t i = 0; i < images->count; i++) {
        free(images->heap[i]);
    }
    free(images->heap);
}

/* What is kept of orders and matches that are still there is not kept any more. */
static void unmark(struct xd_engine *engine)
{
    const struct xd_slices *slices = engine->slices;
    for (uint32_t i = 0; i < slices->orders.count; i++) {
        struct xd_slot *slot = xd_table_get(&engine->orders, slices->orders.heap[i]->id);
        if (slot) slot->mark.kept = false;
    }
    for (uint32_t i = 0; i < slices->deals.count; i++) {
        struct xd_deal *deal = xd_table_get(&engine->deals, slices->deals.heap[i]->id);
        if (deal) deal->mark.kept = false;
    }
}

void xd_engine_save_abandon(struct xd_engine *engine)
{
    struct xd_slices *slices = engine->slices;
    if (!slices) return;
    unmark(engine);
    engine->slices = NULL;
    free_images(&slices->orders);
    free_images(&slices->deals);
    xd_buf_free(&slices->bytes);
    xd_buf_free(&slices->header);
    xd_buf_free(&slices->border);
    free(slices);
}
