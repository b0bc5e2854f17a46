#include "program/settings.h"

#include "core/log.h"
#include "core/order.h"
#include "core/redis/url.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct xd_settings, member)

enum { DAY_MS = 86400 * 1000, MIB = 1 << 20 };

static const struct xd_option table[] = {
    {.group = "Connections",
     .name = "listen",
     .type = XD_OPTION_TEXT,
     .offset = AT(listen),
     .value = "HOST:PORT",
     .fallback = "127.0.0.1:7400",
     .doc = "Address to listen on; port 0 takes a free one. Loopback only without --tls-client-ca."},
    {.group = "Connections",
     .name = "max-connections",
     .type = XD_OPTION_NUMBER,
     .offset = AT(max_connections),
     .value = "N",
     .fallback = "1000",
     .min = 1,
     .max = 1000000,
     .doc = "Connections at a time; one more is told 'overloaded' and closed."},
    {.group = "Connections",
     .name = "max-message",
     .type = XD_OPTION_SIZE,
     .offset = AT(max_message),
     .value = "SIZE",
     .fallback = "1m",
     .min = 4096,
     .max = 16 * MIB,
     .doc = "Longest message that a client may send."},
    {.group = "Connections",
     .name = "slow-timeout",
     .type = XD_OPTION_DURATION,
     .offset = AT(slow_timeout_ms),
     .value = "TIME",
     .fallback = "30s",
     .min = 100,
     .max = DAY_MS,
     .doc =
         "A client that reads nothing of what waits for it for so long is told 'slow_consumer' and closed."},
    {.group = "Connections",
     .name = "drain-timeout",
     .type = XD_OPTION_DURATION,
     .offset = AT(drain_timeout_ms),
     .value = "TIME",
     .fallback = "10s",
     .min = 100,
     .max = DAY_MS,
     .doc = "At SIGTERM: how long to wait for answers under way and for clients to read them."},

    {.group = "TLS",
     .name = "tls-cert",
     .type = XD_OPTION_TEXT,
     .offset = AT(tls_cert),
     .value = "FILE",
     .doc = "The broker's certificate and chain (PEM); with it connections are TLS 1.2 or 1.3 only."},
    {.group = "TLS",
     .name = "tls-key",
     .type = XD_OPTION_TEXT,
     .offset = AT(tls_key),
     .value = "FILE",
     .doc = "The key of --tls-cert (PEM)."},
    {.group = "TLS",
     .name = "tls-client-ca",
     .type = XD_OPTION_TEXT,
     .offset = AT(tls_client_ca),
     .value = "FILE",
     .doc = "CAs (PEM) that clients' certificates must come from; a certificate's CN is the client's "
            "account; '*' "
            "is an operator's."},

    {.group = "Data",
     .name = "data",
     .type = XD_OPTION_TEXT,
     .offset = AT(data),
     .value = "DIR",
     .fallback = "./data",
     .doc = "Directory of the ledger; made if missing."},
    {.group = "Data",
     .name = "keep-log",
     .type = XD_OPTION_FLAG,
     .offset = AT(keep_log),
     .doc = "Keep the log's records before a snapshot instead of trimming them."},
    {.group = "Data",
     .name = "rebuild",
     .type = XD_OPTION_FLAG,
     .offset = AT(rebuild),
     .doc = "Rebuild the state from the log's start instead of the newest snapshot; wants a log kept whole."},
    {.group = "Data",
     .name = "retain-events",
     .type = XD_OPTION_DURATION,
     .offset = AT(retain_events_ms),
     .value = "TIME",
     .fallback = "7d",
     .min = 0,
     .max = INT64_C(3650) * DAY_MS,
     .doc = "How long events can be read again; 0 keeps them for ever."},
    {.group = "Data",
     .name = "snapshot-every",
     .type = XD_OPTION_NUMBER,
     .offset = AT(snapshot_every),
     .value = "N",
     .fallback = "100000",
     .min = 0,
     .max = 1000000000,
     .doc = "Records between snapshots; 0 makes one at the end only."},
    {.group = "Data",
     .name = "backlog",
     .type = XD_OPTION_SIZE,
     .offset = AT(backlog),
     .value = "SIZE",
     .fallback = "64m",
     .min = MIB,
     .max = INT64_C(4096) * MIB,
     .doc = "Bytes that may wait for the disk; above half of it the broker stops reading from clients."},

    {.group = "Redis",
     .name = "redis",
     .type = XD_OPTION_TEXT,
     .offset = AT(redis),
     .value = "URL",
     .secret = true,
     .doc =
         "Keep the ledger in Redis instead of --data: redis://[USER:PASSWORD@]HOST[:PORT][/DB] (a server or "
         "a cluster's node), "
         "redis-sentinel://[USER:PASSWORD@]HOST[:PORT],.../NAME; rediss:// and rediss-sentinel:// over TLS."},
    {.group = "Redis",
     .name = "redis-tls-ca",
     .type = XD_OPTION_TEXT,
     .offset = AT(redis_tls_ca),
     .value = "FILE",
     .doc = "CAs (PEM) that Redis' certificate must come from; the system's if left out."},
    {.group = "Redis",
     .name = "redis-tls-cert",
     .type = XD_OPTION_TEXT,
     .offset = AT(redis_tls_cert),
     .value = "FILE",
     .doc = "The certificate to show to Redis (PEM)."},
    {.group = "Redis",
     .name = "redis-tls-key",
     .type = XD_OPTION_TEXT,
     .offset = AT(redis_tls_key),
     .value = "FILE",
     .doc = "The key of --redis-tls-cert (PEM)."},
    {.group = "Redis",
     .name = "durability",
     .type = XD_OPTION_TEXT,
     .offset = AT(durability_text),
     .value = "LEVEL",
     .fallback = "fsynced",
     .doc = "What an acknowledgement from Redis is to mean: 'accepted', 'fsynced' (appendfsync always) or "
            "'replicated:N' (N replicas "
            "have it in memory). It says what was reached."},
    {.group = "Redis",
     .name = "accept-weak-redis",
     .type = XD_OPTION_FLAG,
     .offset = AT(accept_weak_redis),
     .doc = "Take a Redis whose settings can lose what was acknowledged."},
    {.group = "Redis",
     .name = "redis-timeout",
     .type = XD_OPTION_DURATION,
     .offset = AT(redis_timeout_ms),
     .value = "TIME",
     .fallback = "5s",
     .min = 100,
     .max = 600 * 1000,
     .doc = "How long Redis may take to connect, to answer, and to come back before orders are refused."},
    {.group = "Redis",
     .name = "lease",
     .type = XD_OPTION_DURATION,
     .offset = AT(lease_ms),
     .value = "TIME",
     .fallback = "2s",
     .min = 100,
     .max = 600 * 1000,
     .doc = "How long a process that has died keeps its partitions."},
    {.group = "Redis",
     .name = "outbox",
     .type = XD_OPTION_SIZE,
     .offset = AT(outbox),
     .value = "SIZE",
     .fallback = "64m",
     .min = 1024,
     .max = INT64_C(4096) * MIB,
     .doc = "Bytes of a partition's messages to others that none of them has taken in, above which its new "
            "orders "
            "and amendments are refused with 'overloaded'."},

    {.group = "Market",
     .name = "currency",
     .type = XD_OPTION_TEXT,
     .offset = AT(currency),
     .value = "CODE",
     .fallback = "CNY",
     .doc = "Currency (ISO 4217) of orders that name none; fixed when the data directory is new."},
    {.group = "Market",
     .name = "road-factor",
     .type = XD_OPTION_NUMBER,
     .scale = 4,
     .offset = AT(road_factor_e4),
     .value = "X",
     .fallback = "1.25",
     .min = 10000,
     .max = 30000,
     .doc = "Road kilometres per kilometre of great circle; fixed when the data directory is new."},
    {.group = "Market",
     .name = "max-orders",
     .type = XD_OPTION_NUMBER,
     .offset = AT(max_orders),
     .value = "N",
     .fallback = "2000000",
     .min = 1,
     .max = 100000000,
     .doc = "Orders held at a time; more are refused with 'book_full'."},

    {.group = "Running",
     .name = "config",
     .type = XD_OPTION_TEXT,
     .offset = AT(config),
     .value = "FILE",
     .doc = "INI file of options."},
    {.group = "Running",
     .name = "log-level",
     .type = XD_OPTION_CHOICE,
     .offset = AT(log_level),
     .value = "LEVEL",
     .fallback = "info",
     .choices = xd_log_level_names,
     .doc = "What to log on standard error."},
    {.group = "Running",
     .name = "test-clock",
     .type = XD_OPTION_FLAG,
     .offset = AT(test_clock),
     .doc = "Time moves only by the method 'clock'. For tests; loopback only."},

    {.group = "Instead of running",
     .name = "check-config",
     .type = XD_OPTION_FLAG,
     .offset = AT(check_config),
     .flag_only = true,
     .doc = "Print the settings in effect, or every mistake in them."},
    {.group = "Instead of running",
     .name = "version",
     .type = XD_OPTION_FLAG,
     .offset = AT(version),
     .flag_only = true,
     .doc = "Print the version."},
    {.group = "Instead of running",
     .name = "help",
     .type = XD_OPTION_FLAG,
     .offset = AT(help),
     .flag_only = true,
     .doc = "Print this."},
};

