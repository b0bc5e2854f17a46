#include "tests/sim/audit.h"

#include "tests/sim/told.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* What was told of an order. */
struct known_order {
    uint64_t id;
    unsigned number; /* in the market */
    bool accepted, refused, ended;
    int64_t amount[XD_DIMS]; /* as amended; 0: as it was written */
};

struct known_match {
    uint64_t id;
    unsigned offer, request; /* numbers in the market */
    int64_t amount[XD_DIMS];
    enum xd_match_state state;
    bool closed; /* its requester has cancelled it: that part is not open again */
};

struct sim_audit {
    struct known_order *orders;
    size_t order_count;
    struct known_match *matches;
    size_t match_count;
    uint64_t *refused; /* ids of orders, also of what is lost: their refs were given free */
    size_t refused_count;
    bool forgot; /* partitions have lost writes: until they have settled that, one may hold of an order what
                    another gave away */
};

struct sim_audit *sim_audit_create(struct sim_world *world)
{
    (void)world;
    return sim_new(sizeof(struct sim_audit));
}

void sim_audit_destroy(struct sim_audit *audit)
{
    free(audit->orders);
    free(audit->matches);
    free(audit->refused);
    free(audit);
}

size_t sim_audit_matches(const struct sim_audit *audit)
{
    return audit->match_count;
}

static struct known_order *find_order(const struct sim_audit *audit, uint64_t id)
{
    for (size_t i = 0; i < audit->order_count; i++) {
        if (audit->orders[i].id == id) return &audit->orders[i];
    }
    return NULL;
}

static struct known_match *find_match(const struct sim_audit *audit, uint64_t id)
{
    for (size_t i = 0; i < audit->match_count; i++) {
        if (audit->matches[i].id == id) return &audit->matches[i];
    }
    return NULL;
}

bool sim_audit_refused(const struct sim_audit *audit, uint64_t order_id)
{
    for (size_t i = 0; i < audit->refused_count; i++) {
        if (audit->refused[i] == order_id) return true;
    }
    return false;
}

bool sim_audit_accepted(const struct sim_audit *audit, uint64_t order_id)
{
    const struct known_order *order = find_order(audit, order_id);
    return order && order->accepted;
}

/* The market's number of an order; SIM_ORDERS_MAX of what is not its ref. */
static unsigned number_in(struct xd_str ref)
{
    char text[16] = "";
    if (ref.len < sizeof text) memcpy(text, ref.at, ref.len);
    return text[0] == 'r' ? (unsigned)strtoul(text + 1, NULL, 10) : SIM_ORDERS_MAX;
}

bool sim_audit_parted(const struct sim_world *world, struct xd_str offer_ref, struct xd_str request_ref)
{
    const struct sim_audit *audit = world->audit;
    unsigned offer = number_in(offer_ref), request = number_in(request_ref);
    for (size_t i = 0; i < audit->match_count; i++) {
        const struct known_match *match = &audit->matches[i];
        bool ended = match->state == XD_MATCH_DECLINED || match->state == XD_MATCH_LAPSED ||
                     match->state == XD_MATCH_CANCELLED;
        if (ended && match->offer == offer && match->request == request) return true;
    }
    return false;
}

/* The account must be its own. */
static bool number_of(struct sim_world *world, const struct sim_told_party *party, unsigned *out)
{
    *out = number_in(party->ref);
    bool good = *out < world->market->order_count &&
                xd_str_equal(party->account, xd_str_of(world->market->orders[*out].account));
    if (!good)
        sim_fail(world, "an event of an order that nobody wrote: %.*s", (int)party->ref.len, party->ref.at);
    return good;
}

static int64_t amount_of(const struct sim_world *world, unsigned number, unsigned dim)
{
    const struct sim_audit *audit = world->audit;
    for (size_t i = 0; i < audit->order_count; i++) {
        const struct known_order *order = &audit->orders[i];
        if (order->number == number && order->accepted && order->amount[dim]) return order->amount[dim];
    }
    return world->market->orders[number].order.amount[dim];
}

/* --- orders --------------------------------------------------------------------------------------------- */

static struct known_order *note_order(struct sim_world *world, const struct sim_told_party *party)
{
    struct sim_audit *audit = world->audit;
    struct known_order *order = find_order(audit, party->id);
    unsigned number;
    if (!number_of(world, party, &number)) return NULL;
    if (order) {
        if (order->number != number)
            sim_fail(world, "order %llx is r%u and r%u", (unsigned long long)party->id, number,
                     order->number);
        return order;
    }
    audit->orders = sim_grown(audit->orders, audit->order_count, sizeof *audit->orders);
    audit->orders[audit->order_count] = (struct known_order){.id = party->id, .number = number};
    return &audit->orders[audit->order_count++];
}

