#include "broker/transport.h"

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static struct bufferevent *tls_accept(void *state, struct event_base *base, evutil_socket_t socket)
{
    SSL *ssl = SSL_new(state);
    struct bufferevent *connection =
        ssl ? bufferevent_openssl_socket_new(base, socket, ssl, BUFFEREVENT_SSL_ACCEPTING,
                                             BEV_OPT_CLOSE_ON_FREE)
            : NULL;
    if (!connection) {
        SSL_free(ssl);
        evutil_closesocket(socket);
        return NULL;
    }
    bufferevent_openssl_set_allow_dirty_shutdown(connection, 1);
    return connection;
}

/* The handshake is under way already. */
static void tls_start(struct bufferevent *connection)
{
    (void)connection;
}

/* The CN, where there is exactly one and it is an account, or an operator's '*'. */
static bool account_of(X509 *certificate, char out[static XD_ACCOUNT_MAX + 1])
{
    X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) return false;
    unsigned char *text = NULL;
    int len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    struct xd_str name = {(const char *)text, len > 0 ? (uint32_t)len : 0};
    bool is_account = xd_account_valid(name) || xd_is_operator(name);
    if (is_account) {
        memcpy(out, name.at, name.len);
        out[name.len] = '\0';
    }
    OPENSSL_free(text);
    return is_account;
}

static bool tls_account(struct bufferevent *connection, char out[static XD_ACCOUNT_MAX + 1],
                        struct xd_error *error)
{
    X509 *certificate = SSL_get1_peer_certificate(bufferevent_openssl_get_ssl(connection));
    error->code = XD_OK;
    if (!certificate) return false;
    bool is_account = account_of(certificate, out);
    X509_free(certificate);
    if (!is_account)
        return xd_fail(
            error, XD_FORBIDDEN, NULL,
            "the certificate's CN is no account; allowed: one CN of 1 to %d of A-Za-z0-9._:@- , or '*'",
            XD_ACCOUNT_MAX);
    return true;
}

static void tls_finish(struct bufferevent *connection)
{
    SSL_shutdown(bufferevent_openssl_get_ssl(connection));
    ERR_clear_error();
    shutdown(bufferevent_getfd(connection), SHUT_WR);
}

static void tls_problem(struct bufferevent *connection, char out[static XD_PEER_TEXT])
{
    unsigned long code = bufferevent_get_openssl_error(connection);
    if (code)
        ERR_error_string_n(code, out, XD_PEER_TEXT);
    else
        snprintf(out, XD_PEER_TEXT, "%s", evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
}

static void tls_destroy(void *state)
{
    SSL_CTX_free(state);
}

static const struct xd_transport_ops tls = {
    .name = "tls",
    .accept = tls_accept,
    .start = tls_start,
    .account = tls_account,
    .finish = tls_finish,
    .problem = tls_problem,
    .destroy = tls_destroy,
};

static bool refuse(struct xd_error *error, const char *what, const char *file)
{
    char reason[XD_PEER_TEXT];
    ERR_error_string_n(ERR_get_error(), reason, sizeof(reason));
    ERR_clear_error();
    return xd_fail(error, XD_BAD_VALUE, NULL, "%s: %s cannot be used: %s", what, file, reason);
}

static bool configure(SSL_CTX *context, const char *certificate, const char *key, const char *client_ca,
                      struct xd_error *error)
{
    static const unsigned char session_context[] = "crossdock";
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context,
                        SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_id_context(context, session_context, sizeof(session_context) - 1);
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
        return refuse(error, "--tls-cert", certificate);
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1)
        return refuse(error, "--tls-key", key);
    if (!client_ca) return true;
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(client_ca);
    if (!names || SSL_CTX_load_verify_locations(context, client_ca, NULL) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return refuse(error, "--tls-client-ca", client_ca);
    }
    SSL_CTX_set_client_CA_list(context, names);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return true;
}

bool xd_transport_tls(const char *certificate, const char *key, const char *client_ca,
                      struct xd_transport *out, struct xd_error *error)
{
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context) return xd_fail(error, XD_NO_MEMORY, NULL, "%s", xd_code_meaning(XD_NO_MEMORY));
    if (!configure(context, certificate, key, client_ca, error)) {
        SSL_CTX_free(context);
        return false;
    }
    *out = (struct xd_transport){.ops = &tls, .state = context};
    return true;
}
