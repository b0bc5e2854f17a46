#include "clients/lib/failure.h"
#include "clients/lib/transport.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct xd_tls {
    SSL_CTX *context;
    SSL *ssl;
    BIO_METHOD *method;
    int fd;
    bool ended;  /* the socket has no more to read */
    bool failed; /* after a fatal error SSL_shutdown must not be called */
    bool insecure;
};

/* --- the socket as OpenSSL sees it: its own BIO would raise SIGPIPE ------------------------------------- */

static int socket_write(BIO *bio, const char *bytes, int len)
{
    struct xd_tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t sent = send(tls->fd, bytes, (size_t)len, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
    return (int)sent;
}

static int socket_read(BIO *bio, char *to, int room)
{
    struct xd_tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t got = recv(tls->fd, to, (size_t)room, 0);
    if (got == 0) tls->ended = true;
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
    return (int)got;
}

static long socket_control(BIO *bio, int command, long number, void *pointer)
{
    (void)number, (void)pointer;
    struct xd_tls *tls = BIO_get_data(bio);
    if (command == BIO_CTRL_EOF) return tls->ended;
    return command == BIO_CTRL_FLUSH;
}

static bool attach_socket(struct xd_tls *tls)
{
    tls->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "socket without SIGPIPE");
    if (!tls->method || !BIO_meth_set_write(tls->method, socket_write) ||
        !BIO_meth_set_read(tls->method, socket_read) || !BIO_meth_set_ctrl(tls->method, socket_control))
        return false;
    BIO *bio = BIO_new(tls->method);
    if (!bio) return false;
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio);
    return true;
}

/* --- operations ----------------------------------------------------------------------------------------- */

static enum xd_io fail(struct xd_tls *tls, xd_client_error *why)
{
    tls->failed = true;
    long verified = SSL_get_verify_result(tls->ssl);
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    if (!tls->insecure && verified != X509_V_OK)
        xd_client_fail(why, "tls", "the broker's certificate is not trusted: %s",
                       X509_verify_cert_error_string(verified));
    else
        xd_client_fail(why, "tls", "%s", reason ? reason : "the TLS session failed");
    return XD_IO_FAILED;
}

/* What became of an operation that returned `result` <= 0. errno is still the socket's. */
static enum xd_io outcome(struct xd_tls *tls, int result, short *waits, xd_client_error *why)
{
    int socket_error = errno;
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        *waits = POLLIN;
        return XD_IO_AGAIN;
    case SSL_ERROR_WANT_WRITE:
        *waits = POLLOUT;
        return XD_IO_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return XD_IO_CLOSED;
    case SSL_ERROR_SYSCALL:
        tls->failed = true;
        if (tls->ended) return XD_IO_CLOSED;
        xd_client_fail(why, "connection", "%s", strerror(socket_error));
        return XD_IO_FAILED;
    default:
        return fail(tls, why);
    }
}

static enum xd_io tls_handshake(struct xd_transport *transport, xd_client_error *why)
{
    ERR_clear_error();
    int result = SSL_connect(transport->tls->ssl);
    if (result != 1) return outcome(transport->tls, result, &transport->read_waits, why);
    transport->read_waits = POLLIN;
    return XD_IO_DONE;
}

static enum xd_io tls_read(struct xd_transport *transport, void *to, size_t room, size_t *n,
                           xd_client_error *why)
{
    ERR_clear_error();
    int result = SSL_read_ex(transport->tls->ssl, to, room, n);
    if (result != 1) return outcome(transport->tls, result, &transport->read_waits, why);
    transport->read_waits = POLLIN;
    return XD_IO_DONE;
}

static enum xd_io tls_write(struct xd_transport *transport, const void *bytes, size_t len, size_t *n,
                            xd_client_error *why)
{
    ERR_clear_error();
    int result = SSL_write_ex(transport->tls->ssl, bytes, len, n);
    if (result != 1) return outcome(transport->tls, result, &transport->write_waits, why);
    transport->write_waits = POLLOUT;
    return XD_IO_DONE;
}

