/* The parts of libcrossdock that need no connection: URLs, and the table of calls. */
#include "clients/lib/client.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <string.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_url),
        cmocka_unit_test(test_calls_keep_small),
        cmocka_unit_test(test_calls_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
