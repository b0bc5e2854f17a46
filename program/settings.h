/* The settings of crossdock-broker and crossdock-matcher: one options table, of which the matcher has a part,
 * and the checks that concern more than one option. */
#ifndef XD_PROGRAM_SETTINGS_H
#define XD_PROGRAM_SETTINGS_H

#include "core/ledger/ledger_redis.h"
#include "core/options.h"

#include <sys/socket.h>

enum xd_program { XD_FOR_BROKER, XD_FOR_MATCHER };

struct xd_settings {
    /* connections */
    char *listen;
    int64_t max_connections;
    int64_t max_message;      /* bytes */
    int64_t slow_timeout_ms;  /* a peer that reads nothing of what waits for it */
    int64_t drain_timeout_ms; /* for what is in flight at the end */
    /* tls */
    char *tls_cert, *tls_key, *tls_client_ca;
    /* data */
    char *data;
    char *redis; /* "": the ledger is in `data` */
    char *redis_tls_ca, *redis_tls_cert, *redis_tls_key;
    char *durability_text;
    bool accept_weak_redis;
    int64_t redis_timeout_ms;
    int64_t lease_ms;
    int64_t outbox; /* bytes that nobody has seen */
    bool keep_log;
    bool rebuild;             /* replay the log from its start, whatever snapshots there are */
    int64_t retain_events_ms; /* 0: for ever */
    int64_t snapshot_every;   /* records; 0: only at the end */
    int64_t backlog;          /* bytes waiting for the disk */
    /* market */
    char *currency;
    int64_t road_factor_e4;
    int64_t max_orders;
    /* running */
    char *config;
    int64_t log_level;
    bool test_clock;
    bool check_config, version, help;

    /* made of the above */
    struct sockaddr_storage address; /* of `listen` */
    socklen_t address_len;
    enum xd_durability durability; /* of `durability_text` */
    uint32_t replicas;             /* for XD_DURABILITY_REPLICATED */
    struct xd_option_given given;
    enum xd_program program; /* whose they are */
};

extern const struct xd_options xd_broker_options;

/* The options that a program has. */
const struct xd_options *xd_settings_options(enum xd_program program);

/* Reads and checks everything; on mistakes false and a line for each (options.h). `settings` is filled as far
 * as possible either way, and freed by xd_settings_free. */
bool xd_settings_read(enum xd_program program, struct xd_settings *settings, int argc, char *const *argv,
                      struct xd_buf *mistakes);
void xd_settings_free(struct xd_settings *settings);

/* What the ledger on Redis is opened with, but for the number of partitions. */
struct xd_redis_ledger_options xd_settings_redis(const struct xd_settings *settings);

/* Whether the currency or the road factor was asked for, rather than left to what the data directory says. */
bool xd_settings_market_given(const struct xd_settings *settings);

/* Client certificates say who a connection is. */
bool xd_settings_authenticated(const struct xd_settings *settings);

#endif
