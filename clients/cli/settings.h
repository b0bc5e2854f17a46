/* The options of `crossdock`, from one table, and which command takes which. */
#ifndef XD_CLIENTS_CLI_SETTINGS_H
#define XD_CLIENTS_CLI_SETTINGS_H

#include "core/options.h"

struct xd_cli_settings {
    char *url, *account, *as;
    char *tls_ca, *tls_cert, *tls_key;
    bool tls_insecure;
    char *state;
    char *durable, *from;
    bool all;
    int64_t count;
    int64_t idle_ms;
    char *data;
    int64_t partition;
    char *redis, *redis_tls_ca, *redis_tls_cert, *redis_tls_key;
    bool accept_weak_redis;
    int64_t partitions;
    char *places, *currency;
    int64_t road_factor_e4;
    bool json, help, version;
};

/* Which options a command takes besides those that all have (--json, --help, --version), as bits. */
enum {
    XD_TAKES_CONNECTION = 1,
    XD_TAKES_AS = 2,
    XD_TAKES_STATE = 4,
    XD_TAKES_WATCH = 8,
    XD_TAKES_DATA = 16,
    XD_TAKES_REDIS = 32,
    XD_TAKES_CLUSTER = 64,
};

struct xd_arguments {
    struct xd_cli_settings settings;
    struct xd_option_given given;
    const char **words; /* what is no option, in order; points into argv */
    size_t word_count;
    char **flags; /* what is, after the program's name */
    int flag_count;
};

/* Sorts and reads the arguments. False and the mistakes, one a line, or without memory. xd_arguments_free
 * either way. */
bool xd_arguments_read(struct xd_arguments *arguments, int argc, char **argv, struct xd_buf *mistakes);
void xd_arguments_free(struct xd_arguments *arguments);

/* The name of an option that was given and that a command with `takes` does not take, or NULL. */
const char *xd_arguments_stray(const struct xd_arguments *arguments, unsigned takes);

/* Appends the help for the options that a command with `takes` takes. */
void xd_options_help_for(unsigned takes, struct xd_buf *out);

#endif
