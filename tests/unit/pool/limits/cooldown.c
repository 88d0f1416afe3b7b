// Tests pool/limits/cooldown.c: hints, clamps, doubling, jitter.
// SPDX-License-Identifier: MIT
#include "pool/limits/cooldown.h"

#include "tests/unit/check.h"

#define SEC INT64_C(1000000)

static void a_hint_is_taken_clamped(void **state) {
    (void)state;
    struct random r = {1};
    assert_true(cooldown_after(COOLDOWN_AUTO, 2 * SEC, 9, &r) == 2 * SEC);
    assert_true(cooldown_after(COOLDOWN_AUTO, 0, 1, &r) == SEC / 20);
    assert_true(cooldown_after(COOLDOWN_AUTO, 49999, 1, &r) == 50000);
    assert_true(cooldown_after(COOLDOWN_AUTO, 400 * 3600 * SEC, 1, &r) == 26 * 3600 * SEC);
}

static void without_one_it_doubles_to_a_minute(void **state) {
    (void)state;
    struct random r = {1};
    for (int refusals = 1; refusals < 40; refusals++) {
        int64_t base = refusals <= 6 ? SEC << (refusals - 1) : 60 * SEC;
        for (int i = 0; i < 200; i++)
            assert_in_range(cooldown_after(COOLDOWN_AUTO, -1, refusals, &r), base, base + base / 4);
    }
}

static void a_fixed_one_beats_both(void **state) {
    (void)state;
    struct random r = {1};
    assert_true(cooldown_after(60 * SEC, 2 * SEC, 3, &r) == 60 * SEC);
    assert_true(cooldown_after(60 * SEC, -1, 30, &r) == 60 * SEC);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hint_is_taken_clamped),
        cmocka_unit_test(without_one_it_doubles_to_a_minute),
        cmocka_unit_test(a_fixed_one_beats_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
