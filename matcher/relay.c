#include "matcher/relay.h"

#include <stdlib.h>
#include <string.h>

struct letter {
    struct letter *next; /* to the same receiver */
    uint64_t number;
    struct xd_message message;
    size_t len;
    uint8_t bytes[];
};

/* A receiver. Letters are those that it has not seen, by number; `unsent` is the first of them that is to be
 * sent. */
struct peer {
    struct letter *first, *last, *unsent;
    uint32_t ahead; /* letters before `unsent` */
    uint32_t in_flight;
    bool known; /* where to begin was read */
    bool looking;
    bool quit;       /* begin again, once what is in flight is answered */
    int64_t look_ms; /* not before */
    int64_t moved_ms;
    int64_t patience_ms; /* beyond moved_ms, with messages outstanding */
};

struct xd_relay {
    uint16_t from, first;
    uint32_t count;
    size_t limit, backlog;
    uint64_t last;    /* entry added last */
    uint64_t trimmed; /* TRIM was said up to here */
    uint32_t turn;    /* peer to be served next */
    struct peer peers[];
};

struct xd_relay *xd_relay_create(uint16_t from, uint16_t first, uint32_t count, size_t limit)
{
    struct xd_relay *relay = calloc(1, sizeof(*relay) + count * sizeof(*relay->peers));
    if (!relay) return NULL;
    relay->from = from;
    relay->first = first;
    relay->count = count;
    for (uint32_t i = 0; i < count; i++)
        relay->peers[i].patience_ms = XD_RELAY_STUCK_MS;
    relay->limit = limit;
    return relay;
}

static void drop_first(struct xd_relay *relay, struct peer *peer)
{
    struct letter *letter = peer->first;
    if (peer->unsent == letter)
        peer->unsent = letter->next;
    else
        peer->ahead--;
    peer->first = letter->next;
    relay->backlog -= letter->len;
    free(letter);
}

void xd_relay_destroy(struct xd_relay *relay)
{
    if (!relay) return;
    for (uint32_t i = 0; i < relay->count; i++)
        while (relay->peers[i].first)
            drop_first(relay, &relay->peers[i]);
    free(relay);
}

static struct peer *peer_of(struct xd_relay *relay, uint16_t partition)
{
    uint32_t i = (uint32_t)(partition - relay->first);
    return partition >= relay->first && i < relay->count ? &relay->peers[i] : NULL;
}

bool xd_relay_add(struct xd_relay *relay, uint64_t number, const struct xd_message *message,
                  struct xd_str bytes)
{
    struct peer *peer = peer_of(relay, message->to);
    if (!peer || relay->backlog + bytes.len > relay->limit) return false;
    struct letter *letter = malloc(sizeof(*letter) + bytes.len);
    if (!letter) return false;
    *letter = (struct letter){.number = number, .message = *message, .len = bytes.len};
    memcpy(letter->bytes, bytes.at, bytes.len);
    *(peer->first ? &peer->last->next : &peer->first) = letter;
    peer->last = letter;
    if (!peer->unsent) peer->unsent = letter;
    relay->backlog += bytes.len;
    relay->last = number;
    return true;
}

/* A letter is settled when its session has seen it, or when its session is over. */
static bool is_settled(const struct letter *letter, struct xd_heard seen)
{
    const struct xd_message *m = &letter->message;
    if (m->from_gen == seen.from_gen && m->to_gen == seen.to_gen) return m->seq <= seen.seq;
    return m->from_gen <= seen.from_gen && m->to_gen <= seen.to_gen;
}

void xd_relay_seen(struct xd_relay *relay, uint16_t to, bool known, struct xd_heard seen, int64_t now_ms)
{
    struct peer *peer = peer_of(relay, to);
    if (!peer) return;
    peer->looking = false;
    peer->look_ms = now_ms + XD_RELAY_LOOK_MS;
    if (!known) return;
    bool moved = !peer->known;
    peer->known = true;
    while (peer->first && is_settled(peer->first, seen)) {
        drop_first(relay, peer);
        moved = true;
        peer->patience_ms = XD_RELAY_STUCK_MS;
    }
    if (moved) peer->moved_ms = now_ms;
}

