// Tests runner/simulate/outage.c: spans of time, read and looked up.
// SPDX-License-Identifier: MIT
#include "runner/simulate/outage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)

static void test_one(void **state) {
    (void)state;
    struct outages o;
    struct error err = {0};
    assert_true(outages_parse("2s, 1s", &o, &err));
    assert_int_equal(o.count, 1);
    assert_int_equal(outages_at(&o, 0), FAULT_NONE);
    assert_int_equal(outages_at(&o, 2 * SECOND - 1), FAULT_NONE);
    assert_int_equal(outages_at(&o, 2 * SECOND), FAULT_503);
    assert_int_equal(outages_at(&o, 3 * SECOND - 1), FAULT_503);
    assert_int_equal(outages_at(&o, 3 * SECOND), FAULT_NONE);
    assert_true(outages_parse(NULL, &o, &err));
    assert_int_equal(outages_at(&o, 0), FAULT_NONE);
}

// A number in third place is the fault of that name, and else the next outage's.
static void test_several(void **state) {
    (void)state;
    struct outages o;
    struct error err = {0};
    assert_true(outages_parse("0,500ms,reset,2s,1s,500,5s,1s,9s,1s,hang", &o, &err));
    assert_int_equal(o.count, 4);
    assert_int_equal(outages_at(&o, 0), FAULT_RESET);
    assert_int_equal(outages_at(&o, SECOND), FAULT_NONE);
    assert_int_equal(outages_at(&o, 2 * SECOND), FAULT_500);
    assert_int_equal(outages_at(&o, 5 * SECOND), FAULT_503);
    assert_int_equal(outages_at(&o, 9 * SECOND), FAULT_HANG);
}

static void test_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "2s",
        "2s,",
        "x,1s",
        "2s,x",
        "2s,1s,x",
        "2s,1s,",
        "2s,1s,503,",
        "2s,1s,503,4s",
        "2s,1s,stall",
        "2s,1s,slow",
        "-1s,1s",
        "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct outages o;
        struct error err = {0};
        if (outages_parse(bad[i], &o, &err))
            fail_msg("%s was taken", bad[i]);
        assert_non_null(strstr(err.text, "--outage"));
    }
}

int main(void) {
    freopen("/dev/null", "w", stdout); // what failed goes to stderr
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
