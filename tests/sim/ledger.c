#include "tests/sim/ledger_parts.h"

#include <event2/event.h>
#include <string.h>

enum { TICK_US = 200 * SIM_MS };

struct sim_lane *sim_lane_of(const struct xd_ledger *base, uint16_t partition)
{
    struct sim_ledger *ledger = sim_ledger_of(base);
    return &ledger->lanes[partition - ledger->world->store->first];
}

bool sim_lane_holds(const struct sim_lane *lane, const struct xd_lease *lease)
{
    return lane->lease.epoch && lane->lease.epoch == lease->epoch && lane->lease.nonce == lease->nonce;
}

/* --- time ----------------------------------------------------------------------------------------------- */

int64_t sim_ledger_local_ms(const struct sim_ledger *ledger)
{
    return (ledger->world->now_us + ledger->process->clock_us) / 1000;
}

void sim_ledger_note_clock(struct sim_ledger *ledger, int64_t ms)
{
    ledger->skew_ms = ms - sim_ledger_local_ms(ledger);
}

static int64_t now_ms(const struct xd_ledger *base)
{
    const struct sim_ledger *ledger = sim_ledger_of(base);
    return sim_ledger_local_ms(ledger) + ledger->skew_ms;
}

struct later {
    sim_run *run;
    void *arg;
};

static void run_later(void *arg)
{
    struct later later = *(struct later *)arg;
    free(arg);
    later.run(later.arg);
}

void sim_ledger_later(struct sim_ledger *ledger, int64_t after_us, sim_run *run, void *arg)
{
    struct later *later = sim_new(sizeof *later);
    *later = (struct later){run, arg};
    sim_at(ledger->world, ledger->world->now_us + after_us, ledger->process, run_later, later);
}

static void plain_destroy(struct sim_call *call)
{
    free(call);
}

/* --- leases --------------------------------------------------------------------------------------------- */

struct lease_call {
    struct sim_call call;
    struct sim_lane *lane;
    struct xd_lease lease;
    uint64_t member;
    int64_t until_ms, now_ms;
    bool good, waited;
    xd_lease_cb *callback;
    void *arg;
};

static void send_acquire(struct sim_lane *lane, bool waited, xd_lease_cb *callback, void *arg);

static bool acquire_run(struct sim_store *store, struct sim_call *call)
{
    struct lease_call *acquire = (struct lease_call *)call;
    acquire->now_ms = sim_store_ms(store);
    acquire->good = sim_acquire(store, call->partition, acquire->member, acquire->lease.nonce,
                                &acquire->lease.epoch, &acquire->until_ms);
    return true;
}

/* Another holds the lease: its end is waited for, once. */
static void try_again(void *arg)
{
    struct sim_second_try try = *(struct sim_second_try *)arg;
    struct sim_lane *lane = try.lane;
    if (lane->second_try == arg) lane->second_try = NULL;
    free(arg);
    if (!try.callback) return; /* it was hurried */
    if (lane->ledger->dead) {
        struct xd_lease none = {.partition = (uint16_t)(lane->ledger->world->store->first + lane->partition)};
        try.callback(try.arg, XD_DRAINING, &none);
        return;
    }
    send_acquire(lane, true, try.callback, try.arg);
}

static void wait_for_end(struct sim_lane *lane, int64_t left_ms, xd_lease_cb *callback, void *arg)
{
    struct sim_second_try *try = sim_new(sizeof *try);
    *try = (struct sim_second_try){lane, callback, arg};
    lane->second_try = try;
    sim_ledger_later(lane->ledger, (left_ms < SIM_LEASE_MS ? left_ms : SIM_LEASE_MS) * SIM_MS, try_again,
                     try);
}

void sim_ledger_hurry(struct xd_ledger *base, uint16_t partition)
{
    struct sim_lane *lane = sim_lane_of(base, partition);
    struct sim_second_try *try = lane->second_try;
    if (!try) return;
    lane->second_try = NULL;
    send_acquire(lane, false, try->callback, try->arg);
    try->callback = NULL;
}

static void acquire_done(struct sim_call *call, bool answered)
{
    struct lease_call *acquire = (struct lease_call *)call;
    struct sim_lane *lane = acquire->lane;
    if (!answered || sim_lane_is_past(lane, call)) {
        acquire->callback(acquire->arg, XD_STORAGE_FAILED, &acquire->lease);
    } else if (acquire->good) {
        sim_lane_lose(lane, XD_FENCED);
        sim_ledger_note_clock(lane->ledger, acquire->now_ms);
        lane->lease = acquire->lease;
        lane->renewed_us = lane->ledger->world->now_us;
        acquire->callback(acquire->arg, XD_OK, &acquire->lease);
    } else if (acquire->waited) {
        acquire->callback(acquire->arg, XD_FENCED, &acquire->lease);
    } else {
        wait_for_end(lane, acquire->until_ms - acquire->now_ms, acquire->callback, acquire->arg);
    }
}

