// Tests runner/rest.c.
// SPDX-License-Identifier: MIT
#include "runner/rest.h"

#include "jobs/base/clock.h"
#include "jobs/base/log.h"
#include "tests/unit/check.h"

static void short_waits_are_as_asked(void **state) {
    (void)state;
    struct rest r = {0};
    assert_true(rest_wake_at(&r, true, 5, 6) == 6);
    assert_true(rest_wake_at(&r, true, 5, 5 + REST_LONG) == 5 + REST_LONG);
    assert_true(rest_wake_at(&r, true, 5, TIME_NEVER) == TIME_NEVER);
    assert_false(r.is_said);
}

static void long_ones_are_slept_in_pieces_and_said_once(void **state) {
    (void)state;
    struct rest r = {0};
    log_set_level(LOG_ERROR);
    assert_true(rest_wake_at(&r, false, 5, INT64_C(1) << 50) == 5 + REST_LONG);
    assert_false(r.is_said); // something is on its way
    assert_true(rest_wake_at(&r, true, 5, INT64_C(1) << 50) == 5 + REST_LONG);
    assert_true(r.is_said);
    rest_wake_at(&r, true, 5, 6);
    assert_true(r.is_said); // until something was sent
    rest_wake_at(&r, false, 5, 6);
    assert_false(r.is_said);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_waits_are_as_asked),
        cmocka_unit_test(long_ones_are_slept_in_pieces_and_said_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
