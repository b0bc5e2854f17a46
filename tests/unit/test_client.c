/* libcrossdock against a scripted server on the loopback: what it sends, how it takes what it gets, and every
 * way in which a connection can end. TLS is in test_client_tls.c. */
#include "clients/lib/client.h"
#include "scripted_server.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static xd_client *connect_to(const struct server *server, xd_client_notify_fn *notify, void *arg)
{
    xd_client_options options = {
        .url = server->url, .account = "acme", .timeout_ms = 5000, .notify = notify, .notify_arg = arg};
    xd_client_error error;
    xd_client *client = xd_client_connect(&options, &error);
    if (!client) fail_msg("%s: %s", error.code, error.message);
    return client;
}

/* --- URLs ----------------------------------------------------------------------------------------------- */

static void test_url(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool tls;
        const char *host, *port;
    } good[] = {
        {"tcp://127.0.0.1:7400", false, "127.0.0.1", "7400"},
        {"tcp://localhost", false, "localhost", "7400"},
        {"tls://broker.example.org:1", true, "broker.example.org", "1"},
        {"tls://[::1]:65535", true, "::1", "65535"},
        {"tcp://[2001:db8::7]", false, "2001:db8::7", "7400"},
        {"tcp://[fe80::1%eth0]:80", false, "fe80::1%eth0", "80"},
        {"tcp://my_host-1", false, "my_host-1", "7400"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct xd_url url;
        xd_client_error error;
        if (!xd_url_parse(good[i].text, &url, &error)) fail_msg("%s", error.message);
        assert_int_equal(url.tls, good[i].tls);
        assert_string_equal(url.host, good[i].host);
        assert_string_equal(url.port, good[i].port);
    }
    static const char *const bad[] = {
        "",
        "7400",
        "localhost:7400",
        "http://localhost",
        "tcp:/localhost",
        "tcp://",
        "tcp://:7400",
        "tcp://a b",
        "tcp://user@host",
        "tcp://host/path",
        "tcp://host:",
        "tcp://host:0",
        "tcp://host:65536",
        "tcp://host:7400x",
        "tcp://host:-1",
        "tcp://host:999999",
        "tcp://::1:7400",
        "tcp://[::1",
        "tcp://[::1]7400",
        "tcp://[]",
        "TCP://host",
        "tcp://h\xc3\xb6st",
        "tcp://host?x",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct xd_url url;
        xd_client_error error;
        if (xd_url_parse(bad[i], &url, &error)) fail_msg("took \"%s\"", bad[i]);
        assert_string_equal(error.code, "url");
        assert_true(error.message[0] != '\0');
    }
}

/* --- the table of calls --------------------------------------------------------------------------------- */

static void count_call(void *arg, const struct xd_call *call)
{
    (void)call;
    ++*(uint32_t *)arg;
}

/* A call that is never answered must not make the table grow while others come and go. */
static void test_calls_keep_small(void **state)
{
    (void)state;
    struct xd_calls calls = {.next_id = UINT32_MAX - 1000};
    uint32_t stuck, id;
    assert_true(xd_calls_add(&calls, NULL, NULL, &stuck));
    for (int i = 0; i < 100000; i++) {
        assert_true(xd_calls_add(&calls, NULL, NULL, &id));
        assert_int_not_equal(id, stuck);
        xd_calls_remove(&calls, xd_calls_find(&calls, id));
        assert_null(xd_calls_find(&calls, id));
    }
    assert_int_equal(calls.size, 64);
    assert_non_null(xd_calls_find(&calls, stuck));
    uint32_t drained = 0;
    xd_calls_drain(&calls, count_call, &drained);
    assert_int_equal(drained, 1);
    xd_calls_free(&calls);
}

