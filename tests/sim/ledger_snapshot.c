/* Snapshots, kept in the process until their end stores all of it. */
#include "tests/sim/ledger_parts.h"

#include <string.h>

struct save_call {
    struct sim_call call;
    struct sim_lane *lane;
    struct xd_lease lease;
    struct sim_snapshot snapshot;
    bool there;
    enum xd_code code;
    xd_snapshot_cb *loaded;
    xd_done_cb *saved;
    void *arg;
};

static void save_destroy(struct sim_call *call)
{
    free(((struct save_call *)call)->snapshot.state.at);
    free(call);
}

static bool load_run(struct sim_store *store, struct sim_call *call)
{
    struct save_call *load = (struct save_call *)call;
    const struct sim_part *part = &store->parts[call->partition];
    load->there = part->snapshot_count;
    if (load->there) load->snapshot = part->snapshots[part->snapshot_count - 1];
    load->snapshot.state.at = sim_copy(load->snapshot.state.at, load->snapshot.state.len);
    return true;
}

static void load_done(struct sim_call *call, bool answered)
{
    struct save_call *load = (struct save_call *)call;
    struct sim_bytes state = load->snapshot.state;
    struct xd_buf buf;
    xd_buf_init(&buf, state.len + 1);
    xd_buf_add(&buf, state.at, state.len);
    enum xd_code code = !answered ? XD_STORAGE_FAILED : load->there ? XD_OK : XD_NOT_FOUND;
    if (code != XD_OK) xd_buf_free(&buf);
    load->loaded(load->arg, code, load->snapshot.next_record, load->snapshot.next_event, &buf);
}

void sim_ledger_load_snapshot(struct xd_ledger *base, uint16_t partition, xd_snapshot_cb *callback, void *arg)
{
    struct sim_lane *lane = sim_lane_of(base, partition);
    struct save_call *load = sim_new(sizeof *load);
    *load = (struct save_call){
        .call = {.run = load_run, .done = load_done, .destroy = save_destroy, .partition = lane->partition},
        .loaded = callback,
        .arg = arg};
    sim_send(lane->ledger->process, &load->call);
}

enum xd_code sim_ledger_begin_snapshot(struct xd_ledger *base, const struct xd_lease *lease,
                                       uint64_t next_record, uint64_t next_event)
{
    struct sim_lane *lane = sim_lane_of(base, lease->partition);
    if (!sim_lane_holds(lane, lease)) return XD_FENCED;
    if (lane->saving) return XD_OVERLOADED;
    free(lane->snapshot.state.at);
    lane->saving = true;
    lane->snapshot = (struct sim_snapshot){.next_record = next_record, .next_event = next_event};
    return XD_OK;
}

struct done_later {
    xd_done_cb *callback;
    void *arg;
    enum xd_code code;
};

static void run_done(void *arg)
{
    struct done_later later = *(struct done_later *)arg;
    free(arg);
    later.callback(later.arg, later.code);
}

static void tell_later(struct sim_ledger *ledger, xd_done_cb *callback, void *arg, enum xd_code code)
{
    struct done_later *later = sim_new(sizeof *later);
    *later = (struct done_later){callback, arg, code};
    sim_ledger_later(ledger, SIM_MS, run_done, later);
}

/* Kept here until the end, which stores all of it. */
void sim_ledger_add_to_snapshot(struct xd_ledger *base, const struct xd_lease *lease, struct xd_buf *chunk,
                                xd_done_cb *callback, void *arg)
{
    struct sim_lane *lane = sim_lane_of(base, lease->partition);
    struct sim_bytes *state = &lane->snapshot.state;
    bool good = lane->saving && sim_lane_holds(lane, lease);
    if (good) {
        uint8_t *joined = sim_new(state->len + chunk->len + 1);
        if (state->len) memcpy(joined, state->at, state->len);
        memcpy(joined + state->len, chunk->data, chunk->len);
        free(state->at);
        *state = (struct sim_bytes){joined, state->len + chunk->len};
    }
    xd_buf_free(chunk);
    tell_later(lane->ledger, callback, arg, good ? XD_OK : XD_WRONG_STATE);
}

static bool save_run(struct sim_store *store, struct sim_call *call)
{
    struct save_call *save = (struct save_call *)call;
    save->code = sim_save(store, call->partition, save->lease.epoch, save->lease.nonce, &save->snapshot);
    return true;
}

static void save_done(struct sim_call *call, bool answered)
{
    struct save_call *save = (struct save_call *)call;
    bool past = sim_lane_is_past(save->lane, call);
    save->saved(save->arg, answered && !past ? save->code : XD_STORAGE_FAILED);
}

void sim_ledger_end_snapshot(struct xd_ledger *base, const struct xd_lease *lease, xd_done_cb *callback,
                             void *arg)
{
    struct sim_lane *lane = sim_lane_of(base, lease->partition);
    if (!lane->saving || !sim_lane_holds(lane, lease)) {
        tell_later(lane->ledger, callback, arg, XD_WRONG_STATE);
        return;
    }
    struct save_call *save = sim_new(sizeof *save);
    *save = (struct save_call){.call = {.run = save_run,
                                        .done = save_done,
                                        .destroy = save_destroy,
                                        .partition = lane->partition,
                                        .generation = lane->generation},
                               .lane = lane,
                               .lease = *lease,
                               .snapshot = lane->snapshot,
                               .saved = callback,
                               .arg = arg};
    lane->saving = false;
    lane->snapshot.state = (struct sim_bytes){0};
    sim_send(lane->ledger->process, &save->call);
}

void sim_ledger_drop_snapshot(struct xd_ledger *base, const struct xd_lease *lease)
{
    sim_lane_of(base, lease->partition)->saving = false;
}
