#include "core/redis/url.h"

#include <event2/http.h>
#include <stdlib.h>
#include <string.h>

enum { REDIS_PORT = 6379, SENTINEL_PORT = 26379, DB_MAX = 9999 };

static const struct scheme {
    const char *prefix;
    bool tls, sentinel;
} schemes[] = {
    {"redis://", false, false},
    {"rediss://", true, false},
    {"redis-sentinel://", false, true},
    {"rediss-sentinel://", true, true},
};

/* The decimal of `len` digits, or -1 if it is none or more than `max`. */
static long number_of(const char *text, size_t len, long max)
{
    long value = 0;
    if (len == 0 || len > 5) return -1;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value <= max ? value : -1;
}

bool xd_redis_host_parse(const char *text, size_t len, uint16_t default_port, struct xd_redis_host *out)
{
    const char *end = text + len, *name = text, *name_end, *rest;
    if (len > 0 && text[0] == '[') {
        name++;
        name_end = memchr(name, ']', len - 1);
        if (!name_end) return false;
        rest = name_end + 1;
    } else {
        name_end = memchr(text, ':', len);
        if (!name_end) name_end = end;
        rest = name_end;
    }
    size_t name_len = (size_t)(name_end - name);
    if (name_len == 0 || name_len > XD_REDIS_HOST_MAX) return false;
    long port = default_port;
    if (rest < end) {
        if (*rest != ':') return false;
        port = number_of(rest + 1, (size_t)(end - rest - 1), 65535);
        if (port <= 0) return false;
    }
    *out = (struct xd_redis_host){.port = (uint16_t)port};
    memcpy(out->name, name, name_len);
    return true;
}

static bool decode(const char *text, size_t len, char out[static XD_REDIS_WORD_MAX + 1])
{
    char encoded[3 * XD_REDIS_WORD_MAX + 1];
    size_t decoded_len = 0;
    if (len >= sizeof encoded) return false;
    memcpy(encoded, text, len);
    encoded[len] = '\0';
    char *decoded = evhttp_uridecode(encoded, 0, &decoded_len);
    bool fits = decoded && decoded_len <= XD_REDIS_WORD_MAX && strlen(decoded) == decoded_len;
    if (fits) memcpy(out, decoded, decoded_len + 1);
    free(decoded);
    return fits;
}

static bool parse_user(const char *text, size_t len, struct xd_redis_url *url)
{
    const char *colon = memchr(text, ':', len);
    size_t user_len = colon ? (size_t)(colon - text) : len;
    return decode(text, user_len, url->user) &&
           (!colon || decode(colon + 1, len - user_len - 1, url->password));
}

static bool parse_hosts(const char *text, size_t len, struct xd_redis_url *url)
{
    const char *end = text + len;
    for (;;) {
        const char *comma = memchr(text, ',', (size_t)(end - text));
        const char *host_end = comma ? comma : end;
        if (url->host_count == (url->sentinel ? XD_REDIS_HOSTS_MAX : 1)) return false;
        if (!xd_redis_host_parse(text, (size_t)(host_end - text), url->sentinel ? SENTINEL_PORT : REDIS_PORT,
                                 &url->hosts[url->host_count++]))
            return false;
        if (!comma) return true;
        text = comma + 1;
    }
}

static bool parse_path(const char *path, struct xd_redis_url *url)
{
    if (url->sentinel) return *path != '\0' && !strchr(path, '/') && decode(path, strlen(path), url->master);
    if (*path == '\0') return true;
    long db = number_of(path, strlen(path), DB_MAX);
    url->db = (uint32_t)(db < 0 ? 0 : db);
    return db >= 0;
}

static bool parse(const char *text, struct xd_redis_url *url)
{
    const struct scheme *scheme = NULL;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (strncmp(text, schemes[i].prefix, strlen(schemes[i].prefix)) == 0) scheme = &schemes[i];
    if (!scheme) return false;
    url->tls = scheme->tls;
    url->sentinel = scheme->sentinel;
    const char *at = text + strlen(scheme->prefix);
    size_t authority = strcspn(at, "/");
    const char *path = at[authority] == '/' ? at + authority + 1 : at + authority;
    const char *hosts = at;
    for (size_t i = 0; i < authority; i++)
        if (at[i] == '@') hosts = at + i + 1;
    if (hosts > at && !parse_user(at, (size_t)(hosts - at - 1), url)) return false;
    return parse_hosts(hosts, authority - (size_t)(hosts - at), url) && parse_path(path, url);
}

bool xd_redis_url_parse(const char *text, struct xd_redis_url *out, struct xd_error *error)
{
    struct xd_redis_url url = {.tls = false};
    if (!parse(text, &url))
        return xd_fail(error, XD_BAD_VALUE, "redis",
                       "not a Redis URL; allowed: redis://[USER:PASSWORD@]HOST[:PORT][/DB], "
                       "redis-sentinel://[USER:PASSWORD@]HOST[:PORT],.../NAME, or rediss... for TLS");
    *out = url;
    return true;
}
