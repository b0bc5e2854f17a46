/* The simulated Redis. What is a script there is a function here: one step, on state in memory, checking all
 * before it writes anything (docs/CLUSTER.md, Leases, The fenced commit, Outbox and relay). */
#ifndef XD_TESTS_SIM_STORE_H
#define XD_TESTS_SIM_STORE_H

#include "core/output.h"
#include "tests/sim/network.h"

struct sim_bytes {
    uint8_t *at;
    size_t len;
};

struct sim_record {
    int64_t time_ms;
    struct sim_bytes bytes;
};

struct sim_event {
    struct sim_bytes bytes;
    uint64_t order; /* among the events of all partitions, as they were committed */
};

/* A message to another partition, until that has seen it. */
struct sim_message {
    uint64_t number; /* in the outbox */
    struct xd_message message;
    struct sim_bytes bytes;
};

/* Per sender: the last message of a session that was applied, as committed. */
struct sim_seen {
    uint64_t from_gen, to_gen, seq;
};

/* The last batch of an appender: sent again, it is not stored again. */
struct sim_appender {
    uint64_t who, serial, first;
    int64_t ms;
};

struct sim_snapshot {
    uint64_t next_record, next_event;
    struct sim_bytes state;
};

/* What a partition was behind a write; all that is left of it when the writes behind that are lost. */
struct sim_mark {
    int64_t at_us;
    uint64_t epoch, nonce, member;
    int64_t until_ms, last_ms;
    uint64_t records, done, events, outbox_numbers, snapshots;
    struct sim_seen seen[SIM_RANGES_MAX];
};

/* The first record and event of a generation. */
struct sim_begin {
    uint64_t records, events;
};

struct sim_part {
    uint64_t epoch, nonce, member;
    int64_t until_ms;
    struct sim_record *records;
    size_t record_count;
    uint64_t done; /* records whose events are committed */
    int64_t last_ms;
    struct sim_event *events;
    size_t event_count;
    struct sim_appender *appenders;
    size_t appender_count;
    struct sim_message *outbox;
    size_t outbox_count;
    uint64_t outbox_numbers; /* given out */
    struct sim_seen seen[SIM_RANGES_MAX];
    struct sim_snapshot *snapshots; /* the last counts */
    size_t snapshot_count;
    struct sim_mark *marks;
    size_t mark_count;
    struct sim_begin *begins; /* of generation 2 and on */
    size_t generations;       /* that began since */
    uint64_t orders;          /* numbers given out */
    struct sim_call **waiting;
    size_t waiting_count;
};

struct sim_ref {
    struct xd_str account, ref; /* owned */
    struct xd_digest digest;
    uint64_t id;
};

struct sim_member {
    uint64_t id;
    int64_t seen_ms;
};

struct sim_store {
    struct sim_world *world;
    int64_t clock_us; /* the server's clock less the world's */
    uint16_t first;   /* number of parts[0] */
    unsigned count;
    struct sim_part parts[SIM_RANGES_MAX];
    struct sim_ref *refs;
    size_t ref_count;
    struct sim_member members[64];
    unsigned member_count;
    uint64_t events; /* committed so far, those that were lost too */
};

enum { SIM_LEASE_MS = 2000 };

struct sim_store *sim_store_create(struct sim_world *world, uint16_t first, unsigned count);
void sim_store_destroy(struct sim_store *store);

int64_t sim_store_ms(const struct sim_store *store);

/* Members that have been heard of within a lease, `member` (0: nobody) among them; into `out`, of 64. */
unsigned sim_heartbeat(struct sim_store *store, uint64_t member, uint64_t *out);
void sim_leave(struct sim_store *store, uint64_t member);

/* False: another's until *until_ms. */
bool sim_acquire(struct sim_store *store, unsigned partition, uint64_t member, uint64_t nonce,
                 uint64_t *epoch, int64_t *until_ms);
bool sim_renew(struct sim_store *store, unsigned partition, uint64_t epoch, uint64_t nonce);
void sim_release(struct sim_store *store, unsigned partition, uint64_t epoch, uint64_t nonce);

/* Appends `count` records, copied; returns the offset of the first, and *ms of all. */
uint64_t sim_append(struct sim_store *store, unsigned partition, uint64_t who, uint64_t serial,
                    const struct sim_bytes *records, size_t count, int64_t *ms);

struct sim_commit {
    uint64_t epoch, nonce, previous, next, first_event;
    const struct xd_output *output;
};

/* From 1. Whoever writes says which one it knows, and writes nothing where another has begun. */
static inline uint64_t sim_generation(const struct sim_part *part)
{
    return 1 + part->generations;
}

/* history.c: to be called behind every write. */
void sim_mark(struct sim_store *store, unsigned partition);
/* What was written later than `to_us` is lost; a new generation begins with a record of it. */
void sim_roll_back(struct sim_store *store, unsigned partition, int64_t to_us);
/* How much of what a partition was told to have in a generation is certainly there: records and events before
 * these. */
struct sim_begin sim_kept(const struct sim_store *store, unsigned partition, uint64_t generation);

/* XD_OK, now or when it was sent before; XD_FENCED. */
enum xd_code sim_commit(struct sim_store *store, unsigned partition, const struct sim_commit *commit);

/* Removes what of the outbox was seen. */
void sim_trim_outbox(struct sim_store *store, unsigned partition, uint64_t up_to);

enum xd_code sim_save(struct sim_store *store, unsigned partition, uint64_t epoch, uint64_t nonce,
                      const struct sim_snapshot *snapshot);

/* XD_OK and the id, new or that of the same order before; XD_REF_CONFLICT. */
enum xd_code sim_reserve(struct sim_store *store, unsigned partition, struct xd_str account,
                         struct xd_str ref, struct xd_digest digest, uint64_t *id);

#endif