/* Sends in flight have answers to come; until then nothing is sent, so that order holds. */
static void begin_again(struct peer *peer, int64_t now_ms)
{
    peer->quit = peer->in_flight > 0;
    peer->known = false;
    peer->unsent = peer->first;
    peer->ahead = 0;
    peer->look_ms = now_ms;
    peer->moved_ms = now_ms;
}

void xd_relay_sent(struct xd_relay *relay, uint16_t to, bool stored, int64_t now_ms)
{
    struct peer *peer = peer_of(relay, to);
    if (!peer || peer->in_flight == 0) return;
    peer->in_flight--;
    if (!stored) begin_again(peer, now_ms);
    if (peer->in_flight == 0) peer->quit = false;
}

static bool is_outstanding(const struct peer *peer)
{
    return peer->first && peer->first != peer->unsent;
}

static bool peer_step(struct peer *peer, int64_t now_ms, struct xd_relay_step *step)
{
    if (!peer->first || peer->quit) return false;
    if (peer->known && is_outstanding(peer) && now_ms - peer->moved_ms >= peer->patience_ms) {
        begin_again(peer, now_ms);
        peer->patience_ms *= 2;
        if (peer->patience_ms > XD_RELAY_STUCK_MAX_MS) peer->patience_ms = XD_RELAY_STUCK_MAX_MS;
    }
    bool look = !peer->known || (is_outstanding(peer) && peer->in_flight == 0);
    if (look && !peer->looking && now_ms >= peer->look_ms) {
        peer->looking = true;
        step->type = XD_RELAY_LOOK;
        return true;
    }
    bool full = peer->in_flight >= XD_RELAY_WINDOW || peer->ahead >= XD_RELAY_AHEAD;
    if (!peer->known || !peer->unsent || peer->quit || full) return false;
    struct letter *letter = peer->unsent;
    if (!is_outstanding(peer)) peer->moved_ms = now_ms;
    peer->unsent = letter->next;
    peer->ahead++;
    peer->in_flight++;
    *step = (struct xd_relay_step){
        .type = XD_RELAY_SEND, .number = letter->number, .bytes = letter->bytes, .len = letter->len};
    return true;
}

/* Up to which entry all were seen. */
static uint64_t seen_up_to(const struct xd_relay *relay)
{
    uint64_t up_to = relay->last;
    for (uint32_t i = 0; i < relay->count; i++) {
        const struct letter *first = relay->peers[i].first;
        if (first && first->number <= up_to) up_to = first->number - 1;
    }
    return up_to;
}

bool xd_relay_next(struct xd_relay *relay, int64_t now_ms, struct xd_relay_step *step)
{
    *step = (struct xd_relay_step){.type = XD_RELAY_TRIM};
    for (uint32_t n = 0; n < relay->count; n++) {
        uint32_t i = (relay->turn + n) % relay->count;
        if (!peer_step(&relay->peers[i], now_ms, step)) continue;
        step->to = (uint16_t)(relay->first + i);
        relay->turn = i;
        return true;
    }
    uint64_t up_to = seen_up_to(relay);
    if (up_to <= relay->trimmed) return false;
    relay->trimmed = up_to;
    step->number = up_to;
    return true;
}

int64_t xd_relay_due_ms(const struct xd_relay *relay, int64_t now_ms)
{
    int64_t due = INT64_MAX;
    for (uint32_t i = 0; i < relay->count; i++) {
        const struct peer *peer = &relay->peers[i];
        if (!peer->first || peer->quit || peer->looking) continue;
        int64_t at = peer->look_ms > now_ms ? peer->look_ms : now_ms;
        if (at < due) due = at;
    }
    return due;
}

size_t xd_relay_backlog(const struct xd_relay *relay)
{
    return relay->backlog;
}