static void test_calls_limit(void **state)
{
    (void)state;
    struct xd_calls calls = {.next_id = 5};
    uint32_t id;
    for (uint32_t i = 0; i < XD_CALLS_MAX; i++)
        assert_true(xd_calls_add(&calls, NULL, NULL, &id));
    assert_false(xd_calls_add(&calls, NULL, NULL, &id));
    xd_calls_remove(&calls, xd_calls_find(&calls, 5));
    assert_true(xd_calls_add(&calls, NULL, NULL, &id));
    uint32_t drained = 0;
    xd_calls_drain(&calls, count_call, &drained);
    assert_int_equal(drained, XD_CALLS_MAX);
    xd_calls_free(&calls);
}

/* --- hello ---------------------------------------------------------------------------------------------- */

static void check_hello(struct peer *peer)
{
    msgpack_object message = peer_read(peer);
    bool right = message.type == MSGPACK_OBJECT_ARRAY && message.via.array.size == 4 &&
                 message.via.array.ptr[3].via.array.size == 1;
    struct xd_str account = {"", 0};
    if (right) xd_mp_get_str(message.via.array.ptr[3].via.array.ptr, "account", &account);
    struct xd_buf out;
    xd_buf_init(&out, 4096);
    pack_result(&out, (uint32_t)message.via.array.ptr[1].via.u64, right ? (int64_t)account.len : -1);
    peer_write(peer, out.data, out.len);
    xd_buf_free(&out);
}

static void test_hello(void **state)
{
    (void)state;
    struct server server;
    server_start(&server, check_hello, 1, NULL);
    xd_client *client = connect_to(&server, NULL, NULL);
    int64_t n = 0;
    assert_true(xd_mp_get_int(xd_client_hello(client), "n", &n));
    assert_int_equal(n, 4);
    assert_true(xd_client_fd(client) >= 0);
    assert_false(xd_client_wants_write(client));
    xd_client_close(client);
    server_join(&server);
    xd_client_close(NULL);
}

static void refuse_hello(struct peer *peer)
{
    uint32_t id;
    msgpack_object params;
    if (!peer_request(peer, &id, &params)) return;
    struct xd_buf out;
    xd_buf_init(&out, 4096);
    pack_refusal(&out, id, "forbidden", "not you", "account");
    peer_write(peer, out.data, out.len);
    xd_buf_free(&out);
}

static void say_nothing(struct peer *peer)
{
    while (!peer->lost)
        peer_read(peer);
}

static void hang_up(struct peer *peer)
{
    (void)peer;
}

