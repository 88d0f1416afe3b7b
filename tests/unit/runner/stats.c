// stats.c (test): counters add up over threads, and numbers that cannot be are found.
// SPDX-License-Identifier: MIT
#include "runner/stats.h"

#include "tests/unit/quiet.h"

#include <pthread.h>

static void sums_of_two_threads_structs(void **state) {
    (void)state;
    static struct stats loop, reader;
    struct totals sum = {0};
    stats_add(&reader.rows, 5);
    stats_add(&reader.bad_rows, 1);
    stats_add(&reader.skipped, 1);
    stats_add(&loop.accepted, 3);
    stats_add(&loop.ok, 2);
    stats_add(&loop.failed, 1);
    stats_add(&loop.attempts, 4);
    stats_add(&loop.rate_limited, 1);
    stats_add(&loop.in_flight, 2);
    stats_add(&loop.in_flight, -2);
    stats_add_usage(&loop, &(struct usage){10, 20, 30, 4, -1, -1});
    stats_add_usage(&loop, &USAGE_NONE);
    stats_sum(&sum, &reader);
    stats_sum(&sum, &loop);
    assert_int_equal(sum.rows, 5);
    assert_int_equal(sum.accepted + sum.bad_rows + sum.skipped, 5);
    assert_int_equal(sum.input_tokens, 10);
    assert_int_equal(sum.output_tokens, 20);
    assert_int_equal(sum.cached_tokens, 4);
    assert_null(stats_fault(&sum));
}

static void impossible_numbers_are_found(void **state) {
    (void)state;
    const struct totals good = {.rows = 10,
                                .skipped = 2,
                                .bad_rows = 1,
                                .accepted = 7,
                                .ok = 5,
                                .failed = 2,
                                .attempts = 9,
                                .rate_limited = 1,
                                .retried = 1};
    assert_null(stats_fault(&good));
    struct totals t = good;
    t.skipped = 3;
    assert_non_null(stats_fault(&t));
    t = good;
    t.failed = 3;
    assert_non_null(stats_fault(&t));
    t = good;
    t.in_flight = -1;
    assert_non_null(stats_fault(&t));
    t = good;
    t.retried = 9;
    assert_non_null(stats_fault(&t));
    t = good;
    t.attempts = 4, t.retried = 0, t.rate_limited = 0;
    assert_non_null(stats_fault(&t));
}

#define ROUNDS 200000

static void *count(void *stats) {
    for (int i = 0; i < ROUNDS; i++)
        stats_add(&((struct stats *)stats)->ok, 1);
    return NULL;
}

static void a_reader_sees_a_counter_only_grow(void **state) {
    (void)state;
    static struct stats stats;
    pthread_t writer;
    assert_int_equal(pthread_create(&writer, NULL, count, &stats), 0);
    for (int64_t last = 0, now; last < ROUNDS; last = now) {
        now = stats_get(&stats.ok);
        assert_true(now >= last);
    }
    pthread_join(writer, NULL);
    assert_int_equal(stats_get(&stats.ok), ROUNDS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_of_two_threads_structs),
        cmocka_unit_test(impossible_numbers_are_found),
        cmocka_unit_test(a_reader_sees_a_counter_only_grow),
    };
    QUIET_RUN(tests);
}
