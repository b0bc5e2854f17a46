#include "core/redis/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static bool refuse(struct xd_error *error, const char *what, const char *file)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return xd_fail(error, XD_BAD_VALUE, "redis", "%s: %s cannot be used: %s", what, file,
                   reason ? reason : "unknown reason");
}

static bool configure(SSL_CTX *context, const char *ca, const char *certificate, const char *key,
                      struct xd_error *error)
{
    bool has_ca = ca && *ca, has_certificate = certificate && *certificate;
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (has_ca && SSL_CTX_load_verify_file(context, ca) != 1) return refuse(error, "the CA of Redis", ca);
    if (!has_ca && SSL_CTX_set_default_verify_paths(context) != 1)
        return refuse(error, "the system's CAs", "the default place");
    if (!has_certificate) return true;
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
        return refuse(error, "the certificate for Redis", certificate);
    if (!key || SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1)
        return refuse(error, "the key for Redis", key ? key : "(none)");
    return true;
}

SSL_CTX *xd_redis_tls_create(const char *ca, const char *certificate, const char *key, struct xd_error *error)
{
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!context) {
        xd_fail(error, XD_NO_MEMORY, NULL, "no memory for TLS");
        return NULL;
    }
    if (!configure(context, ca, certificate, key, error)) {
        SSL_CTX_free(context);
        return NULL;
    }
    return context;
}

SSL *xd_redis_tls_session(SSL_CTX *context, const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    bool is_address = inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
    SSL *session = SSL_new(context);
    if (!session) return NULL;
    SSL_set_hostflags(session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    bool expects = is_address
                       ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host) == 1
                       : SSL_set1_host(session, host) == 1 && SSL_set_tlsext_host_name(session, host) == 1;
    if (expects) return session;
    SSL_free(session);
    return NULL;
}

const char *xd_redis_tls_problem(const SSL *session, unsigned long code)
{
    long verified = SSL_get_verify_result(session);
    if (verified != X509_V_OK) return X509_verify_cert_error_string(verified);
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    return reason ? reason : "the TLS session failed";
}
