// hedge.c (test): when the end is near, who is slow, and that it stays calm after refusals.
// SPDX-License-Identifier: MIT
#include "runner/hedge.h"

#include "jobs/base/clock.h"
#include "tests/unit/check.h"

static struct histogram answers(int count, int64_t each) {
    struct histogram h = {0};
    for (int i = 0; i < count; i++)
        histogram_add(&h, each);
    return h;
}

static void near_the_end_only(void **state) {
    (void)state;
    struct hedge h = {.share = 0.05};
    assert_true(hedge_is_near_end(&h, 200, 10));
    assert_true(hedge_is_near_end(&h, 200, 1));
    assert_false(hedge_is_near_end(&h, 200, 11));
    assert_false(hedge_is_near_end(&h, 200, 0));
    assert_false(hedge_is_near_end(&h, 19, 1)); // less than a row
    assert_true(hedge_is_near_end(&h, 20, 1));
}

static void off_unless_asked_for(void **state) {
    (void)state;
    struct hedge h = {0};
    assert_false(hedge_is_near_end(&h, 1000000, 1));
}

static void no_more_copies_than_the_share(void **state) {
    (void)state;
    struct hedge h = {.share = 0.05};
    for (; hedge_is_near_end(&h, 200, 1); h.sent++)
        ;
    assert_int_equal(h.sent, 10);
}

static void slow_is_beyond_nearly_all(void **state) {
    (void)state;
    struct hedge h = {.share = 1};
    struct histogram latency = answers(95, 1000);
    for (int i = 0; i < 5; i++)
        histogram_add(&latency, 500000);
    int64_t due = hedge_due(&h, &latency, 7000000);
    assert_in_range(due, 7000900, 7001200);
    histogram_free(&latency);
}

static void unknown_before_enough_answers(void **state) {
    (void)state;
    struct hedge h = {.share = 1};
    struct histogram few = answers(HEDGE_ANSWERS_LEAST - 1, 1000);
    struct histogram enough = answers(HEDGE_ANSWERS_LEAST, 1000);
    assert_true(hedge_due(&h, &few, 0) == TIME_NEVER);
    assert_true(hedge_due(&h, &enough, 0) < 2000);
    histogram_free(&few);
    histogram_free(&enough);
}

static void a_refusal_is_followed_by_calm(void **state) {
    (void)state;
    struct hedge h = {.share = 1, .refused_at = 50000000};
    struct histogram latency = answers(100, 1000);
    assert_int_equal(hedge_due(&h, &latency, 49000000), 50000000 + HEDGE_CALM);
    assert_in_range(hedge_due(&h, &latency, 90000000), 90000900, 90001200);
    histogram_free(&latency);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(near_the_end_only),
        cmocka_unit_test(off_unless_asked_for),
        cmocka_unit_test(no_more_copies_than_the_share),
        cmocka_unit_test(slow_is_beyond_nearly_all),
        cmocka_unit_test(unknown_before_enough_answers),
        cmocka_unit_test(a_refusal_is_followed_by_calm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
