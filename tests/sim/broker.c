#include "tests/sim/broker.h"

#include "tests/sim/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AGAIN_US = 30 * SIM_MS, RUN_EVENTS = 32, RECORD_MAX = 1 << 20 };

struct sim_broker {
    struct sim_process process;
    struct xd_ledger *ledger;
};

/* --- what clients want ---------------------------------------------------------------------------------- */

struct request {
    struct sim_broker *broker;
    struct xd_record record; /* its strings lie in `object` */
    msgpack_unpacked object;
    struct xd_buf bytes;
    struct sim_answer answer;
    sim_answered *answered;
    void *arg;
};

static void end(struct request *request, enum xd_code code)
{
    request->answer.code = code;
    if (request->broker->process.alive) {
        request->answered(request->arg, &request->answer);
    } else {
        free(request->arg); /* nobody hears of it */
    }
    msgpack_unpacked_destroy(&request->object);
    xd_buf_free(&request->bytes);
    free(request);
}

static void on_appended(void *arg, const struct xd_append_result *result)
{
    struct request *request = arg;
    const struct sim_broker *broker = request->broker;
    uint16_t partition = (uint16_t)(broker->process.world->store->first + request->answer.partition);
    request->answer.offset = result->offset;
    request->answer.generation = sim_ledger_generation(broker->ledger, partition);
    end(request, result->code);
}

static void append(struct request *request)
{
    struct xd_buf bytes;
    uint16_t partition = (uint16_t)(request->broker->process.world->store->first + request->answer.partition);
    xd_buf_init(&bytes, RECORD_MAX);
    xd_record_pack(&request->record, &bytes);
    xd_ledger_append(request->broker->ledger, partition, request->record.order_id, bytes.data, bytes.len,
                     on_appended, request);
    xd_buf_free(&bytes);
}

static void on_reserved(void *arg, enum xd_code code, uint64_t order_id)
{
    struct request *request = arg;
    if (code != XD_OK || !request->broker->process.alive) {
        end(request, code);
        return;
    }
    request->record.order_id = request->answer.order_id = order_id;
    append(request);
}

/* The record with strings of its own, by way of its ledger form. */
static bool copy_record(struct request *request, const struct xd_record *record)
{
    xd_buf_init(&request->bytes, RECORD_MAX);
    msgpack_unpacked_init(&request->object);
    struct xd_record numbered = *record;
    if (record->type == XD_RECORD_ORDER) numbered.order_id = 1; /* until it is known */
    xd_record_pack(&numbered, &request->bytes);
    return msgpack_unpack_next(&request->object, (const char *)request->bytes.data, request->bytes.len,
                               NULL) == MSGPACK_UNPACK_SUCCESS &&
           xd_record_unpack(&request->object.data, &request->record);
}

void sim_broker_take(struct sim_broker *broker, const struct xd_record *record, unsigned partition,
                     sim_answered *answered, void *arg)
{
    struct request *request = sim_new(sizeof *request);
    enum xd_code code;
    uint64_t id;
    request->broker = broker;
    request->answer.partition = partition;
    request->answered = answered;
    request->arg = arg;
    if (!copy_record(request, record)) {
        sim_fail(broker->process.world, "a %s that is not valid", xd_record_type_name(record->type));
        end(request, XD_INTERNAL);
    } else if (record->type != XD_RECORD_ORDER) {
        append(request);
    } else {
        xd_ledger_reserve(broker->ledger, (uint16_t)(broker->process.world->store->first + partition),
                          request->record.account, request->record.order.ref,
                          xd_order_digest(&request->record.order), &code, &id, on_reserved, request);
    }
}

/* --- feeds ---------------------------------------------------------------------------------------------- */

struct feed_call {
    struct sim_call call;
    struct sim_broker *broker;
    uint32_t incarnation;
    uint64_t from;
    struct sim_bytes *events;
    size_t count;
    sim_wanted *wanted;
    void *arg;
};

static void feed_destroy(struct sim_call *call)
{
    struct feed_call *feed = (struct feed_call *)call;
    for (size_t i = 0; i < feed->count; i++) {
        free(feed->events[i].at);
    }
    free(feed->events);
    free(feed);
}