const struct xd_options xd_broker_options = {
    .program = "crossdock-broker",
    .summary = "Matches offers of idle freight and storage capacity with requests for it.",
    .environment = "CROSSDOCK_",
    .config = "config",
    .table = table,
    .count = sizeof(table) / sizeof(*table),
};

static_assert(sizeof(table) / sizeof(*table) <= XD_OPTIONS_MAX,
              "struct xd_option_given has no room for the table");

static bool is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;
        return ntohl(in->sin_addr.s_addr) >> 24 == 127;
    }
    const struct in6_addr *in6 = &((const struct sockaddr_in6 *)address)->sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(in6) || (IN6_IS_ADDR_V4MAPPED(in6) && in6->s6_addr[12] == 127);
}

/* "host:port" or "[host]:port" in two. False if it is neither. */
static bool split_address(const char *text, char host[static 256], char port[static 8])
{
    const char *colon = strrchr(text, ':');
    if (!colon || colon == text || strlen(colon + 1) == 0 || strlen(colon + 1) > 5 ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1) || strtol(colon + 1, NULL, 10) > 65535)
        return false;
    size_t len = (size_t)(colon - text);
    bool brackets = text[0] == '[' && text[len - 1] == ']';
    if (brackets) {
        text++;
        len -= 2;
    }
    if (len == 0 || len > 255 || (!brackets && memchr(text, ':', len))) return false;
    memcpy(host, text, len);
    host[len] = '\0';
    strcpy(port, colon + 1);
    return true;
}

