// Tests runner/simulate/seen.c: counting, growing, and the ceiling.
// SPDX-License-Identifier: MIT
#include "runner/simulate/seen.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_counts(void **state) {
    (void)state;
    struct seen seen = {0};
    for (uint64_t round = 0; round < 3; round++)
        for (uint64_t i = 1; i < 20000; i++)
            assert_int_equal(seen_add(&seen, i * 3), round);
    assert_int_equal(seen_add(&seen, 0), 0);
    assert_int_equal(seen_add(&seen, 0), 1);
    seen_free(&seen);
    assert_int_equal(seen_add(&seen, 7), 0);
    seen_free(&seen);
}

static void test_ceiling(void **state) {
    (void)state;
    struct seen seen = {0};
    for (uint64_t i = 0; i < 2000000; i++) {
        seen_add(&seen, i * UINT64_C(0x9e3779b97f4a7c15));
        assert_true(seen.size <= 1 << 20 && seen.count < seen.size);
    }
    seen_free(&seen);
}

int main(void) {
    freopen("/dev/null", "w", stdout); // what failed goes to stderr
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