static void check_accepted_once(struct sim_world *world, const struct known_order *order)
{
    const struct sim_audit *audit = world->audit;
    if (order->accepted) sim_fail(world, "r%u was accepted twice", order->number);
    for (size_t i = 0; i < audit->order_count; i++) {
        const struct known_order *other = &audit->orders[i];
        if (other != order && other->number == order->number && other->accepted) {
            sim_fail(world, "r%u is two orders: a retry became another", order->number);
        }
    }
}

static void note_refused(struct sim_audit *audit, uint64_t id)
{
    if (sim_audit_refused(audit, id)) return;
    audit->refused = sim_grown(audit->refused, audit->refused_count, sizeof *audit->refused);
    audit->refused[audit->refused_count++] = id;
}

/* --- what is allocated ---------------------------------------------------------------------------------- */

static bool is_live(const struct known_match *match)
{
    return match->state == XD_MATCH_PROPOSED || match->state == XD_MATCH_CONFIRMED;
}

/* What a match that has been completed, or to which nobody came, had is used up. */
static bool is_used(const struct known_match *match)
{
    return is_live(match) || match->state == XD_MATCH_COMPLETED || match->state == XD_MATCH_NO_SHOW;
}

static void check_request(struct sim_world *world, unsigned request)
{
    const struct sim_audit *audit = world->audit;
    enum xd_dim dim = xd_main_dim(world->market->kind);
    int64_t wanted = amount_of(world, request, dim);
    int64_t sum = 0;
    for (size_t i = 0; i < audit->match_count; i++) {
        if (audit->matches[i].request == request && (is_used(&audit->matches[i]) || audit->matches[i].closed))
            sum += audit->matches[i].amount[dim];
    }
    if (sum > wanted) {
        sim_fail(world, "over-allocated: request r%u wants %lld, its matches have %lld", request,
                 (long long)wanted, (long long)sum);
    }
}

/* On each day, what live and completed matches have. */
static void check_storage(struct sim_world *world, unsigned offer)
{
    const struct sim_audit *audit = world->audit;
    const struct sim_order *orders = world->market->orders;
    const struct xd_order *order = &orders[offer].order;
    for (int64_t day = order->from_day; day < order->until_day; day++) {
        int64_t sum[XD_DIMS] = {0};
        for (size_t i = 0; i < audit->match_count; i++) {
            const struct known_match *match = &audit->matches[i];
            const struct xd_order *request = &orders[match->request].order;
            bool there = request->from_day <= day && day < request->until_day;
            bool counts = is_live(match) || match->state == XD_MATCH_COMPLETED;
            for (unsigned dim = 0; match->offer == offer && counts && there && dim < XD_DIMS; dim++) {
                sum[dim] += match->amount[dim];
            }
        }
        for (unsigned dim = 0; dim < XD_DIMS; dim++) {
            int64_t has = amount_of(world, offer, dim);
            if (has && sum[dim] > has) {
                sim_fail(world, "over-allocated: offer r%u has %lld, its matches %lld on day %lld", offer,
                         (long long)has, (long long)sum[dim], (long long)day);
            }
        }
    }
}

/* The load of a request on the offer's truck; NULL when it was taken off. */
static const struct known_match *load_of(const struct sim_world *world, unsigned offer, uint64_t request)
{
    const struct sim_audit *audit = world->audit;
    const struct known_order *order = find_order(audit, request);
    for (size_t i = 0; order && i < audit->match_count; i++) {
        const struct known_match *match = &audit->matches[i];
        if (match->offer == offer && match->request == order->number && is_used(match)) return match;
    }
    return NULL;
}

/* What is aboard at each stop of the plan that the carrier was just told. Loads whose pickup is past are
 * aboard at first. Where a load was taken off its pickup may stay in the plan, and the load come once more.
 */
static void check_truck(struct sim_world *world, unsigned offer, const struct sim_told *told)
{
    const struct xd_order *order = &world->market->orders[offer].order;
    int64_t aboard[XD_DIMS] = {0};
    for (uint32_t i = 0; i < 2 * told->stop_count; i++) {
        uint32_t at = i % told->stop_count;
        const struct known_match *load = load_of(world, offer, told->stops[at].request);
        bool picked_up = false, delivered = false, picked_up_later = false;
        for (uint32_t k = 0; k < told->stop_count; k++) {
            if (told->stops[k].request != told->stops[at].request) continue;
            picked_up = picked_up || k < at;
            delivered = delivered || k > at;
            picked_up_later = picked_up_later || (k > at && !told->stops[k].delivery);
        }
        bool delivery = told->stops[at].delivery;
        if (!load || (!delivery && (!delivered || picked_up_later))) continue;
        bool first_round = i < told->stop_count; /* counts what is aboard before the first stop */
        if (first_round && (!delivery || picked_up)) continue;
        for (unsigned dim = 0; dim < XD_DIMS; dim++) {
            aboard[dim] += first_round || !delivery ? load->amount[dim] : -load->amount[dim];
            if (order->amount[dim] && aboard[dim] > order->amount[dim]) {
                sim_fail(world, "over-allocated: truck r%u has room for %lld, %lld are aboard", offer,
                         (long long)order->amount[dim], (long long)aboard[dim]);
            }
        }
    }
}

