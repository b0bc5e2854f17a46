#include "tests/sim/relaying.h"

#include "matcher/relay.h"

#include <stdlib.h>

enum { RELAY_LIMIT = 64 << 20 };

struct sim_relaying {
    struct sim_process *process;
    struct xd_ledger *ledger;
    unsigned partition;
    struct xd_relay *relay; /* NULL: it was stopped */
    uint64_t read_up_to;    /* entry of the outbox */
    bool reading;
};

static int64_t now_ms(const struct sim_relaying *relaying)
{
    return relaying->process->world->now_us / 1000;
}

/* --- questions to the store ----------------------------------------------------------------------------- */

struct box_call {
    struct sim_call call;
    struct sim_relaying *relaying;
    unsigned from; /* partition that sends */
    uint64_t number;
    struct sim_message *messages;
    size_t count;
    struct sim_seen seen;
};

static void box_destroy(struct sim_call *call)
{
    struct box_call *box = (struct box_call *)call;
    for (size_t i = 0; i < box->count; i++) {
        free(box->messages[i].bytes.at);
    }
    free(box->messages);
    free(box);
}

static bool read_run(struct sim_store *store, struct sim_call *call)
{
    struct box_call *box = (struct box_call *)call;
    const struct sim_part *part = &store->parts[call->partition];
    for (size_t i = 0; i < part->outbox_count; i++) {
        const struct sim_message *message = &part->outbox[i];
        if (message->number <= box->number) continue;
        box->messages = sim_grown(box->messages, box->count, sizeof *box->messages);
        box->messages[box->count] = *message;
        box->messages[box->count++].bytes.at = sim_copy(message->bytes.at, message->bytes.len);
    }
    return true;
}

static void read_done(struct sim_call *call, bool answered)
{
    struct box_call *box = (struct box_call *)call;
    struct sim_relaying *relaying = box->relaying;
    relaying->reading = false;
    if (!answered || !relaying->relay) return;
    for (size_t i = 0; i < box->count; i++) {
        const struct sim_message *message = &box->messages[i];
        struct xd_str bytes = {(const char *)message->bytes.at, (uint32_t)message->bytes.len};
        if (!xd_relay_add(relaying->relay, message->number, &message->message, bytes)) {
            sim_fail(relaying->process->world, "a relay refuses a message");
            return;
        }
        relaying->read_up_to = message->number;
    }
    if (box->count) sim_relaying_pump(relaying);
}

static bool look_run(struct sim_store *store, struct sim_call *call)
{
    struct box_call *box = (struct box_call *)call;
    box->seen = store->parts[call->partition].seen[box->from];
    return true;
}

static void look_done(struct sim_call *call, bool answered)
{
    struct box_call *box = (struct box_call *)call;
    struct sim_relaying *relaying = box->relaying;
    if (!relaying->relay) return;
    struct xd_heard seen = {(uint32_t)box->seen.from_gen, (uint32_t)box->seen.to_gen, box->seen.seq};
    uint16_t to = (uint16_t)(relaying->process->world->store->first + call->partition);
    xd_relay_seen(relaying->relay, to, answered, seen, now_ms(relaying));
    if (relaying->process->alive) sim_relaying_pump(relaying);
}

static bool trim_run(struct sim_store *store, struct sim_call *call)
{
    sim_trim_outbox(store, call->partition, ((struct box_call *)call)->number);
    return true;
}

static void trim_done(struct sim_call *call, bool answered)
{
    (void)call; /* what could not be trimmed goes with the next */
    (void)answered;
}

static void ask(struct sim_relaying *relaying, unsigned partition, uint64_t number,
                bool (*run)(struct sim_store *store, struct sim_call *call),
                void (*done)(struct sim_call *call, bool answered))
{
    struct box_call *box = sim_new(sizeof *box);
    *box =
        (struct box_call){.call = {.run = run, .done = done, .destroy = box_destroy, .partition = partition},
                          .relaying = relaying,
                          .from = relaying->partition,
                          .number = number};
    if (run == trim_run)
        box->call.generation = sim_ledger_generation(
            relaying->ledger, (uint16_t)(relaying->process->world->store->first + partition));
    sim_send(relaying->process, &box->call);
}

/* --- the steps ------------------------------------------------------------------------------------------ */

struct sending {
    struct sim_relaying *relaying;
    uint16_t to;
};

static void on_sent(void *arg, const struct xd_append_result *result)
{
    struct sending sending = *(struct sending *)arg;
    free(arg);
    if (!sending.relaying->relay) return;
    xd_relay_sent(sending.relaying->relay, sending.to, result->code == XD_OK, now_ms(sending.relaying));
}

static void carry_out(struct sim_relaying *relaying, const struct xd_relay_step *step)
{
    uint16_t first = relaying->process->world->store->first;
    struct sending *sending;
    switch (step->type) {
    case XD_RELAY_LOOK:
        ask(relaying, (unsigned)(step->to - first), 0, look_run, look_done);
        break;
    case XD_RELAY_SEND:
        sending = sim_new(sizeof *sending);
        *sending = (struct sending){relaying, step->to};
        xd_ledger_append(relaying->ledger, step->to, 0, step->bytes, step->len, on_sent, sending);
        break;
    case XD_RELAY_TRIM:
        ask(relaying, relaying->partition, step->number, trim_run, trim_done);
        break;
    }
}

void sim_relaying_pump(struct sim_relaying *relaying)
{
    struct xd_relay_step step;
    const struct sim_part *part = &relaying->process->world->store->parts[relaying->partition];
    if (!relaying->reading && part->outbox_numbers > relaying->read_up_to) {
        relaying->reading = true;
        ask(relaying, relaying->partition, relaying->read_up_to, read_run, read_done);
    }
    while (xd_relay_next(relaying->relay, now_ms(relaying), &step)) {
        carry_out(relaying, &step);
    }
}

struct sim_relaying *sim_relaying_start(struct sim_process *process, struct xd_ledger *ledger,
                                        unsigned partition)
{
    const struct sim_store *store = process->world->store;
    struct sim_relaying *relaying = sim_new(sizeof *relaying);
    *relaying = (struct sim_relaying){.process = process, .ledger = ledger, .partition = partition};
    relaying->relay =
        xd_relay_create((uint16_t)(store->first + partition), store->first, store->count, RELAY_LIMIT);
    return relaying;
}

void sim_relaying_stop(struct sim_relaying *relaying)
{
    if (!relaying) return;
    xd_relay_destroy(relaying->relay);
    relaying->relay = NULL;
    sim_bury(relaying->process->world, relaying);
}
