// clock.c (test): which clocks the two are.
// SPDX-License-Identifier: MIT
#include "jobs/base/clock.h"

#include "tests/unit/check.h"

#include <time.h>

static int64_t read_clock(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * USEC_PER_SEC + t.tv_nsec / 1000;
}

static void time_asleep_counts(void **state) {
    (void)state;
    int64_t before = read_clock(CLOCK_BOOTTIME), now = clock_now();
    assert_in_range(now, before, read_clock(CLOCK_BOOTTIME));
}

static void the_wall_clock_is_the_systems(void **state) {
    (void)state;
    int64_t before = read_clock(CLOCK_REALTIME), now = clock_wall();
    assert_in_range(now, before - USEC_PER_SEC, read_clock(CLOCK_REALTIME) + USEC_PER_SEC);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_asleep_counts),
        cmocka_unit_test(the_wall_clock_is_the_systems),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