/* --- what is told of orders ------------------------------------------------------------------------------
 */

/* What its matches have fits into the new terms as well. */
static void take_amounts(struct sim_world *world, struct known_order *order, const struct sim_told *told)
{
    bool request = world->market->orders[order->number].order.side == XD_REQUEST;
    for (unsigned dim = 0; dim < XD_DIMS; dim++) {
        if (told->amount[dim]) order->amount[dim] = told->amount[dim];
    }
    if (world->market->kind == XD_TRUCK || world->audit->forgot) return;
    if (request)
        check_request(world, order->number);
    else
        check_storage(world, order->number);
}

static void order_event(struct sim_world *world, const struct sim_told *told)
{
    struct known_order *order = note_order(world, &told->order);
    if (!order) return;
    if (!xd_str_equal(told->account, told->order.account))
        sim_fail(world, "r%u is told to another", order->number);
    switch (told->type) {
    case XD_EVENT_ORDER_ACCEPTED:
        check_accepted_once(world, order);
        order->accepted = true;
        break;
    case XD_EVENT_ORDER_REJECTED:
        order->refused = true;
        note_refused(world->audit, order->id);
        break;
    case XD_EVENT_ORDER_CANCELLED:
    case XD_EVENT_ORDER_EXPIRED:
        order->ended = order->ended || !told->dropped;
        break;
    case XD_EVENT_ORDER_AMENDED:
        take_amounts(world, order, told);
        break;
    default:
        break;
    }
}

/* --- matches -------------------------------------------------------------------------------------------- */

static const enum xd_match_state state_of[XD_EVENT_TYPE_COUNT] = {
    [XD_EVENT_MATCH_PROPOSED] = XD_MATCH_PROPOSED,   [XD_EVENT_MATCH_CONFIRMED] = XD_MATCH_CONFIRMED,
    [XD_EVENT_MATCH_DECLINED] = XD_MATCH_DECLINED,   [XD_EVENT_MATCH_LAPSED] = XD_MATCH_LAPSED,
    [XD_EVENT_MATCH_COMPLETED] = XD_MATCH_COMPLETED, [XD_EVENT_MATCH_CANCELLED] = XD_MATCH_CANCELLED,
    [XD_EVENT_MATCH_NO_SHOW] = XD_MATCH_NO_SHOW,
};

static void check_ended(struct sim_world *world, const struct sim_told_party *party)
{
    if (world->audit->forgot) return;
    const struct known_order *order = find_order(world->audit, party->id);
    if (!order || !order->accepted) {
        sim_fail(world, "a match of %.*s, which was not accepted", (int)party->ref.len, party->ref.at);
    } else if (order->ended) {
        sim_fail(world, "a new match of r%u, which had ended", order->number);
    }
}

static struct known_match *note_match(struct sim_world *world, const struct sim_told *told)
{
    struct sim_audit *audit = world->audit;
    struct known_match *match = find_match(audit, told->match_id);
    unsigned offer, request;
    if (match) return match;
    if (!number_of(world, &told->party[XD_OFFER], &offer) ||
        !number_of(world, &told->party[XD_REQUEST], &request))
        return NULL;
    check_ended(world, &told->party[XD_OFFER]);
    check_ended(world, &told->party[XD_REQUEST]);
    audit->matches = sim_grown(audit->matches, audit->match_count, sizeof *audit->matches);
    match = &audit->matches[audit->match_count++];
    *match = (struct known_match){.id = told->match_id, .offer = offer, .request = request};
    memcpy(match->amount, told->amount, sizeof match->amount);
    return match;
}

/* Private: told to the two only; a shipper sees its own stops. */
static void check_private(struct sim_world *world, const struct sim_told *told)
{
    const struct sim_told_party *offer = &told->party[XD_OFFER], *request = &told->party[XD_REQUEST];
    bool owner = xd_str_equal(told->account, offer->account),
         requester = xd_str_equal(told->account, request->account);
    if (!owner && !requester) sim_fail(world, "a match is told to a third account");
    for (uint32_t i = 0; requester && !owner && i < told->stop_count; i++) {
        if (told->stops[i].request != request->id) sim_fail(world, "a shipper is told another's stop");
    }
}

