/* What TLS to Redis needs: the CAs that its certificate must come from, and our own certificate. */
#ifndef XD_CORE_REDIS_TLS_H
#define XD_CORE_REDIS_TLS_H

#include "core/error.h"

#include <openssl/types.h>

/* A client's context: TLS 1.2 or 1.3, the peer verified. `ca`, `certificate`, `key`: PEM files, NULL or "":
 * the system's CAs, no certificate of our own. NULL and *error where a file cannot be used. Free it with
 * SSL_CTX_free. */
SSL_CTX *xd_redis_tls_create(const char *ca, const char *certificate, const char *key,
                             struct xd_error *error);

/* A session that takes only a certificate for `host` (a name or an address). NULL without memory. */
SSL *xd_redis_tls_session(SSL_CTX *context, const char *host);

/* Why a session failed, in words; a static string or one of OpenSSL's. */
const char *xd_redis_tls_problem(const SSL *session, unsigned long code);

#endif