static struct lease_call *make_lease_call(struct sim_lane *lane, const struct xd_lease *lease)
{
    struct lease_call *call = sim_new(sizeof *call);
    *call = (struct lease_call){
        .call = {.destroy = plain_destroy, .partition = lane->partition}, .lane = lane, .lease = *lease};
    call->member = lane->ledger->id;
    return call;
}

static void send_acquire(struct sim_lane *lane, bool waited, xd_lease_cb *callback, void *arg)
{
    struct sim_ledger *ledger = lane->ledger;
    struct xd_lease lease = {.partition = (uint16_t)(ledger->world->store->first + lane->partition),
                             .nonce = sim_random(ledger->world) | 1};
    struct lease_call *acquire = make_lease_call(lane, &lease);
    acquire->call.run = acquire_run;
    acquire->call.generation = lane->generation;
    acquire->call.done = acquire_done;
    acquire->waited = waited;
    acquire->callback = callback;
    acquire->arg = arg;
    sim_send(ledger->process, &acquire->call);
}

static void acquire(struct xd_ledger *base, uint16_t partition, xd_lease_cb *callback, void *arg)
{
    send_acquire(sim_lane_of(base, partition), false, callback, arg);
}

static bool renew_run(struct sim_store *store, struct sim_call *call)
{
    struct lease_call *renew = (struct lease_call *)call;
    renew->now_ms = sim_store_ms(store);
    renew->good = sim_renew(store, call->partition, renew->lease.epoch, renew->lease.nonce);
    return true;
}

static void renew_done(struct sim_call *call, bool answered)
{
    struct lease_call *renew = (struct lease_call *)call;
    struct sim_lane *lane = renew->lane;
    lane->renewing = false;
    if (answered) sim_ledger_note_clock(lane->ledger, renew->now_ms);
    if (answered && !renew->good && sim_lane_holds(lane, &renew->lease)) sim_lane_lose(lane, XD_FENCED);
}

static void renew(struct sim_lane *lane)
{
    int64_t now = lane->ledger->world->now_us;
    if (!lane->lease.epoch || lane->renewing || now - lane->renewed_us < SIM_LEASE_MS * SIM_MS / 4) return;
    struct lease_call *call = make_lease_call(lane, &lane->lease);
    call->call.run = renew_run;
    call->call.done = renew_done;
    lane->renewing = true;
    lane->renewed_us = now;
    sim_send(lane->ledger->process, &call->call);
}

static bool release_run(struct sim_store *store, struct sim_call *call)
{
    struct lease_call *release = (struct lease_call *)call;
    sim_release(store, call->partition, release->lease.epoch, release->lease.nonce);
    return true;
}

static void release_done(struct sim_call *call, bool answered)
{
    (void)call; /* a lease that could not be given back ends by itself */
    (void)answered;
}

void sim_lane_go_on_releasing(struct sim_lane *lane)
{
    if (!lane->releasing.epoch || lane->commits || lane->ledger->dead) return;
    struct lease_call *call = make_lease_call(lane, &lane->releasing);
    call->call.run = release_run;
    call->call.done = release_done;
    lane->releasing.epoch = 0;
    sim_send(lane->ledger->process, &call->call);
}

static void release(struct xd_ledger *base, const struct xd_lease *lease)
{
    struct sim_lane *lane = sim_lane_of(base, lease->partition);
    if (!sim_lane_holds(lane, lease)) return;
    lane->releasing = lane->lease;
    lane->lease.epoch = 0;
    lane->records = NULL;
    lane->follower++;
    lane->saving = false;
    sim_lane_go_on_releasing(lane);
}

void sim_lane_lose(struct sim_lane *lane, enum xd_code code)
{
    xd_lost_cb *lost = lane->records ? lane->lost : NULL;
    lane->records = NULL;
    lane->follower++;
    lane->reading = false;
    lane->saving = false;
    lane->lease.epoch = lane->releasing.epoch = 0;
    sim_lane_forget_commits(lane);
    if (lost) lost(lane->lost_arg, code);
}

bool sim_lane_is_past(struct sim_lane *lane, const struct sim_call *call)
{
    uint64_t generation = sim_generation(&lane->ledger->world->store->parts[lane->partition]);
    if (!call->past) return false;
    if (lane->generation != generation) {
        lane->generation = generation;
        sim_lane_lose(lane, XD_STORAGE_FAILED);
    }
    return true;
}

/* --- refs ----------------------------------------------------------------------------------------------- */

struct reserve_call {
    struct sim_call call;
    char account[XD_ACCOUNT_MAX], ref[XD_REF_MAX];
    uint32_t account_len, ref_len;
    struct xd_digest digest;
    enum xd_code code;
    uint64_t id;
    xd_reserve_cb *callback;
    void *arg;
};