static void match_event(struct sim_world *world, const struct sim_told *told)
{
    check_private(world, told);
    if (told->lost && !told->party[told->party[XD_OFFER].ref.len ? XD_REQUEST : XD_OFFER].ref.len) return;
    struct known_match *match = note_match(world, told);
    if (!match || told->type == XD_EVENT_MATCH_RESCHEDULED) return;
    match->state = state_of[told->type];
    match->closed = match->state == XD_MATCH_CANCELLED && told->by_requester && !told->lost;
    bool truck = world->market->kind == XD_TRUCK, forgot = world->audit->forgot;
    bool to_carrier = xd_str_equal(told->account, told->party[XD_OFFER].account);
    if (!truck || !forgot) check_request(world, match->request);
    if (!truck && !forgot) check_storage(world, match->offer);
    if (truck && to_carrier && is_live(match)) check_truck(world, match->offer, told);
}

/* --- commits -------------------------------------------------------------------------------------------- */

void sim_audit_commit(struct sim_world *world, unsigned partition, const struct sim_part *part,
                      const struct sim_commit *commit)
{
    if (part->epoch == commit->epoch && part->nonce == commit->nonce) return;
    sim_fail(world, "not fenced: a commit to p%u of epoch %llu, when it is %llu", partition,
             (unsigned long long)commit->epoch, (unsigned long long)part->epoch);
}

static void say(const struct sim_world *world, unsigned partition, const struct sim_told *told)
{
    sim_say(world, "p%u: %s to %.*s, %.*s%.*s%s%.*s %llx", partition, xd_event_type_name(told->type),
            (int)told->account.len, told->account.at, told->is_match ? 0 : (int)told->order.ref.len,
            told->order.ref.at, told->is_match ? (int)told->party[0].ref.len : 0, told->party[0].ref.at,
            told->is_match ? "+" : "", told->is_match ? (int)told->party[1].ref.len : 0,
            told->party[1].ref.at, (unsigned long long)(told->is_match ? told->match_id : told->order.id));
}

static void take_event(struct sim_world *world, unsigned partition, const struct sim_bytes *event, bool again)
{
    msgpack_unpacked object;
    struct sim_told told;
    msgpack_unpacked_init(&object);
    if (msgpack_unpack_next(&object, (const char *)event->at, event->len, NULL) != MSGPACK_UNPACK_SUCCESS ||
        !sim_told_read(&object.data, &told)) {
        sim_fail(world, "p%u has an event that cannot be read", partition);
    } else {
        if (!again) say(world, partition, &told);
        (told.is_match ? match_event : order_event)(world, &told);
    }
    msgpack_unpacked_destroy(&object);
}

void sim_audit_event(struct sim_world *world, unsigned partition, const struct sim_bytes *event)
{
    if (!world->audit) return;
    world->trace = XXH64(event->at, event->len, world->trace + partition);
    take_event(world, partition, event, false);
}

void sim_audit_forget(struct sim_world *world)
{
    const struct sim_store *store = world->store;
    size_t next[SIM_RANGES_MAX] = {0};
    world->audit->order_count = world->audit->match_count = 0;
    world->audit->forgot = true;
    for (unsigned first;;) {
        first = store->count;
        for (unsigned p = 0; p < store->count; p++) {
            const struct sim_part *part = &store->parts[p];
            if (next[p] == part->event_count) continue;
            if (first == store->count ||
                part->events[next[p]].order < store->parts[first].events[next[first]].order)
                first = p;
        }
        if (first == store->count) return;
        take_event(world, first, &store->parts[first].events[next[first]++].bytes, true);
    }
}

/* --- the end -------------------------------------------------------------------------------------------- */

void sim_audit_end(struct sim_world *world)
{
    const struct sim_market *market = world->market;
    for (unsigned i = 0; i < market->order_count; i++) {
        const struct sim_order *order = &market->orders[i];
        const struct known_order *known = find_order(world->audit, order->id);
        if (order->acked && (!known || (!known->accepted && !known->refused))) {
            sim_fail(world, "r%u was acknowledged and is lost", i);
        }
        bool request = order->order.side == XD_REQUEST;
        if (request) check_request(world, i);
        if (!request && market->kind != XD_TRUCK) check_storage(world, i);
    }
    for (unsigned p = 0; p < world->store->count; p++) {
        if (market->next[p] != world->store->parts[p].event_count) {
            sim_fail(world, "clients heard %llu of %zu events of p%u", (unsigned long long)market->next[p],
                     world->store->parts[p].event_count, p);
        }
    }
}