static void tls_free(struct xd_tls *tls)
{
    SSL_free(tls->ssl);
    BIO_meth_free(tls->method);
    SSL_CTX_free(tls->context);
    free(tls);
}

static void tls_close(struct xd_transport *transport)
{
    struct xd_tls *tls = transport->tls;
    ERR_clear_error();
    if (!tls->failed && SSL_is_init_finished(tls->ssl)) SSL_shutdown(tls->ssl);
    tls_free(tls);
    transport->tls = NULL;
    close(transport->fd);
    transport->fd = -1;
}

static const struct xd_transport_ops over_tls = {tls_handshake, tls_read, tls_write, tls_close};

/* --- setting up ----------------------------------------------------------------------------------------- */

static bool refuse_file(xd_client_error *error, const char *what, const char *path)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    return xd_client_fail(error, "tls", "%s %s: %s", what, path, reason ? reason : "cannot be used");
}

/* OpenSSL would ask the terminal for the passphrase of an encrypted key. */
static int no_passphrase(char *to, int room, int writing, void *arg)
{
    (void)to, (void)room, (void)writing, (void)arg;
    return -1;
}

static bool use_files(SSL_CTX *context, const xd_client_options *options, xd_client_error *error)
{
    if (options->tls_ca && SSL_CTX_load_verify_file(context, options->tls_ca) != 1)
        return refuse_file(error, "the CA file", options->tls_ca);
    if (!options->tls_ca && !options->tls_insecure && SSL_CTX_set_default_verify_paths(context) != 1)
        return xd_client_fail(error, "tls", "the system's CAs cannot be read");
    if (!options->tls_cert != !options->tls_key)
        return xd_client_fail(error, "tls", "a client certificate and its key go together");
    if (!options->tls_cert) return true;

    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    if (SSL_CTX_use_certificate_chain_file(context, options->tls_cert) != 1)
        return refuse_file(error, "the certificate", options->tls_cert);
    if (SSL_CTX_use_PrivateKey_file(context, options->tls_key, SSL_FILETYPE_PEM) != 1)
        return refuse_file(error, "the key", options->tls_key);
    return SSL_CTX_check_private_key(context) == 1 || refuse_file(error, "the key", options->tls_key);
}

static bool set_up_context(struct xd_tls *tls, const xd_client_options *options, xd_client_error *error)
{
    tls->context = SSL_CTX_new(TLS_client_method());
    if (!tls->context || SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION) != 1)
        return xd_client_fail(error, "no_memory", "no memory for TLS");
    /* The output buffer may move between two tries, and frames say where they end, so a stream that ends
     * without a close_notify has ended like any other. */
    SSL_CTX_set_mode(tls->context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(tls->context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_verify(tls->context, options->tls_insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    return use_files(tls->context, options, error);
}

static bool is_address(const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

/* Whose certificate it must be. An interface after an address ("fe80::1%eth0") is this machine's affair. */
static bool expect_host(SSL *ssl, const struct xd_url *url)
{
    struct xd_url bare = *url;
    bare.host[strcspn(bare.host, "%")] = '\0';
    if (is_address(bare.host)) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), bare.host) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, bare.host) == 1 && SSL_set_tlsext_host_name(ssl, bare.host) == 1;
}

bool xd_transport_tls(struct xd_transport *transport, int fd, const struct xd_url *url,
                      const xd_client_options *options, xd_client_error *error)
{
    ERR_clear_error();
    struct xd_tls *tls = calloc(1, sizeof *tls);
    if (!tls) return xd_client_fail(error, "no_memory", "no memory for TLS");
    tls->fd = fd;
    tls->insecure = options->tls_insecure;
    if (!set_up_context(tls, options, error)) goto free_tls;

    tls->ssl = SSL_new(tls->context);
    if (!tls->ssl || !attach_socket(tls) || !expect_host(tls->ssl, url)) {
        xd_client_fail(error, "tls", "TLS for %s cannot be set up", url->host);
        goto free_tls;
    }
    *transport = (struct xd_transport){
        .ops = &over_tls, .fd = fd, .read_waits = POLLIN, .write_waits = POLLOUT, .tls = tls};
    return true;

free_tls:
    tls_free(tls);
    return false;
}
