#include "broker/feed.h"

#include "broker/rpc.h"
#include "broker/session.h"
#include "core/event.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* Bytes of events that one read asks for. */
enum { RUN_BYTES = 256 << 10 };

/* The longest event, framed: a match whose plan has all the stops that a truck may have is some kilobytes. */
enum { FRAME_MAX = 1 << 20 };

struct xd_feed {
    struct xd_broker *broker;
    struct xd_buf frame;             /* the event under way, as it is sent */
    struct xd_subscriber *everybody; /* subscribers to all accounts */
    uint32_t *generations;           /* of each partition's events that subscribers have been told */
    uint64_t mask;
    struct xd_subscriber *buckets[]; /* by hash of the account */
};

static void catch_up(struct xd_feed *feed, struct xd_subscriber *subscriber);

static struct xd_subscriber **bucket_of(struct xd_feed *feed, struct xd_str account)
{
    return &feed->buckets[XXH3_64bits(account.at, account.len) & feed->mask];
}

/* Hands the event over as a notification, with the cursor behind it. */
static void hand_over(struct xd_feed *feed, struct xd_subscriber *subscriber, uint16_t partition,
                      const struct xd_event_ref *event)
{
    struct xd_position all[XD_CURSOR_PARTITIONS];
    char cursor[XD_CURSOR_TEXT];
    uint16_t count = feed->broker->partitions;
    struct xd_event_id id = {.partition = partition,
                             .generation = xd_ledger_generation(feed->broker->ledger, partition),
                             .offset = event->offset};
    subscriber->places[partition].at = (struct xd_position){id.generation, event->offset + 1};
    for (uint16_t i = 0; i < count; i++)
        all[i] = subscriber->places[i].at;
    struct xd_str text = {cursor, (uint32_t)xd_cursor_write(all, count, cursor)};
    xd_buf_clear(&feed->frame);
    xd_rpc_event(&feed->frame);
    xd_event_deliver(&feed->frame, event->bytes, event->len, id, text);
    xd_session_send(subscriber->session, &feed->frame);
}

/* --- live --- */

static bool wants(const struct xd_subscriber *subscriber, uint16_t partition, uint64_t offset)
{
    const struct xd_feed_place *place = &subscriber->places[partition];
    return place->live && offset >= place->at.next;
}

static void fall_behind(const struct xd_feed *feed, struct xd_subscriber *subscriber)
{
    subscriber->behind = feed->broker->partitions;
    for (uint16_t i = 0; i < feed->broker->partitions; i++)
        subscriber->places[i].live = false;
}

/* Hands the event to those of a list that are live and of its account ("": to all of the list). */
static void tell_list(struct xd_feed *feed, struct xd_subscriber *list, struct xd_str account,
                      uint16_t partition, const struct xd_event_ref *event)
{
    struct xd_subscriber *after = NULL;
    for (struct xd_subscriber *one = list; one; one = after) {
        after = one->after;
        if (!wants(one, partition, event->offset) ||
            (account.len > 0 && !xd_str_equal(account, xd_session_account(one->session))))
            continue;
        hand_over(feed, one, partition, event);
        if (one->attached && xd_session_unsent(one->session) > XD_OUTPUT_HIGH) fall_behind(feed, one);
    }
}

/* The ledger has lost what some were told: they have to begin anew, and will hear `recovered: false`. */
static void notice_generation(struct xd_feed *feed, uint16_t partition)
{
    uint32_t generation = xd_ledger_generation(feed->broker->ledger, partition);
    if (generation == feed->generations[partition]) return;
    feed->generations[partition] = generation;
    struct xd_session *next = NULL;
    for (struct xd_session *one = feed->broker->sessions; one; one = next) {
        next = one->next;
        if (one->subscriber.attached)
            xd_session_refuse(one, XD_SLOW_CONSUMER,
                              "the ledger has lost events that were told; resume from the last cursor");
    }
}

static void on_events(void *arg, uint16_t partition, const struct xd_event_ref *events, uint32_t count)
{
    struct xd_feed *feed = arg;
    notice_generation(feed, partition);
    for (uint32_t i = 0; i < count; i++) {
        struct xd_str account = xd_event_account(events[i].bytes, events[i].len);
        tell_list(feed, feed->everybody, (struct xd_str){0}, partition, &events[i]);
        if (account.len > 0) tell_list(feed, *bucket_of(feed, account), account, partition, &events[i]);
    }
}

/* --- behind --- */

