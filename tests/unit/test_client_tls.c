/* libcrossdock over TLS: whom it trusts, what it shows, and that nothing is lost on the way. */
#include "clients/lib/client.h"
#include "scripted_server.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char directory[] = "/tmp/crossdock-tls-XXXXXX";
static char ca[64], other_ca[64], client_cert[64], client_key[64];

/* --- certificates --------------------------------------------------------------------------------------- */

struct identity {
    X509 *cert;
    EVP_PKEY *key;
};

static void add_extension(X509 *cert, X509 *issuer, int id, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, id, value);
    assert_non_null(extension);
    X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
}

/* A certificate by `issuer` (NULL: by itself), valid from an hour ago for `seconds` (negative: not any
 * more). */
static struct identity issue(const char *name, const char *alternatives, const struct identity *issuer,
                             long seconds)
{
    struct identity made = {X509_new(), EVP_EC_gen("P-256")};
    static long serial = 1;
    X509_set_version(made.cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(made.cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(made.cert), seconds);
    X509_NAME *subject = X509_get_subject_name(made.cert);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509 *by = issuer ? issuer->cert : made.cert;
    X509_set_issuer_name(made.cert, X509_get_subject_name(by));
    X509_set_pubkey(made.cert, made.key);
    add_extension(made.cert, by, NID_basic_constraints, issuer ? "critical,CA:FALSE" : "critical,CA:TRUE");
    if (alternatives) add_extension(made.cert, by, NID_subject_alt_name, alternatives);
    assert_true(X509_sign(made.cert, issuer ? issuer->key : made.key, EVP_sha256()) > 0);
    return made;
}

static void discard(struct identity identity)
{
    X509_free(identity.cert);
    EVP_PKEY_free(identity.key);
}

static void save(char path[static 64], const char *name, X509 *cert, EVP_PKEY *key)
{
    snprintf(path, 64, "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(
        cert ? PEM_write_X509(file, cert) : PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
}

static struct identity authority, stranger;
static SSL_CTX *good, *wrong_name, *expired, *wants_client;

static SSL_CTX *server_context(const char *name, const char *alternatives, long seconds)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    struct identity identity = issue(name, alternatives, &authority, seconds);
    assert_int_equal(SSL_CTX_use_certificate(context, identity.cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, identity.key), 1);
    discard(identity);
    return context;
}

static int set_up(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(directory));
    authority = issue("authority", NULL, NULL, 7200);
    stranger = issue("stranger", NULL, NULL, 7200);
    struct identity client = issue("acme", NULL, &authority, 7200);
    save(ca, "ca.pem", authority.cert, NULL);
    save(other_ca, "other.pem", stranger.cert, NULL);
    save(client_cert, "client.pem", client.cert, NULL);
    save(client_key, "client.key", NULL, client.key);
    discard(client);

    good = server_context("broker", "DNS:localhost,IP:127.0.0.1", 7200);
    wrong_name = server_context("broker", "DNS:elsewhere.example,IP:127.0.0.2", 7200);
    expired = server_context("broker", "DNS:localhost,IP:127.0.0.1", -60);
    wants_client = server_context("broker", "DNS:localhost,IP:127.0.0.1", 7200);
    SSL_CTX_set_verify(wants_client, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    assert_int_equal(SSL_CTX_load_verify_file(wants_client, ca), 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    const char *const files[] = {ca, other_ca, client_cert, client_key};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unlink(files[i]);
    rmdir(directory);
    SSL_CTX *const contexts[] = {good, wrong_name, expired, wants_client};
    for (size_t i = 0; i < sizeof contexts / sizeof *contexts; i++)
        SSL_CTX_free(contexts[i]);
    discard(authority);
    discard(stranger);
    return 0;
}

/* --- whom it trusts ------------------------------------------------------------------------------------- */

static void greet(struct peer *peer)
{
    peer_hello(peer);
    peer_read(peer);
}

struct trust_case {
    const char *what;
    SSL_CTX **server;
    bool by_name;
    xd_client_options options;
    const char *code; /* NULL: it connects */
    const char *message;
};

static void try_case(const struct trust_case *at)
{
    struct server server;
    server_start(&server, greet, 1, *at->server);
    if (at->by_name) {
        const char *port = strrchr(server.url, ':');
        char url[64];
        snprintf(url, sizeof url, "tls://localhost%s", port);
        memcpy(server.url, url, sizeof url);
    }
    xd_client_options options = at->options;
    options.url = server.url;
    options.timeout_ms = 5000;
    xd_client_error error = {.code = ""};
    xd_client *client = xd_client_connect(&options, &error);
    if (!client != !!at->code || strcmp(error.code, at->code ? at->code : "") != 0 ||
        (at->message && !strstr(error.message, at->message)))
        fail_msg("%s: %s %s", at->what, error.code, error.message);
    xd_client_close(client);
    server_join(&server);
}

static void test_trust(void **state)
{
    (void)state;
    const struct trust_case cases[] = {
        {"by address", &good, false, {.tls_ca = ca}, NULL, NULL},
        {"by name", &good, true, {.tls_ca = ca}, NULL, NULL},
        {"another authority", &good, false, {.tls_ca = other_ca}, "tls", "certificate is not trusted"},
        {"the system's authorities", &good, false, {.tls_ca = NULL}, "tls", "certificate is not trusted"},
        {"not verified", &good, false, {.tls_insecure = true}, NULL, NULL},
        {"wrong address", &wrong_name, false, {.tls_ca = ca}, "tls", "IP address mismatch"},
        {"wrong name", &wrong_name, true, {.tls_ca = ca}, "tls", "hostname mismatch"},
        {"wrong name, not verified", &wrong_name, true, {.tls_insecure = true}, NULL, NULL},
        {"expired", &expired, false, {.tls_ca = ca}, "tls", "has expired"},
        {"shows its own",
         &wants_client,
         false,
         {.tls_ca = ca, .tls_cert = client_cert, .tls_key = client_key},
         NULL,
         NULL},
        {"has none to show", &wants_client, false, {.tls_ca = ca}, "tls", "certificate required"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        try_case(&cases[i]);
}

static void test_bad_files(void **state)
{
    (void)state;
    const struct {
        xd_client_options options;
        const char *message;
    } cases[] = {
        {{.tls_ca = "/no/such/file"}, "the CA file /no/such/file: "},
        {{.tls_ca = client_key}, "the CA file "},
        {{.tls_ca = ca, .tls_cert = client_cert}, "a client certificate and its key go together"},
        {{.tls_ca = ca, .tls_key = client_key}, "a client certificate and its key go together"},
        {{.tls_ca = ca, .tls_cert = "/no/such", .tls_key = client_key}, "the certificate /no/such: "},
        {{.tls_ca = ca, .tls_cert = client_cert, .tls_key = "/no/such"}, "the key /no/such: "},
        {{.tls_ca = ca, .tls_cert = other_ca, .tls_key = client_key}, "the key "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct server server;
        server_start(&server, greet, 1, good);
        xd_client_options options = cases[i].options;
        options.url = server.url;
        xd_client_error error;
        assert_null(xd_client_connect(&options, &error));
        assert_string_equal(error.code, "tls");
        if (strncmp(error.message, cases[i].message, strlen(cases[i].message)) != 0)
            fail_msg("%s", error.message);
        server_join(&server);
    }
}

static void speak_plainly(struct peer *peer)
{
    peer_read(peer);
    peer_write(peer, "no TLS here\n", 12);
}

static void test_plain_server(void **state)
{
    (void)state;
    struct server server;
    server_start(&server, speak_plainly, 1, NULL);
    char url[sizeof server.url];
    memcpy(url, server.url, sizeof url);
    memcpy(url, "tls", 3);
    xd_client_options options = {.url = url, .tls_ca = ca, .timeout_ms = 3000};
    xd_client_error error;
    assert_null(xd_client_connect(&options, &error));
    assert_string_equal(error.code, "tls");
    server_join(&server);
}

/* --- what goes through it ------------------------------------------------------------------------------- */

enum { CALLS = 3000 };

/* Reads everything before it answers anything, so that both directions fill up. */
static void answer_at_the_end(struct peer *peer)
{
    static uint32_t ids[CALLS];
    static int64_t sizes[CALLS];
    if (!peer_hello(peer)) return;
    msgpack_object params;
    for (int i = 0; i < CALLS; i++) {
        if (!peer_request(peer, &ids[i], &params)) return;
        sizes[i] = params.via.map.ptr[0].val.via.bin.size;
    }
    struct xd_buf out;
    xd_buf_init(&out, 1 << 20);
    for (int i = 0; i < CALLS; i++)
        pack_result(&out, ids[i], sizes[i]);
    peer_write(peer, out.data, out.len);
    xd_buf_free(&out);
    peer_read(peer);
}

static void add_size(void *arg, const msgpack_object *error, const msgpack_object *result)
{
    int64_t n = 0;
    if (error->type == MSGPACK_OBJECT_NIL && xd_mp_get_int(result, "n", &n)) *(int64_t *)arg += n;
}

static void test_bulk(void **state)
{
    (void)state;
    struct server server;
    server_start(&server, answer_at_the_end, 1, good);
    xd_client_options options = {.url = server.url, .tls_ca = ca};
    xd_client_error error;
    xd_client *client = xd_client_connect(&options, &error);
    assert_non_null(client);
    int64_t sum = 0, expected = 0;
    struct xd_buf params;
    xd_buf_init(&params, 1 << 20);
    char *bytes = calloc(1, 20000);
    for (size_t i = 0; i < CALLS; i++) {
        size_t size = i * 7919 % 20000;
        xd_buf_clear(&params);
        xd_mp_map(&params, 1);
        xd_mp_cstr(&params, "b");
        xd_mp_bin(&params, bytes, size);
        assert_true(xd_client_call(client, "x", params.data, params.len, add_size, &sum));
        assert_true(xd_client_run(client, 0) >= 0);
        expected += (int64_t)size;
    }
    while (xd_client_outstanding(client) > 0)
        assert_true(xd_client_run(client, 10000) > 0);
    assert_int_equal(sum, expected);
    free(bytes);
    xd_buf_free(&params);
    xd_client_close(client);
    server_join(&server);
}

/* The other side goes while much waits to be sent: no signal, and everybody is told. */
static void leave_in_the_middle(struct peer *peer)
{
    peer_hello(peer);
    for (int i = 0; i < 10; i++)
        peer_read(peer);
}

static void count_lost(void *arg, const msgpack_object *error, const msgpack_object *result)
{
    (void)result;
    if (error->type == MSGPACK_OBJECT_MAP) ++*(int *)arg;
}

static void test_cut_off(void **state)
{
    (void)state;
    struct server server;
    server_start(&server, leave_in_the_middle, 1, good);
    xd_client_options options = {.url = server.url, .tls_ca = ca};
    xd_client_error error;
    xd_client *client = xd_client_connect(&options, &error);
    assert_non_null(client);
    int lost = 0, called = 0;
    char *params = calloc(1, 1 << 20);
    memcpy(params, "\x81\xa1n\xc6\x00\x0f\xff\xf8", 8);
    for (int i = 0; i < 60; i++)
        called += xd_client_call(client, "x", params, 1 << 20, count_lost, &lost);
    while (xd_client_run(client, 5000) >= 0)
        ;
    assert_int_equal(lost, called);
    assert_true(xd_client_why(client)->code[0] != '\0');
    free(params);
    xd_client_close(client);
    server_join(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trust), cmocka_unit_test(test_bad_files), cmocka_unit_test(test_plain_server),
        cmocka_unit_test(test_bulk),  cmocka_unit_test(test_cut_off),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