static bool feed_run(struct sim_store *store, struct sim_call *call)
{
    struct feed_call *feed = (struct feed_call *)call;
    const struct sim_part *part = &store->parts[call->partition];
    for (size_t i = feed->from; i < part->event_count && feed->count < RUN_EVENTS; i++) {
        const struct sim_bytes *bytes = &part->events[i].bytes;
        feed->events = sim_grown(feed->events, feed->count, sizeof *feed->events);
        feed->events[feed->count++] = (struct sim_bytes){sim_copy(bytes->at, bytes->len), bytes->len};
    }
    return feed->count > 0;
}

static void feed_done(struct sim_call *call, bool answered);

static struct feed_call *make_feed(const struct feed_call *before, uint64_t generation, uint64_t from)
{
    struct feed_call *feed = sim_new(sizeof *feed);
    *feed = (struct feed_call){.call = {.run = feed_run,
                                        .done = feed_done,
                                        .destroy = feed_destroy,
                                        .partition = before->call.partition,
                                        .generation = generation,
                                        .apart = true},
                               .broker = before->broker,
                               .incarnation = before->incarnation,
                               .from = from,
                               .wanted = before->wanted,
                               .arg = before->arg};
    return feed;
}

static void feed_again(void *arg)
{
    struct feed_call *feed = arg;
    struct sim_process *process = &feed->broker->process;
    if (process->alive && process->incarnation == feed->incarnation) {
        sim_send(process, &feed->call);
    } else {
        feed_destroy(&feed->call);
    }
}

/* Of another generation: from what it has of what was told. */
static void begin_again(struct feed_call *feed)
{
    struct sim_process *process = &feed->broker->process;
    const struct sim_store *store = process->world->store;
    unsigned partition = feed->call.partition;
    uint64_t kept = sim_kept(store, partition, feed->call.generation).events;
    struct sim_place place = {partition, sim_generation(&store->parts[partition]),
                              feed->from < kept ? feed->from : kept};
    if (!feed->wanted(feed->arg, &place, NULL, 0)) return;
    sim_send(process, &make_feed(feed, place.generation, place.offset)->call);
}

static void feed_done(struct sim_call *call, bool answered)
{
    struct feed_call *feed = (struct feed_call *)call;
    struct sim_process *process = &feed->broker->process;
    if (!process->alive) return;
    if (!answered) {
        sim_at(process->world, process->world->now_us + AGAIN_US, process, feed_again,
               make_feed(feed, call->generation, feed->from));
        return;
    }
    if (call->past) {
        begin_again(feed);
        return;
    }
    for (size_t i = 0; i < feed->count; i++) {
        const struct sim_place place = {call->partition, call->generation, feed->from + i};
        if (!feed->wanted(feed->arg, &place, feed->events[i].at, feed->events[i].len)) return;
    }
    sim_send(process, &make_feed(feed, call->generation, feed->from + feed->count)->call);
}

void sim_broker_feed(struct sim_broker *broker, const struct sim_place *from, sim_wanted *wanted, void *arg)
{
    struct feed_call like = {.call.partition = from->partition,
                             .broker = broker,
                             .incarnation = broker->process.incarnation,
                             .wanted = wanted,
                             .arg = arg};
    sim_send(&broker->process, &make_feed(&like, from->generation, from->offset)->call);
}

/* --- lives ---------------------------------------------------------------------------------------------- */

struct sim_broker *sim_broker_create(struct sim_world *world, unsigned index)
{
    struct sim_broker *broker = sim_new(sizeof *broker);
    broker->process = (struct sim_process){.world = world, .slow_us = 2 * SIM_MS};
    snprintf(broker->process.name, sizeof broker->process.name, "broker%u", index);
    return broker;
}

void sim_broker_destroy(struct sim_broker *broker)
{
    sim_bury(broker->process.world, broker);
}

struct sim_process *sim_broker_process(struct sim_broker *broker)
{
    return &broker->process;
}

void sim_broker_start(struct sim_broker *broker)
{
    struct sim_process *process = &broker->process;
    process->alive = true;
    process->incarnation++;
    process->paused_until_us = process->cut_until_us = process->last_there_us = process->last_back_us = 0;
    broker->ledger = sim_ledger_open(process, sim_random(process->world) | 1);
    sim_say(process->world, "%s begins", process->name);
}

void sim_broker_kill(struct sim_broker *broker)
{
    if (!broker->process.alive) return;
    sim_say(broker->process.world, "%s ends", broker->process.name);
    broker->process.alive = false;
    sim_ledger_kill(broker->ledger);
}
