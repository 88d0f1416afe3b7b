// Tests pool/limits/chance.c: refusals that the next request contradicts are chance, others are a limit.
// SPDX-License-Identifier: MIT
#include "pool/limits/chance.h"

#include "tests/unit/check.h"

static void a_key_that_never_passed_pauses(void **state) {
    (void)state;
    struct chance c = {0};
    for (int i = 1; i <= 3; i++) {
        assert_false(chance_refused(&c, 1));
        assert_int_equal(c.pauses, i);
    }
}

static void a_limit_refuses_again(void **state) {
    (void)state;
    struct chance c = {0};
    chance_passed(&c);
    for (int i = 0; i < CHANCE_ALONE; i++)
        assert_true(chance_refused(&c, 1));
    for (int i = 1; i <= 3; i++) { // each pause longer than the one before
        assert_false(chance_refused(&c, 1));
        assert_int_equal(c.pauses, i);
    }
    chance_passed(&c); // after the pause, which says nothing about chance
    assert_int_equal(c.learned, 0);
    assert_true(chance_refused(&c, 1));
}

static void several_in_flight_are_refused_together(void **state) {
    (void)state;
    struct chance c = {0};
    chance_passed(&c);
    assert_true(chance_refused(&c, 4));
    assert_false(chance_refused(&c, 4));
}

static void what_proves_right_is_learned(void **state) {
    (void)state;
    struct chance c = {0};
    for (int i = 0; i < 20; i++) {
        chance_passed(&c);
        assert_true(chance_refused(&c, 1));
    }
    chance_passed(&c);
    for (int i = 0; i < CHANCE_MOST; i++)
        assert_true(chance_refused(&c, 1));
    assert_false(chance_refused(&c, 1));
    chance_passed(&c);
    assert_int_equal(c.learned, (CHANCE_MOST - CHANCE_ALONE) / 2); // half as sure
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_that_never_passed_pauses),
        cmocka_unit_test(a_limit_refuses_again),
        cmocka_unit_test(several_in_flight_are_refused_together),
        cmocka_unit_test(what_proves_right_is_learned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
