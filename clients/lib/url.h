/* tcp://HOST[:PORT] and tls://HOST[:PORT]; an IPv6 address stands in brackets. */
#ifndef XD_CLIENTS_LIB_URL_H
#define XD_CLIENTS_LIB_URL_H

#include "clients/include/crossdock.h"

enum { XD_HOST_MAX = 253 };

struct xd_url {
    bool tls;
    char host[XD_HOST_MAX + 1]; /* without brackets */
    char port[6];               /* digits, 1 to 65535; "7400" if left out */
};

/* False and *error (code "url") if `text` is not such a URL. */
bool xd_url_parse(const char *text, struct xd_url *out, xd_client_error *error);

#endif
