/* Blocks as Redis holds them: what comes back is what went in, or nothing. */
#include "core/ledger/redis_ledger.h"
#include "tests/ledger/cmocka_all.h"

#include <stdlib.h>

enum { LIMIT = 8 << 20 };

/* The i-th byte of something that repeats itself now and then. */
static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i % 97 < 60 ? i % 97 : i * i / 7);
}

static struct xd_buf block_of(size_t len)
{
    struct xd_buf in, out;
    xd_buf_init(&in, LIMIT);
    xd_buf_init(&out, LIMIT);
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = byte_at(i);
        xd_buf_add(&in, &byte, 1);
    }
    xd_redis_compress(&out, &in);
    assert_false(out.failed);
    xd_buf_free(&in);
    return out;
}

static bool expand(struct xd_buf *out, const uint8_t *bytes, size_t len)
{
    redisReply reply = {
        .type = REDIS_REPLY_STRING, .str = malloc(len + 1), .len = len}; /* its end is guarded */
    memcpy(reply.str, bytes, len);
    bool good = xd_redis_expand(out, &reply);
    free(reply.str);
    return good;
}

static void what_went_in_comes_back(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 2, 100, 65535, 65536, 1000000};
    struct xd_buf out;
    xd_buf_init(&out, LIMIT);
    for (size_t n = 0; n < sizeof lengths / sizeof *lengths; n++) {
        struct xd_buf block = block_of(lengths[n]);
        assert_true(expand(&out, block.data, block.len));
        assert_int_equal(out.len, lengths[n]);
        for (size_t i = 0; i < out.len; i++)
            assert_int_equal(out.data[i], byte_at(i));
        xd_buf_free(&block);
    }
    xd_buf_free(&out);
}

static void what_is_no_block_is_refused(void **state)
{
    (void)state;
    struct xd_buf block = block_of(5000), out;
    xd_buf_init(&out, LIMIT);
    for (size_t len = 0; len < block.len; len++)
        assert_false(expand(&out, block.data, len));
    for (unsigned bit = 0; bit < 32; bit++) { /* of the length */
        block.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(expand(&out, block.data, block.len));
        block.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    redisReply number = {.type = REDIS_REPLY_INTEGER};
    assert_false(xd_redis_expand(&out, &number));
    xd_buf_free(&block);
    xd_buf_free(&out);
}

static void a_limit_is_kept(void **state)
{
    (void)state;
    struct xd_buf block = block_of(5000), small;
    xd_buf_init(&small, 4999);
    assert_false(expand(&small, block.data, block.len));
    xd_buf_free(&block);
    xd_buf_free(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_went_in_comes_back),
        cmocka_unit_test(what_is_no_block_is_refused),
        cmocka_unit_test(a_limit_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