static bool reserve_run(struct sim_store *store, struct sim_call *call)
{
    struct reserve_call *reserve = (struct reserve_call *)call;
    reserve->code =
        sim_reserve(store, call->partition, (struct xd_str){reserve->account, reserve->account_len},
                    (struct xd_str){reserve->ref, reserve->ref_len}, reserve->digest, &reserve->id);
    return true;
}

static void reserve_done(struct sim_call *call, bool answered)
{
    struct reserve_call *reserve = (struct reserve_call *)call;
    reserve->callback(reserve->arg, answered ? reserve->code : XD_STORAGE_FAILED, reserve->id);
}

static enum xd_reserve_result reserve(struct xd_ledger *base, uint16_t partition, struct xd_str account,
                                      struct xd_str ref, struct xd_digest digest, enum xd_code *code,
                                      uint64_t *order_id, xd_reserve_cb *callback, void *arg)
{
    (void)code;
    (void)order_id;
    struct sim_lane *lane = sim_lane_of(base, partition);
    struct reserve_call *call = sim_new(sizeof *call);
    *call = (struct reserve_call){.call = {.run = reserve_run,
                                           .done = reserve_done,
                                           .destroy = plain_destroy,
                                           .partition = lane->partition},
                                  .account_len = account.len,
                                  .ref_len = ref.len,
                                  .digest = digest,
                                  .callback = callback,
                                  .arg = arg};
    memcpy(call->account, account.at, account.len);
    memcpy(call->ref, ref.at, ref.len);
    sim_send(lane->ledger->process, &call->call);
    return XD_RESERVE_LATER;
}

/* --- opening and ending --------------------------------------------------------------------------------- */

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct sim_ledger *ledger = arg;
    (void)fd;
    (void)what;
    for (unsigned i = 0; i < ledger->world->store->count; i++) {
        renew(&ledger->lanes[i]);
    }
    event_add(ledger->tick, &(struct timeval){.tv_usec = TICK_US});
}

static uint32_t generation(const struct xd_ledger *base, uint16_t partition)
{
    return (uint32_t)sim_ledger_generation(base, partition);
}

static const struct xd_ledger_ops ops = {
    .reserve = reserve,
    .append = sim_ledger_append,
    .now_ms = now_ms,
    .acquire = acquire,
    .release = release,
    .load_snapshot = sim_ledger_load_snapshot,
    .begin_snapshot = sim_ledger_begin_snapshot,
    .add_to_snapshot = sim_ledger_add_to_snapshot,
    .end_snapshot = sim_ledger_end_snapshot,
    .drop_snapshot = sim_ledger_drop_snapshot,
    .read_log = sim_ledger_read_log,
    .follow_log = sim_ledger_follow_log,
    .commit = sim_ledger_commit,
    .generation = generation,
};

struct xd_ledger *sim_ledger_open(struct sim_process *process, uint64_t id)
{
    struct sim_ledger *ledger = sim_new(sizeof *ledger);
    ledger->base.ops = &ops;
    ledger->process = process;
    ledger->world = process->world;
    ledger->id = id;
    ledger->skew_ms = sim_store_ms(process->world->store) - sim_ledger_local_ms(ledger);
    for (unsigned i = 0; i < SIM_RANGES_MAX; i++) {
        ledger->lanes[i].ledger = ledger;
        ledger->lanes[i].partition = i;
        ledger->lanes[i].generation = sim_generation(&process->world->store->parts[i]);
    }
    ledger->tick = event_new(sim_base(process), -1, 0, on_tick, ledger);
    event_add(ledger->tick, &(struct timeval){.tv_usec = TICK_US});
    return &ledger->base;
}

void sim_ledger_kill(struct xd_ledger *base)
{
    struct sim_ledger *ledger = sim_ledger_of(base);
    ledger->dead = true;
    sim_abandon(ledger->process);
    for (unsigned i = 0; i < SIM_RANGES_MAX; i++) {
        struct sim_lane *lane = &ledger->lanes[i];
        sim_lane_forget_commits(lane);
        sim_lane_refuse_appends(lane, XD_DRAINING);
        free(lane->snapshot.state.at);
        lane->snapshot.state.at = NULL;
    }
    sim_abandon(ledger->process);
    event_free(ledger->tick);
    sim_bury(ledger->world, ledger);
}

void sim_ledger_on_stored(struct xd_ledger *base, sim_stored_cb *callback, void *arg)
{
    sim_ledger_of(base)->stored = callback;
    sim_ledger_of(base)->stored_arg = arg;
}

uint64_t sim_ledger_generation(const struct xd_ledger *base, uint16_t partition)
{
    return sim_lane_of(base, partition)->generation;
}

bool sim_ledger_committing(const struct xd_ledger *base, uint16_t partition)
{
    const struct sim_lane *lane = sim_lane_of(base, partition);
    return lane->commits || lane->committing;
}
