/* libcrossdock against a scripted server that ends the connection, or sends what makes the client end it. */
#include "client_rig.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static int looked[2]; /* a pipe: the test has seen what it wanted */

static void read_nothing(struct peer *peer)
{
    char byte;
    if (!peer_hello(peer)) return;
    assert_int_equal(read(looked[0], &byte, 1), 1);
}

/* 'Full' is an answer, and what was taken before is not harmed by it. */
static void test_output_limit(void **state)
{
    (void)state;
    enum { PART = 1 << 20 };
    struct server server;
    assert_int_equal(pipe(looked), 0);
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
    assert_int_equal(write(looked[1], "", 1), 1);
    while (xd_client_run(client, 5000) >= 0)
        ;
    assert_int_equal(tally.lost, taken);
    free(params);
    xd_client_close(client);
    server_join(&server);
    close(looked[0]);
    close(looked[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connection_lost),
        cmocka_unit_test(test_notice_says_why),
        cmocka_unit_test(test_junk),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_large_answer),
        cmocka_unit_test(test_output_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
