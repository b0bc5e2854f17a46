/* libcrossdock against a scripted server on the loopback: what it sends, and how it takes what it gets. How a
 * connection ends is in test_client_end.c, TLS in test_client_tls.c. */
#include "client_rig.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hello),          cmocka_unit_test(test_no_connection),
        cmocka_unit_test(test_cannot_connect), cmocka_unit_test(test_pipelined),
        cmocka_unit_test(test_split_reads),    cmocka_unit_test(test_time_out),
        cmocka_unit_test(test_in_callbacks),   cmocka_unit_test(test_close_within_request),
        cmocka_unit_test(test_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
