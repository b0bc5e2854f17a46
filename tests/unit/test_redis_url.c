#include "core/redis/slot.h"
#include "core/redis/url.h"
#include "tests/ledger/cmocka_all.h"

#include <string.h>

static void urls_are_read(void **state)
{
    (void)state;
    struct xd_redis_url url;
    struct xd_error error;
    assert_true(xd_redis_url_parse("redis://localhost", &url, &error));
    assert_string_equal(url.hosts[0].name, "localhost");
    assert_int_equal(url.hosts[0].port, 6379);
    assert_true(xd_redis_url_parse("rediss://app:p%40s%3as@[::1]:7000/3", &url, &error));
    assert_true(url.tls);
    assert_string_equal(url.user, "app");
    assert_string_equal(url.password, "p@s:s");
    assert_string_equal(url.hosts[0].name, "::1");
    assert_int_equal(url.hosts[0].port, 7000);
    assert_int_equal(url.db, 3);
    assert_true(xd_redis_url_parse("redis-sentinel://:pw@a,b:7001/main", &url, &error));
    assert_true(url.sentinel && !url.tls);
    assert_string_equal(url.user, "");
    assert_string_equal(url.master, "main");
    assert_int_equal(url.host_count, 2);
    assert_int_equal(url.hosts[0].port, 26379);
    assert_int_equal(url.hosts[1].port, 7001);
}

static void what_is_no_url_is_refused_without_its_password(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "http://secret@a",
        "redis://",
        "redis://secret@a:0",
        "redis://secret@a:65536",
        "redis://a,b",
        "redis://a/x",
        "redis://a/1/2",
        "redis://[::1",
        "redis://a:b:c",
        "redis-sentinel://a",
        "redis-sentinel://a/",
        "redis-sentinel://a,/m",
        "redis-sentinel://1,2,3,4,5,6,7,8,9,10/m",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct xd_redis_url url;
        struct xd_error error;
        assert_false(xd_redis_url_parse(wrong[i], &url, &error));
        assert_int_equal(error.code, XD_BAD_VALUE);
        assert_null(strstr(error.message, "secret"));
    }
}

/* The values that `redis-cli cluster keyslot` gives. */
static void slots_are_those_of_the_cluster(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        uint16_t slot;
    } known[] = {{"123456789", 12739}, {"foo", 12182}, {"{foo}bar", 12182}, {"a{foo}{bar}", 12182}, {"", 0}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_int_equal(xd_redis_slot(known[i].key, strlen(known[i].key)), known[i].slot);
    assert_int_not_equal(xd_redis_slot("{}foo", 5), xd_redis_slot("{}bar", 5)); /* an empty tag is none */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_read),
        cmocka_unit_test(what_is_no_url_is_refused_without_its_password),
        cmocka_unit_test(slots_are_those_of_the_cluster),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