static void take_run(struct xd_feed *feed, struct xd_subscriber *subscriber, const struct xd_event_run *run)
{
    struct xd_session *session = subscriber->session;
    struct xd_position *at = &subscriber->places[subscriber->turn].at;
    if (run->code != XD_OK) {
        xd_session_refuse(session, run->code, xd_code_meaning(run->code));
        return;
    }
    if (run->oldest > at->next) {
        xd_session_refuse(session, XD_SLOW_CONSUMER,
                          "events that were not read yet have been trimmed; resume from the "
                          "last cursor");
        return;
    }
    for (uint32_t i = 0; i < run->count && subscriber->attached; i++)
        if (run->events[i].offset >= at->next) hand_over(feed, subscriber, subscriber->turn, &run->events[i]);
    if (!subscriber->attached) return;
    if (run->next > at->next) at->next = run->next;
    if (xd_session_unsent(session) <= XD_OUTPUT_LOW) catch_up(feed, subscriber);
}

static void on_run(void *arg, const struct xd_event_run *run)
{
    struct xd_session *session = arg;
    session->subscriber.reading = false;
    if (session->subscriber.attached) take_run(session->broker->feed, &session->subscriber, run);
    xd_session_release(session);
}

/* Those at the head are live; of the others one is read, in turn. */
static void catch_up(struct xd_feed *feed, struct xd_subscriber *subscriber)
{
    struct xd_ledger *ledger = feed->broker->ledger;
    uint16_t count = feed->broker->partitions, next = count;
    for (uint16_t n = 1; n <= count; n++) {
        uint16_t i = (uint16_t)((subscriber->turn + n) % count);
        struct xd_feed_place *place = &subscriber->places[i];
        if (place->live) continue;
        if (place->at.next >= xd_ledger_event_head(ledger, i)) {
            place->live = true;
            subscriber->behind--;
        } else if (next == count) {
            next = i;
        }
    }
    if (next == count) return;
    subscriber->turn = next;
    subscriber->reading = true;
    xd_session_keep(subscriber->session);
    xd_ledger_read_events(ledger, next, subscriber->places[next].at.next,
                          xd_session_account(subscriber->session), RUN_BYTES, on_run, subscriber->session);
}

void xd_feed_drained(struct xd_feed *feed, struct xd_subscriber *subscriber)
{
    if (subscriber->attached && subscriber->behind > 0 && !subscriber->reading) catch_up(feed, subscriber);
}

/* --- subscribers --- */

bool xd_feed_attach(struct xd_feed *feed, struct xd_session *session, const struct xd_position *at)
{
    struct xd_subscriber *subscriber = &session->subscriber;
    uint16_t count = feed->broker->partitions;
    struct xd_subscriber **list =
        session->is_operator ? &feed->everybody : bucket_of(feed, xd_session_account(session));
    struct xd_feed_place *places = calloc(count, sizeof(*places));
    if (!places) return false;
    for (uint16_t i = 0; i < count; i++)
        places[i].at = at[i];
    *subscriber =
        (struct xd_subscriber){.attached = true, .session = session, .behind = count, .places = places};
    subscriber->after = *list;
    subscriber->self = list;
    if (subscriber->after) subscriber->after->self = &subscriber->after;
    *list = subscriber;
    catch_up(feed, subscriber);
    return true;
}

void xd_feed_detach(struct xd_feed *feed, struct xd_subscriber *subscriber)
{
    (void)feed;
    if (!subscriber->attached) return;
    *subscriber->self = subscriber->after;
    if (subscriber->after) subscriber->after->self = subscriber->self;
    subscriber->attached = false;
    free(subscriber->places);
    subscriber->places = NULL;
}

struct xd_feed *xd_feed_create(struct xd_broker *broker, size_t accounts)
{
    size_t buckets = 64;
    while (buckets < accounts && buckets < (size_t)1 << 20)
        buckets *= 2;
    struct xd_feed *feed = calloc(1, sizeof(*feed) + buckets * sizeof(*feed->buckets));
    uint32_t *generations = calloc(broker->partitions, sizeof(*generations));
    if (!feed || !generations) {
        free(feed);
        free(generations);
        return NULL;
    }
    feed->generations = generations;
    feed->broker = broker;
    feed->mask = buckets - 1;
    for (uint16_t i = 0; i < broker->partitions; i++)
        generations[i] = xd_ledger_generation(broker->ledger, i);
    xd_buf_init(&feed->frame, FRAME_MAX);
    xd_ledger_follow_events(broker->ledger, on_events, feed);
    return feed;
}

void xd_feed_destroy(struct xd_feed *feed)
{
    if (!feed) return;
    xd_buf_free(&feed->frame);
    free(feed->generations);
    free(feed);
}
