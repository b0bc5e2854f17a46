/* Where a Redis is, in text:
 *
 *   redis://[USER[:PASSWORD]@]HOST[:PORT][/DB]                              one server, or any node of a
 * Redis Cluster redis-sentinel://[USER[:PASSWORD]@]HOST[:PORT][,HOST[:PORT]...]/NAME    the master NAME that
 * these sentinels know
 *
 * rediss:// and rediss-sentinel:// are the same over TLS (the sentinels too). An IPv6 address stands in
 * brackets; user and password are percent-encoded. A password alone is written ":PASSWORD@". User and
 * password are the server's; sentinels are asked without. */
#ifndef XD_CORE_REDIS_URL_H
#define XD_CORE_REDIS_URL_H

#include "core/error.h"

#include <stddef.h>
#include <stdint.h>

enum { XD_REDIS_HOST_MAX = 253, XD_REDIS_WORD_MAX = 255, XD_REDIS_HOSTS_MAX = 9 };

struct xd_redis_host {
    char name[XD_REDIS_HOST_MAX + 1]; /* without brackets */
    uint16_t port;
};

struct xd_redis_url {
    bool tls, sentinel;
    char user[XD_REDIS_WORD_MAX + 1]; /* "": the default user */
    char password[XD_REDIS_WORD_MAX + 1];
    char master[XD_REDIS_WORD_MAX + 1]; /* the name that sentinels know it by */
    uint32_t db;
    struct xd_redis_host hosts[XD_REDIS_HOSTS_MAX];
    uint32_t host_count;
};

/* False and *error (field "redis") if `text` is not such a URL. The password is never in the message. */
bool xd_redis_url_parse(const char *text, struct xd_redis_url *out, struct xd_error *error);

/* "HOST", "HOST:PORT" or "[IPV6]:PORT" of `len` bytes. False if it is none. */
bool xd_redis_host_parse(const char *text, size_t len, uint16_t default_port, struct xd_redis_host *out);

#endif
