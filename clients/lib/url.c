#include "clients/lib/url.h"

#include "clients/lib/failure.h"

#include <string.h>

enum { PORT_MAX = 65535 };

static bool host_char(char c, bool bracketed)
{
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
    return c == '.' || c == '-' || c == '_' || (bracketed && (c == ':' || c == '%'));
}

static bool copy_host(const char *at, size_t len, bool bracketed, struct xd_url *url)
{
    if (len == 0 || len > XD_HOST_MAX) return false;
    for (size_t i = 0; i < len; i++)
        if (!host_char(at[i], bracketed)) return false;
    memcpy(url->host, at, len);
    url->host[len] = '\0';
    return true;
}

static bool copy_port(const char *at, struct xd_url *url)
{
    size_t len = strlen(at);
    unsigned value = 0;
    if (len == 0 || len >= sizeof url->port) return false;
    for (size_t i = 0; i < len; i++) {
        if (at[i] < '0' || at[i] > '9') return false;
        value = value * 10 + (unsigned)(at[i] - '0');
    }
    if (value == 0 || value > PORT_MAX) return false;
    memcpy(url->port, at, len + 1);
    return true;
}

bool xd_url_parse(const char *text, struct xd_url *out, xd_client_error *error)
{
    struct xd_url url = {.tls = strncmp(text, "tls://", 6) == 0, .port = "7400"};
    if (!url.tls && strncmp(text, "tcp://", 6) != 0)
        return xd_client_fail(error, "url", "\"%.60s\" does not begin with tcp:// or tls://", text);

    const char *host = text + 6;
    bool bracketed = host[0] == '[';
    if (bracketed) host++;
    size_t len = strcspn(host, bracketed ? "]" : ":");
    const char *after = host + len;
    if (bracketed && *after++ != ']')
        return xd_client_fail(error, "url", "\"%.60s\" has no closing bracket", text);

    bool more_colons = !bracketed && *after && strchr(after + 1, ':');
    if (more_colons) return xd_client_fail(error, "url", "\"%.60s\": an IPv6 address goes in brackets", text);
    if (!copy_host(host, len, bracketed, &url))
        return xd_client_fail(error, "url", "\"%.60s\" has no valid host", text);
    if (*after && (*after != ':' || !copy_port(after + 1, &url)))
        return xd_client_fail(error, "url", "\"%.60s\": the port is not 1 to 65535", text);
    *out = url;
    return true;
}