static bool check_listen(struct xd_settings *settings, struct xd_buf *mistakes)
{
    char host[256], port[8];
    if (!split_address(settings->listen, host, port)) {
        xd_options_mistake(
            mistakes, "--listen: '%s' is not allowed; allowed: HOST:PORT or [IPV6]:PORT, port 0 to 65535",
            settings->listen);
        return false;
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int problem = getaddrinfo(host, port, &hints, &found);
    if (problem) {
        xd_options_mistake(mistakes, "--listen: '%s': %s", settings->listen, gai_strerror(problem));
        return false;
    }
    memcpy(&settings->address, found->ai_addr, found->ai_addrlen);
    settings->address_len = found->ai_addrlen;
    freeaddrinfo(found);
    if (!xd_settings_authenticated(settings) && !is_loopback(&settings->address)) {
        xd_options_mistake(mistakes,
                           "--listen: '%s' is not a loopback address; without --tls-client-ca there is no "
                           "authentication, and only loopback may be listened on",
                           settings->listen);
        return false;
    }
    return true;
}

static bool check_clock(const struct xd_settings *settings, struct xd_buf *mistakes)
{
    if (!settings->test_clock || settings->address_len == 0 || is_loopback(&settings->address)) return true;
    xd_options_mistake(mistakes,
                       "--test-clock: '%s' is not a loopback address; any client could move the clock",
                       settings->listen);
    return false;
}

static bool check_tls(const struct xd_settings *settings, struct xd_buf *mistakes)
{
    bool cert = *settings->tls_cert, key = *settings->tls_key;
    if (cert != key) {
        xd_options_mistake(mistakes, "--tls-%s: needs --tls-%s as well", cert ? "cert" : "key",
                           cert ? "key" : "cert");
        return false;
    }
    if (*settings->tls_client_ca && !cert) {
        xd_options_mistake(mistakes, "--tls-client-ca: needs --tls-cert and --tls-key as well");
        return false;
    }
    return true;
}

/* "accepted", "fsynced" or "replicated:N", N from 1 to 9. */
static bool check_durability(struct xd_settings *settings, struct xd_buf *mistakes)
{
    static const char replicated[] = "replicated:";
    const char *text = settings->durability_text;
    size_t len = sizeof replicated - 1;
    if (strcmp(text, "accepted") == 0) {
        settings->durability = XD_DURABILITY_ACCEPTED;
    } else if (strcmp(text, "fsynced") == 0) {
        settings->durability = XD_DURABILITY_FSYNCED;
    } else if (strncmp(text, replicated, len) == 0 && text[len] >= '1' && text[len] <= '9' &&
               text[len + 1] == '\0') {
        settings->durability = XD_DURABILITY_REPLICATED;
        settings->replicas = (uint32_t)(text[len] - '0');
    } else {
        xd_options_mistake(
            mistakes,
            "--durability: '%s' is not allowed; allowed: accepted, fsynced, replicated:N (N 1 to 9)", text);
        return false;
    }
    return true;
}

static bool check_redis(struct xd_settings *settings, struct xd_buf *mistakes)
{
    struct xd_redis_url url;
    struct xd_error error;
    bool well = check_durability(settings, mistakes);
    if (*settings->redis && !xd_redis_url_parse(settings->redis, &url, &error)) {
        xd_options_mistake(mistakes, "--redis: %s", error.message);
        well = false;
    }
    bool cert = *settings->redis_tls_cert, key = *settings->redis_tls_key;
    if (cert != key) {
        xd_options_mistake(mistakes, "--redis-tls-%s: needs --redis-tls-%s as well", cert ? "cert" : "key",
                           cert ? "key" : "cert");
        well = false;
    }
    return well;
}

static bool check_rest(const struct xd_settings *settings, struct xd_buf *mistakes)
{
    bool well = true;
    if (xd_currency(settings->currency, strlen(settings->currency)) == 0) {
        xd_options_mistake(mistakes,
                           "--currency: '%s' is not allowed; allowed: three capital letters (ISO 4217)",
                           settings->currency);
        well = false;
    }
    if (!*settings->data) {
        xd_options_mistake(mistakes, "--data: '' is not allowed; allowed: a directory's path");
        well = false;
    }
    return well;
}

static bool check_broker(struct xd_settings *settings, struct xd_buf *mistakes)
{
    if (!settings->listen || !settings->tls_cert || !settings->tls_key || !settings->tls_client_ca ||
        !settings->data || !settings->currency)
        return false;
    bool well = check_listen(settings, mistakes);
    well = check_clock(settings, mistakes) && well;
    well = check_tls(settings, mistakes) && well;
    return check_rest(settings, mistakes) && well;
}

static bool check_matcher(const struct xd_settings *settings, struct xd_buf *mistakes)
{
    if (*settings->redis) return true;
    xd_options_mistake(mistakes, "--redis: missing; where the cluster's Redis is");
    return false;
}

bool xd_settings_read(enum xd_program program, struct xd_settings *settings, int argc, char *const *argv,
                      struct xd_buf *mistakes)
{
    *settings = (struct xd_settings){.program = program};
    bool well =
        xd_options_read(xd_settings_options(program), argc, argv, settings, &settings->given, mistakes);
    if (!settings->redis || !settings->redis_tls_ca || !settings->redis_tls_cert ||
        !settings->redis_tls_key || !settings->durability_text)
        return false;
    bool own =
        program == XD_FOR_BROKER ? check_broker(settings, mistakes) : check_matcher(settings, mistakes);
    return check_redis(settings, mistakes) && own && well;
}

void xd_settings_free(struct xd_settings *settings)
{
    xd_options_free(xd_settings_options(settings->program), settings, &settings->given);
}

bool xd_settings_market_given(const struct xd_settings *settings)
{
    for (size_t i = 0; i < xd_broker_options.count; i++)
        if ((table[i].offset == AT(currency) || table[i].offset == AT(road_factor_e4)) &&
            settings->given.source[i] != XD_FROM_DEFAULT)
            return true;
    return false;
}

bool xd_settings_authenticated(const struct xd_settings *settings)
{
    return *settings->tls_client_ca != '\0';
}
