/* The ledger on Redis (6.2 or later): one server, a master that sentinels name, or a Redis Cluster. Any
 * number of processes may have it open; of each partition one at a time holds the lease. Keys and scripts:
 * redis_scripts.h.
 *
 * What an acknowledgement means is said with it (xd_durability): that Redis has taken the record; that it was
 * fsynced
 * (`appendfsync always`, which is verified whenever a connection is made, not assumed); or that N replicas
 * have it in memory. A record whose fate is unknown, because the connection broke, is sent again under the
 * same serial until Redis answers, and is stored once. After `timeout_ms` without an answer it is answered
 * XD_STORAGE_FAILED, and may be found stored later (as point 4 of ledger.h says of a process that dies).
 * Where Redis itself may have lost writes (a fail-over, a crash without fsync), the generation of the
 * partition rises before anything is written there again. What waits for an outcome is answered
 * XD_STORAGE_FAILED then. Where replicas are asked for, events are told and read only once they have them; a
 * read of what they have not gives none, after a second. */
#ifndef XD_CORE_LEDGER_LEDGER_REDIS_H
#define XD_CORE_LEDGER_LEDGER_REDIS_H

#include "core/ledger/ledger.h"

struct event_base;

struct xd_redis_ledger_options {
    const char *url;                         /* core/redis/url.h */
    const char *tls_ca, *tls_cert, *tls_key; /* PEM files, "" or NULL for none */
    struct xd_market market;       /* fixed when the ledger is first initialised, compared afterwards */
    bool market_given;             /* false: take the ledger's; initialise with `market` if new */
    uint16_t partitions;           /* 1..XD_REDIS_PARTITIONS; fixed and compared likewise */
    enum xd_durability durability; /* what acknowledgements are to reach */
    uint32_t replicas;             /* for XD_DURABILITY_REPLICATED */
    bool accept_weak;              /* take a Redis whose settings cannot hold what is promised */
    bool keep_log;                 /* records before a snapshot are not trimmed */
    int64_t event_retention_s;     /* events older than this are trimmed; 0: never */
    size_t backlog_limit;          /* bytes waiting for Redis before XD_OVERLOADED */
    size_t outbox_limit;           /* bytes of messages that nobody has seen before xd_ledger_room says so */
    uint32_t lease_ms;
    uint64_t process;          /* who this is, as leases name it; 0: drawn */
    const char *freed_channel; /* is told the number of each partition that is given back; NULL: none is */
    void (*outbox_grew)(void *arg, uint16_t partition); /* a commit of ours with messages is stored; NULL: nobody asks */
    void *outbox_arg;
    bool owner_only; /* appends are answered when stored, without outcomes, and events are not followed: for
                        who only owns partitions, and need not read what others commit */
    uint32_t timeout_ms;            /* to connect, to answer, and for a record to be stored */
    int64_t (*clock_ms)(void *arg); /* NULL: Redis' own clock stamps records; else this one, which may go
                                       backwards (for tests) */
    void *clock_arg;
};

enum { XD_REDIS_PARTITIONS = 192 };

/* Opens or initialises; waits for Redis, at most twice timeout_ms. On failure NULL and *error: it cannot be
 * reached, is too old, its settings lose what is promised (each is named, with what it should be), the ledger
 * is of another market or number of partitions. */
struct xd_ledger *xd_ledger_open_redis(struct event_base *base, const struct xd_redis_ledger_options *options,
                                       struct xd_error *error);

/* An acquisition that waits for the end of another's lease tries now: the partition is said to be free. */
void xd_ledger_redis_hurry(struct xd_ledger *ledger, uint16_t partition);

/* --- messages between partitions (docs/CLUSTER.md, Outbox and relay) ---------------------------------------------- */

/* A message as a commit left it in the outbox; `number` is that of the commit, and rises. */
struct xd_letter {
    uint64_t number;
    struct xd_message message;
    struct xd_str bytes;
};

/* The letters of some commits behind `after` (0: from the beginning); none: there are no more. They live until the callback
 * returns. */
typedef void xd_letters_cb(void *arg, enum xd_code code, const struct xd_letter *letters, uint32_t count);
void xd_ledger_redis_read_outbox(struct xd_ledger *ledger, uint16_t partition, uint64_t after, xd_letters_cb *callback,
                                 void *arg);

/* Commits up to `number` have been seen by all: their letters go. */
void xd_ledger_redis_trim_outbox(struct xd_ledger *ledger, uint16_t partition, uint64_t number);

/* What the owner of `partition` has committed as seen of `from`; zeros where that is nothing. */
typedef void xd_seen_cb(void *arg, enum xd_code code, struct xd_heard seen);
void xd_ledger_redis_read_seen(struct xd_ledger *ledger, uint16_t partition, uint16_t from, xd_seen_cb *callback, void *arg);

/* The market that the ledger was initialised with. */
struct xd_market xd_ledger_redis_market(const struct xd_ledger *ledger);

#endif
