// Tests runner/simulate/bucket.c against a model in exact fractions, on a virtual clock.
// SPDX-License-Identifier: MIT
#include "runner/simulate/bucket.h"

#include "jobs/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)

static void init(struct bucket *b, int64_t limit, int64_t now) {
    bucket_init(b, &(struct bucket_shape){.limit = limit, .period = BUCKET_MINUTE}, now);
}

static void test_no_limit(void **state) {
    (void)state;
    struct bucket b;
    init(&b, 0, 5);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(bucket_wait(&b, INT64_MAX, 5), 0);
        bucket_take(&b, 1, 5);
    }
}

static void test_minute_at_once_then_evenly(void **state) {
    (void)state;
    struct bucket b;
    init(&b, 50, 0);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(bucket_wait(&b, 1, 0), 0);
        bucket_take(&b, 1, 0);
    }
    assert_int_equal(bucket_left(&b, 0), 0);
    assert_int_equal(bucket_wait(&b, 1, 0), 1200000); // 60 s / 50
    assert_int_equal(bucket_wait(&b, 1, 1199999), 1);
    assert_int_equal(bucket_wait(&b, 1, 1200000), 0);
    assert_int_equal(bucket_until_full(&b, 1200000), 58800000);
    assert_int_equal(bucket_wait(&b, 51, 1200000), BUCKET_NEVER);
    assert_int_equal(bucket_left(&b, 3600 * SECOND), 50);
}

static void test_time_going_back_takes_nothing(void **state) {
    (void)state;
    struct bucket b;
    init(&b, 60, 10 * SECOND);
    bucket_take(&b, 60, 10 * SECOND);
    assert_int_equal(bucket_left(&b, 12 * SECOND), 2);
    assert_int_equal(bucket_left(&b, 0), 2);
}

// So many at once, however many in a minute; then as the limit says.
static void test_capacity(void **state) {
    (void)state;
    struct bucket b;
    struct bucket_shape small = {.limit = 600, .period = BUCKET_MINUTE, .capacity = 3};
    bucket_init(&b, &small, 0);
    assert_int_equal(bucket_left(&b, 0), 3);
    assert_int_equal(bucket_wait(&b, 4, 0), BUCKET_NEVER);
    bucket_take(&b, 3, 0);
    assert_int_equal(bucket_wait(&b, 1, 0), SECOND / 10);
    assert_int_equal(bucket_until_full(&b, 0), 3 * SECOND / 10);
    assert_int_equal(bucket_left(&b, 3600 * SECOND), 3);
    struct bucket_shape large = {.limit = 1, .period = BUCKET_MINUTE, .capacity = BUCKET_LIMIT_MAX};
    bucket_init(&b, &large, 0);
    bucket_take(&b, BUCKET_LIMIT_MAX, 0);
    assert_int_equal(bucket_left(&b, 1000 * BUCKET_MINUTE), 1000);
    assert_int_equal(bucket_left(&b, INT64_MAX), BUCKET_LIMIT_MAX);
}

// A day's quota comes back whole when the next day begins, whenever it was used.
static void test_steps(void **state) {
    (void)state;
    struct bucket b;
    struct bucket_shape day = {.limit = 5, .period = 10 * SECOND, .in_steps = true};
    bucket_init(&b, &day, 7);
    assert_int_equal(bucket_until_full(&b, 7), 0);
    bucket_take(&b, 5, 7 + SECOND);
    assert_int_equal(bucket_wait(&b, 1, 7 + 4 * SECOND), 6 * SECOND);
    assert_int_equal(bucket_until_full(&b, 7 + 10 * SECOND - 1), 1);
    assert_int_equal(bucket_left(&b, 7 + 10 * SECOND - 1), 0);
    assert_int_equal(bucket_left(&b, 7 + 10 * SECOND), 5);
    bucket_take(&b, 1, 7 + 35 * SECOND); // days nobody used pass as well
    assert_int_equal(bucket_left(&b, 7 + 35 * SECOND), 4);
    assert_int_equal(bucket_until_full(&b, 7 + 35 * SECOND), 5 * SECOND);
    assert_int_equal(bucket_wait(&b, 6, 7 + 35 * SECOND), BUCKET_NEVER);
}

// What passes in any window never exceeds the bucket and its refill; and what it says to wait is
// exact: a microsecond earlier it refuses, then it lets through.
static void test_property(void **state) {
    (void)state;
    struct random random = {3};
    for (int round = 0; round < 300; round++) {
        int64_t limit = 1 + random_below(&random, round % 2 ? 100 : BUCKET_LIMIT_MAX);
        int64_t now = random_below(&random, 1000), start = now;
        struct bucket b;
        init(&b, limit, now);
        __int128 taken = 0;
        for (int i = 0; i < 200; i++) {
            int64_t n = 1 + random_below(&random, limit < 10 ? limit : limit / 3);
            int64_t wait = bucket_wait(&b, n, now);
            assert_true(wait >= 0 && wait <= 60 * SECOND);
            if (wait > 1)
                assert_int_equal(bucket_wait(&b, n, now + wait - 1), 1);
            now += wait;
            assert_int_equal(bucket_wait(&b, n, now), 0);
            bucket_take(&b, n, now);
            taken += n;
            assert_true(taken * 60 * SECOND <= ((__int128)60 * SECOND + (now - start)) * limit);
            now += random_below(&random, 2) ? random_below(&random, 90 * SECOND) : 0;
        }
    }
}

int main(void) {
    freopen("/dev/null", "w", stdout); // what failed goes to stderr
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_limit),
        cmocka_unit_test(test_minute_at_once_then_evenly),
        cmocka_unit_test(test_time_going_back_takes_nothing),
        cmocka_unit_test(test_capacity),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_property),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
