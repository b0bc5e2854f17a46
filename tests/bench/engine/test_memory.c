/* What the engine holds of a resting order, and how seldom it asks the system for memory. The program counts its own calls of
 * malloc and the like, which stand before the C library's. */
#include "tests/bench/engine/flow.h"
#include "tests/bench/engine/prepare.h"
#include "tests/bench/engine/snapshot.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static uint64_t calls;
static bool counting;

/* The C library's own. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
    calls += counting;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    calls += counting;
    return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
    calls += counting;
    return __libc_realloc(block, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    calls += counting;
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    calls += counting;
    *out = __libc_memalign(alignment, size);
    return *out ? 0 : ENOMEM;
}

struct book {
    struct xd_flow *flow;
    struct xd_engine *engine;
    struct xd_meter meter;
};

static void open_book(struct book *book, enum xd_shape shape, uint64_t resting)
{
    struct xd_engine_options options = xd_snapshot_options(resting);
    book->flow = xd_flow_create(shape, resting, 1);
    book->engine = xd_engine_create(&options);
    assert_true(book->flow && book->engine);
    xd_meter_init(&book->meter, book->flow, book->engine);
}

static void close_book(struct book *book)
{
    xd_engine_destroy(book->engine);
    xd_meter_free(&book->meter);
    xd_flow_destroy(book->flow);
}

/* Orders that rest and have never matched; all that goes when the engine goes counts as theirs. */
static double bytes_an_order(enum xd_shape shape)
{
    enum { RESTING = 50000 };
    struct book book;
    struct xd_engine_stats stats;
    open_book(&book, shape, RESTING);
    assert_true(xd_prepare_unmatched(&book.meter));
    xd_engine_stats(book.engine, &stats);
    uint64_t with = xd_heap_in_use();
    xd_engine_destroy(book.engine);
    double bytes = (double)(with - xd_heap_in_use()) / (double)stats.orders;
    book.engine = NULL;
    close_book(&book);
    print_message("%s: %.1f bytes a resting order\n", xd_shape_names[shape], bytes);
    return bytes;
}

/* The figures of docs/BENCHMARKS.md and 5 % more; issue 3 asks for 400 and 600. */
static void a_resting_order_takes_what_is_stated(void **state)
{
    (void)state;
    assert_true(bytes_an_order(XD_SHAPE_STORAGE) < 413);
    assert_true(bytes_an_order(XD_SHAPE_TRUCK) < 583);
}

static void count_calls(enum xd_shape shape, uint64_t resting, uint64_t commands)
{
    struct book book;
    open_book(&book, shape, resting);
    assert_true(xd_prepare_book(&book.meter, 5));
    struct xd_output *output = &book.meter.output;
    calls = 0;
    for (uint64_t i = 0; i < commands; i++) {
        struct xd_flow_command command;
        xd_flow_next(book.flow, &command);
        xd_output_clear(output);
        counting = true;
        bool applied = xd_engine_apply(book.engine, command.now, &command.record, output);
        counting = false;
        assert_true(applied && xd_flow_learn(book.flow, &command, output));
    }
    print_message("%s: %u calls of malloc and the like in %u commands\n", xd_shape_names[shape], (unsigned)calls,
                  (unsigned)commands);
    assert_true(calls * 200 < commands);
    close_book(&book);
}

/* A book that keeps its size, orders coming, matching, lapsing and going: the pool serves them from what it has. What calls there
 * are, fewer than one in 200 commands, are nearly all for leaves of the index that split. */
static void a_steady_book_hardly_asks_for_memory(void **state)
{
    (void)state;
    count_calls(XD_SHAPE_STORAGE, 10000, 100000);
    count_calls(XD_SHAPE_TRUCK, 3000, 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_resting_order_takes_what_is_stated),
        cmocka_unit_test(a_steady_book_hardly_asks_for_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
