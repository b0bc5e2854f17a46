/* The other partitions of the kind: sessions, and messages numbered in them. */
#include "core/id.h"
#include "engine/border/border.h"

int xd_peer_range(const struct xd_border *border, uint64_t partition)
{
    if (partition < border->first || partition - border->first >= border->layout.count) return -1;
    return (int)(partition - border->first);
}

unsigned xd_home_range(const struct xd_border *border, uint64_t id)
{
    return (unsigned)(xd_id_partition(id) - border->first) % XD_RANGES_MAX;
}

bool xd_peer_take(struct xd_border *border, const struct xd_message_head *head)
{
    int range = xd_peer_range(border, head->from);
    if (range < 0 || range == border->own) return false;
    struct xd_peer *peer = &border->peers[range];
    if (head->from_gen != peer->gen || head->to_gen != border->generation || head->seq != peer->seen + 1)
        return false;
    peer->seen++;
    return true;
}

uint64_t xd_peer_next_end(struct xd_border *border, unsigned range)
{
    struct xd_peer *peer = &border->peers[range];
    uint64_t before = (uint64_t)border->generation << 32;
    if (peer->ended < before) peer->ended = before;
    return ++peer->ended;
}

void xd_peer_send(struct xd_engine *engine, unsigned range, struct xd_record *message)
{
    struct xd_border *border = engine->border;
    struct xd_peer *peer = &border->peers[range];
    message->head = (struct xd_message_head){.from = (uint64_t)border->first + border->own,
                                             .from_gen = border->generation,
                                             .to_gen = peer->gen,
                                             .seq = ++peer->sent};
    xd_record_pack(message, &engine->output->messages);
    xd_output_end_message(engine->output, (struct xd_message){.seq = peer->sent,
                                                              .from_gen = border->generation,
                                                              .to_gen = peer->gen,
                                                              .to = (uint16_t)(border->first + range)});
}

bool xd_engine_peer(const struct xd_engine *engine, uint16_t partition, struct xd_engine_peer *out)
{
    const struct xd_border *border = engine->border;
    int range = border ? xd_peer_range(border, partition) : -1;
    if (range < 0 || range == border->own) return false;
    const struct xd_peer *peer = &border->peers[range];
    *out = (struct xd_engine_peer){
        .own_gen = border->generation, .gen = peer->gen, .sent = peer->sent, .seen = peer->seen};
    return true;
}