static void talk_http(struct peer *peer)
{
    peer_read(peer);
    peer_write(peer, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
}

static void test_no_connection(void **state)
{
    (void)state;
    static const struct {
        script_fn *script;
        const char *code, *message;
    } cases[] = {
        {refuse_hello, "forbidden", "not you"},
        {say_nothing, "timeout", "no answer within 200 ms"},
        {hang_up, "connection", ""},
        {talk_http, "protocol", "the broker sent a message that is not MessagePack-RPC"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct server server;
        server_start(&server, cases[i].script, 1, NULL);
        xd_client_options options = {.url = server.url, .account = "acme", .timeout_ms = 200};
        xd_client_error error;
        assert_null(xd_client_connect(&options, &error));
        assert_string_equal(error.code, cases[i].code);
        if (strncmp(error.message, cases[i].message, strlen(cases[i].message)) != 0)
            fail_msg("%s", error.message);
        server_join(&server);
    }
}

static void test_cannot_connect(void **state)
{
    (void)state;
    static const struct {
        xd_client_options options;
        const char *code;
    } cases[] = {
        {{.url = "tcp://127.0.0.1:1"}, "connection"},
        {{.url = "tcp://no.such.host.invalid"}, "connection"},
        {{.url = "nonsense"}, "url"},
        {{.url = "tcp://127.0.0.1:1", .tls_ca = "/dev/null"}, "url"},
        {{.url = "tcp://127.0.0.1:1", .tls_insecure = true}, "url"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        xd_client_error error;
        assert_null(xd_client_connect(&cases[i].options, &error));
        assert_string_equal(error.code, cases[i].code);
        assert_true(error.message[0] != '\0');
    }
}

/* --- calls and answers ---------------------------------------------------------------------------------- */

enum { MANY = 2000 };

struct tally {
    int64_t answered, refused, lost, sum;
    xd_client *client;
};

static void count_reply(void *arg, const msgpack_object *error, const msgpack_object *result)
{
    struct tally *tally = arg;
    struct xd_str code = {"", 0};
    int64_t n = 0;
    xd_mp_get_str(error, "code", &code);
    if (error->type == MSGPACK_OBJECT_NIL) {
        tally->answered++;
        if (xd_mp_get_int(result, "n", &n)) tally->sum += n;
    } else if (xd_str_equal(code, xd_str_of("connection"))) {
        tally->lost++;
    } else {
        tally->refused++;
    }
}

/* Takes all calls first, then answers them the other way round, refusing each third. */
static void answer_backwards(struct peer *peer)
{
    static uint32_t ids[MANY];
    if (!peer_hello(peer)) return;
    msgpack_object params;
    for (int i = 0; i < MANY; i++)
        if (!peer_request(peer, &ids[i], &params)) return;
    struct xd_buf out;
    xd_buf_init(&out, 1 << 20);
    for (int i = MANY - 1; i >= 0; i--) {
        if (i % 3 == 0)
            pack_refusal(&out, ids[i], "not_found", "no", "ref");
        else
            pack_result(&out, ids[i], i);
    }
    peer_write(peer, out.data, out.len);
    xd_buf_free(&out);
    peer_read(peer);
}

static void test_pipelined(void **state)
{
    (void)state;
    struct server server;
    server_start(&server, answer_backwards, 1, NULL);
    xd_client *client = connect_to(&server, NULL, NULL);
    struct tally tally = {.answered = 0};
    for (int i = 0; i < MANY; i++)
        assert_true(xd_client_call(client, "cancel", "\x80", 1, count_reply, &tally));
    assert_int_equal(xd_client_outstanding(client), MANY);
    assert_true(xd_client_unsent(client) > 0 && xd_client_wants_write(client));
    while (xd_client_outstanding(client) > 0)
        assert_true(xd_client_run(client, 5000) > 0);
    int64_t sum = 0;
    for (int i = 0; i < MANY; i++)
        sum += i % 3 == 0 ? 0 : i;
    assert_int_equal(tally.sum, sum);
    assert_int_equal(tally.refused, (MANY + 2) / 3);
    assert_int_equal(tally.answered + tally.refused, MANY);
    assert_int_equal(xd_client_unsent(client), 0);
    assert_int_equal(xd_client_run(client, 0), 0);
    xd_client_close(client);
    server_join(&server);
}

/* One byte at a time: notification, an answer that nobody waits for, a refusal. */
static void dribble(struct peer *peer)
{
    uint32_t id;
    msgpack_object params;
    if (!peer_hello(peer) || !peer_request(peer, &id, &params)) return;
    struct xd_buf out;
    xd_buf_init(&out, 4096);
    pack_notification(&out, "event", "x", 1);
    pack_notification(&out, "something_new", "x", 2);
    pack_result(&out, id + 99, 0);
    pack_refusal(&out, id, "out_of_range", "91 is not within -90 to 90", "from.lat");
    for (size_t i = 0; i < out.len; i++) {
        peer_write(peer, out.data + i, 1);
        usleep(100);
    }
    xd_buf_free(&out);
    peer_read(peer);
}

struct heard {
    int64_t events, others, sum;
    xd_client **client;
    bool stop;
};

static void hear(void *arg, const char *method, const msgpack_object *params)
{
    struct heard *heard = arg;
    int64_t n = 0;
    xd_mp_get_int(params, "n", &n);
    heard->sum += n;
    if (strcmp(method, "event") == 0)
        heard->events++;
    else
        heard->others++;
    if (heard->stop) xd_client_stop(*heard->client);
}

static void test_split_reads(void **state)
{
    (void)state;
    struct server server;
    struct heard heard = {.events = 0};
    server_start(&server, dribble, 1, NULL);
    xd_client *client = connect_to(&server, hear, &heard);
    xd_client_reply reply;
    assert_true(xd_client_request(client, "submit", NULL, 0, &reply));
    struct xd_str text;
    assert_int_equal(reply.error.type, MSGPACK_OBJECT_MAP);
    assert_int_equal(reply.result.type, MSGPACK_OBJECT_NIL);
    assert_true(xd_mp_get_str(&reply.error, "code", &text) && xd_str_equal(text, xd_str_of("out_of_range")));
    assert_true(xd_mp_get_str(&reply.error, "field", &text) && xd_str_equal(text, xd_str_of("from.lat")));
    assert_true(xd_mp_get_str(&reply.error, "message", &text));
    assert_true(xd_str_equal(text, xd_str_of("91 is not within -90 to 90")));
    xd_client_reply_free(&reply);
    assert_int_equal(heard.events, 1);
    assert_int_equal(heard.others, 1);
    assert_int_equal(heard.sum, 3);
    xd_client_close(client);
    server_join(&server);
}

static void answer_late(struct peer *peer)
{
    uint32_t first, second;
    msgpack_object params;
    if (!peer_hello(peer) || !peer_request(peer, &first, &params) || !peer_request(peer, &second, &params))
        return;
    struct xd_buf out;
    xd_buf_init(&out, 4096);
    pack_result(&out, first, 1);
    pack_result(&out, second, 2);
    peer_write(peer, out.data, out.len);
    xd_buf_free(&out);
    peer_read(peer);
}

static void test_time_out(void **state)
{
    (void)state;
    struct server server;
    server_start(&server, answer_late, 1, NULL);
    xd_client_options options = {.url = server.url, .timeout_ms = 150};
    xd_client_error error;
    xd_client *client = xd_client_connect(&options, &error);
    assert_non_null(client);
    xd_client_reply reply;
    assert_false(xd_client_request(client, "ping", NULL, 0, &reply));
    assert_string_equal(xd_client_why(client)->code, "timeout");
    assert_true(xd_client_request(client, "ping", NULL, 0, &reply));
    int64_t n = 0;
    assert_true(xd_mp_get_int(&reply.result, "n", &n));
    assert_int_equal(n, 2);
    xd_client_reply_free(&reply);
    assert_int_equal(xd_client_run(client, 20), 0);
    xd_client_close(client);
    server_join(&server);
}

/* --- inside callbacks ----------------------------------------------------------------------------------- */

static void echo(struct peer *peer)
{
    uint32_t id;
    msgpack_object params;
    if (!peer_hello(peer)) return;
    struct xd_buf out;
    xd_buf_init(&out, 4096);
    for (int64_t i = 1; peer_request(peer, &id, &params); i++) {
        xd_buf_clear(&out);
        pack_result(&out, id, i);
        peer_write(peer, out.data, out.len);
    }
    xd_buf_free(&out);
}

static void try_everything(void *arg, const msgpack_object *error, const msgpack_object *result)
{
    struct tally *tally = arg;
    count_reply(arg, error, result);
    if (tally->answered != 1) return;
    xd_client_reply reply;
    assert_int_equal(xd_client_run(tally->client, 1000), 0);
    assert_false(xd_client_request(tally->client, "ping", NULL, 0, &reply));
    assert_string_equal(xd_client_why(tally->client)->code, "protocol");
    assert_true(xd_client_call(tally->client, "ping", NULL, 0, count_reply, tally));
}

static void close_it(void *arg, const msgpack_object *error, const msgpack_object *result)
{
    struct tally *tally = arg;
    count_reply(arg, error, result);
    xd_client_close(tally->client);
}

static void test_in_callbacks(void **state)
{
    (void)state;
    struct server server;
    server_start(&server, echo, 1, NULL);
    struct tally tally = {.client = connect_to(&server, NULL, NULL)};
    assert_true(xd_client_call(tally.client, "ping", NULL, 0, try_everything, &tally));
    while (tally.answered < 2)
        assert_true(xd_client_run(tally.client, 5000) >= 0);

    assert_true(xd_client_call(tally.client, "ping", NULL, 0, close_it, &tally));
    for (int i = 0; i < 3; i++)
        assert_true(xd_client_call(tally.client, "ping", NULL, 0, count_reply, &tally));
    int taken = 0;
    while (tally.answered < 3)
        taken = xd_client_run(tally.client, 5000);
    assert_int_equal(taken, -1);
    assert_int_equal(tally.lost, 3);
    server_join(&server);
}

static void close_on_notice(void *arg, const char *method, const msgpack_object *params)
{
    (void)method, (void)params;
    xd_client_close(*(xd_client **)arg);
}

static void only_notify(struct peer *peer)
{
    if (!peer_hello(peer)) return;
    struct xd_buf out;
    xd_buf_init(&out, 4096);
    for (int i = 0; i < 5; i++)
        pack_notification(&out, "event", "x", 1);
    peer_read(peer);
    peer_write(peer, out.data, out.len);
    xd_buf_free(&out);
    peer_read(peer);
}

static void test_close_within_request(void **state)
{
    (void)state;
    struct server server;
    server_start(&server, only_notify, 1, NULL);
    xd_client *client = NULL;
    client = connect_to(&server, close_on_notice, &client);
    xd_client_reply reply;
    assert_false(xd_client_request(client, "ping", NULL, 0, &reply));
    server_join(&server);
}

static void test_stop(void **state)
{
    (void)state;
    struct server server;
    server_start(&server, only_notify, 1, NULL);
    xd_client *client = NULL;
    struct heard heard = {.client = &client, .stop = true};
    client = connect_to(&server, hear, &heard);
    assert_true(xd_client_call(client, "ping", NULL, 0, NULL, NULL));
    for (int i = 1; i <= 5; i++) {
        assert_int_equal(xd_client_run(client, 5000), 1);
        assert_int_equal(heard.events, i);
    }
    xd_client_stop(client);
    assert_int_equal(xd_client_run(client, 5000), 0);
    xd_client_close(client);
    server_join(&server);
}

/* --- how a connection ends ------------------------------------------------------------------------------ */

static void take_some_and_leave(struct peer *peer)
{
    uint32_t id;
    msgpack_object params;
    if (!peer_hello(peer) || !peer_request(peer, &id, &params)) return;
    struct xd_buf out;
    xd_buf_init(&out, 4096);
    pack_result(&out, id, 1);
    peer_write(peer, out.data, out.len);
    xd_buf_free(&out);
}

static void test_connection_lost(void **state)
{
    (void)state;
    struct server server;
    server_start(&server, take_some_and_leave, 1, NULL);
    xd_client *client = connect_to(&server, NULL, NULL);
    struct tally tally = {.answered = 0};
    for (int i = 0; i < 10; i++)
        assert_true(xd_client_call(client, "ping", NULL, 0, count_reply, &tally));
    while (xd_client_run(client, 5000) >= 0)
        ;
    assert_int_equal(tally.answered, 1);
    assert_int_equal(tally.lost, 9);
    assert_string_equal(xd_client_why(client)->code, "connection");
    assert_int_equal(xd_client_outstanding(client), 0);
    assert_int_equal(xd_client_run(client, 5000), -1);
    assert_false(xd_client_call(client, "ping", NULL, 0, count_reply, &tally));
    xd_client_reply reply;
    assert_false(xd_client_request(client, "ping", NULL, 0, &reply));
    assert_string_equal(xd_client_why(client)->code, "connection");
    assert_int_equal(tally.lost, 9);
    xd_client_close(client);
    server_join(&server);
}

static void notice_and_leave(struct peer *peer)
{
    if (!peer_hello(peer)) return;
    struct xd_buf out;
    xd_buf_init(&out, 4096);
    pack_notification(&out, "event", "x", 1);
    pack_notification(&out, "notice", "slow_consumer", 0);
    peer_write(peer, out.data, out.len);
    xd_buf_free(&out);
}

static void test_notice_says_why(void **state)
{
    (void)state;
    struct server server;
    struct heard heard = {.events = 0};
    server_start(&server, notice_and_leave, 1, NULL);
    xd_client *client = connect_to(&server, hear, &heard);
    while (xd_client_run(client, 5000) >= 0)
        ;
    assert_string_equal(xd_client_why(client)->code, "slow_consumer");
    assert_int_equal(heard.events, 1);
    assert_int_equal(heard.others, 1);
    xd_client_close(client);
    server_join(&server);
}

/* What is no MessagePack-RPC ends the connection, whatever it promises, and takes no memory on its word. */
static const struct junk {
    const char *bytes;
    size_t len;
} junk[] = {
    {"\xc1", 1},                  /* never used in MessagePack */
    {"\x05", 1},                  /* a number */
    {"\x80", 1},                  /* a map */
    {"\x90", 1},                  /* nothing */
    {"\x94\x00\x01\xa1x\x90", 6}, /* a request */
    {"\x93\x01\x00\xc0", 4},      /* an answer that is too short */
    {"\x94\x01\xa1x\xc0\xc0", 6}, /* a msgid that is text */
    {"\x94\x01\xff\xc0\xc0", 5},  /* a negative one */
    {"\x94\x01\x00\x05\xc0", 5},  /* an error that is a number */
    {"\x93\x02\x05\x90", 4},      /* a method that is a number */
    {"\x93\x02\xa1x\x05", 5},     /* params that are a number */
    {"\x93\x02\xa1x\x91\x05", 6}, /* params of a number */
    {"\x94\x07\x00\xc0\xc0", 5},  /* no such type */
    {"\xdd\xff\xff\xff\xff", 5},  /* an array of 4 Gi */
    {"\xdf\x7f\xff\xff\xff", 5},  /* a map of 2 Gi */
    {"\xdb\x7f\xff\xff\xff", 5},  /* text of 2 GiB */
    {"\xc6\x01\x00\x00\x01", 5},  /* binary of 16 MiB and a byte */
    {"\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91"
     "\x91",
     26},
    {"GET / HTTP/1.1\r\n", 16},
};
enum { JUNK = sizeof junk / sizeof *junk };
static size_t junk_at;

static void send_junk(struct peer *peer)
{
    if (!peer_hello(peer)) return;
    peer_write(peer, junk[junk_at].bytes, junk[junk_at].len);
    peer_read(peer);
}

static void test_junk(void **state)
{
    (void)state;
    for (junk_at = 0; junk_at < JUNK; junk_at++) {
        struct server server;
        struct tally tally = {.answered = 0};
        server_start(&server, send_junk, 1, NULL);
        xd_client *client = connect_to(&server, NULL, NULL);
        assert_true(xd_client_call(client, "ping", NULL, 0, count_reply, &tally));
        while (xd_client_run(client, 5000) > 0)
            ;
        if (strcmp(xd_client_why(client)->code, "protocol") != 0)
            fail_msg("junk %zu: %s", junk_at, xd_client_why(client)->message);
        assert_int_equal(tally.lost, 1);
        assert_true(client->in.cap < 1 << 18);
        xd_client_close(client);
        server_join(&server);
    }
}

/* Bytes at random: it ends or it does not, but every call is told once. */
static void send_random(struct peer *peer)
{
    static uint32_t seed = 1;
    if (!peer_hello(peer)) return;
    uint8_t bytes[256];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
    bytes[0] = seed % 2 ? 0x94 : 0x93;
    bytes[1] = bytes[0] == 0x94 ? 1 : 2;
    peer_write(peer, bytes, sizeof bytes);
}

static void test_random(void **state)
{
    (void)state;
    enum { ROUNDS = 300 };
    struct server server;
    server_start(&server, send_random, ROUNDS, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        struct tally tally = {.answered = 0};
        xd_client *client = connect_to(&server, NULL, NULL);
        assert_true(xd_client_call(client, "ping", NULL, 0, count_reply, &tally));
        while (xd_client_run(client, 5000) > 0)
            ;
        xd_client_close(client);
        assert_int_equal(tally.answered + tally.lost + tally.refused, 1);
    }
    server_join(&server);
}

static void large_answer(struct peer *peer)
{
    uint32_t id;
    msgpack_object params;
    if (!peer_hello(peer) || !peer_request(peer, &id, &params)) return;
    enum { TEXT = 15 << 20 };
    struct xd_buf out;
    xd_buf_init(&out, 16 << 20);
    xd_mp_array(&out, 4);
    xd_mp_int(&out, 1);
    xd_mp_uint(&out, id);
    xd_mp_nil(&out);
    char *text = calloc(1, TEXT);
    if (text) xd_mp_str(&out, text, TEXT);
    free(text);
    peer_write(peer, out.data, out.len);
    xd_buf_free(&out);
    peer_read(peer);
}

static void test_large_answer(void **state)
{
    (void)state;
    struct server server;
    server_start(&server, large_answer, 1, NULL);
    xd_client *client = connect_to(&server, NULL, NULL);
    xd_client_reply reply;
    assert_true(xd_client_request(client, "matches", NULL, 0, &reply));
    assert_int_equal(reply.result.via.str.size, 15 << 20);
    xd_client_reply_free(&reply);
    xd_client_close(client);
    server_join(&server);
}

static void read_nothing(struct peer *peer)
{
    if (!peer_hello(peer)) return;
    sleep(1);
}

/* 'Full' is an answer, and what was taken before is not harmed by it. */
static void test_output_limit(void **state)
{
    (void)state;
    enum { PART = 1 << 20 };
    struct server server;
    server_start(&server, read_nothing, 1, NULL);
    xd_client *client = connect_to(&server, NULL, NULL);
    struct tally tally = {.answered = 0};
    char *params = calloc(1, PART);
    memcpy(params, "\x81\xa1n\xc6\x00\x0f\xff\xf8", 8);
    int taken = 0;
    while (xd_client_call(client, "x", params, PART, count_reply, &tally)) {
        xd_client_run(client, 0);
        taken++;
    }
    assert_in_range(taken, 63, 100);
    assert_int_equal(xd_client_outstanding(client), taken);
    xd_client_reply reply;
    assert_false(xd_client_request(client, "x", params, PART, &reply));
    assert_string_equal(xd_client_why(client)->code, "no_memory");
    while (xd_client_run(client, 5000) >= 0)
        ;
    assert_int_equal(tally.lost, taken);
    free(params);
    xd_client_close(client);
    server_join(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_url),
        cmocka_unit_test(test_calls_keep_small),
        cmocka_unit_test(test_calls_limit),
        cmocka_unit_test(test_hello),
        cmocka_unit_test(test_no_connection),
        cmocka_unit_test(test_cannot_connect),
        cmocka_unit_test(test_pipelined),
        cmocka_unit_test(test_split_reads),
        cmocka_unit_test(test_time_out),
        cmocka_unit_test(test_in_callbacks),
        cmocka_unit_test(test_close_within_request),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_connection_lost),
        cmocka_unit_test(test_notice_says_why),
        cmocka_unit_test(test_junk),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_large_answer),
        cmocka_unit_test(test_output_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
