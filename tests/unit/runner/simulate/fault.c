// Tests runner/simulate/fault.c: rates and key lists, read and drawn.
// SPDX-License-Identifier: MIT
#include "runner/simulate/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void test_rates(void **state) {
    (void)state;
    struct fault_rates rates;
    struct error err = {0};
    struct random random = {5};
    int seen[FAULT_COUNT] = {0};
    assert_true(fault_rates_parse("429=5%, 500=0.10 ,reset=25%,empty=1e-1,", &rates, &err));
    for (int i = 0; i < 100000; i++)
        seen[fault_draw(&rates, &random)]++;
    assert_in_range(seen[FAULT_429], 4700, 5300);
    assert_in_range(seen[FAULT_500], 9600, 10400);
    assert_in_range(seen[FAULT_RESET], 24400, 25600);
    assert_in_range(seen[FAULT_EMPTY], 9600, 10400);
    assert_in_range(seen[FAULT_NONE], 49200, 50800);
    assert_int_equal(seen[FAULT_401] + seen[FAULT_SLOW] + seen[FAULT_HTML], 0);
}

static void test_all_or_nothing(void **state) {
    (void)state;
    struct fault_rates rates;
    struct error err = {0};
    struct random random = {5};
    assert_true(fault_rates_parse(NULL, &rates, &err));
    assert_false(rates.any);
    assert_int_equal(fault_draw(&rates, &random), FAULT_NONE);
    assert_true(fault_rates_parse("html=0%", &rates, &err));
    assert_false(rates.any);
    assert_true(fault_rates_parse("slow=100%", &rates, &err));
    for (int i = 0; i < 1000; i++)
        assert_int_equal(fault_draw(&rates, &random), FAULT_SLOW);
}

static void test_refused_rates(void **state) {
    (void)state;
    static const char *const bad[] = {
        "429",     "429=",     "429=%",  "429=5%%",         "404=1%",
        "429=-1%", "429=101%", "429=2",  "429=60%,500=60%", "=5%",
        "429=nan", "429=0x1",  "429 5%",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct fault_rates rates;
        struct error err = {0};
        if (fault_rates_parse(bad[i], &rates, &err))
            fail_msg("%s was taken", bad[i]);
        assert_non_null(strstr(err.text, "--fault"));
    }
}

static void test_names(void **state) {
    (void)state;
    struct slice list = slice_str(fault_names(true)), item;
    bool seen[FAULT_COUNT] = {0};
    int count = 0;
    for (; fault_next_item(&list, &item); count++) {
        enum fault fault = fault_named(item);
        assert_false(seen[fault]);
        seen[fault] = true;
    }
    assert_int_equal(count, FAULT_COUNT - 1); // all of them, and each once
    assert_false(seen[FAULT_NONE]);
    list = slice_str(fault_names(false));
    while (fault_next_item(&list, &item))
        assert_false(fault_needs_answer(fault_named(item)));
    assert_int_equal(fault_named(SLICE("")), FAULT_NONE);
    assert_int_equal(fault_named(SLICE("50")), FAULT_NONE);
    assert_true(fault_needs_answer(FAULT_STALL));
}

static void test_key_ranges(void **state) {
    (void)state;
    struct key_ranges ranges;
    struct error err = {0};
    assert_true(key_ranges_parse("2, 5-7,100", "fault-key", &ranges, &err));
    static const int inside[] = {2, 5, 6, 7, 100}, outside[] = {0, 1, 3, 4, 8, 99, 101};
    for (size_t i = 0; i < COUNT(inside); i++)
        assert_true(key_ranges_hold(&ranges, inside[i]));
    for (size_t i = 0; i < COUNT(outside); i++)
        assert_false(key_ranges_hold(&ranges, outside[i]));
    assert_true(key_ranges_parse(NULL, "fault-key", &ranges, &err));
    assert_false(key_ranges_hold(&ranges, 1));
    static const char *const bad[] = {"0", "x", "3-1", "1-", "-1", "1.5", "1 2"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        err = (struct error){0};
        if (key_ranges_parse(bad[i], "dead-key", &ranges, &err))
            fail_msg("%s was taken", bad[i]);
        assert_non_null(strstr(err.text, "--dead-key"));
    }
}

int main(void) {
    freopen("/dev/null", "w", stdout); // what failed goes to stderr
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rates),         cmocka_unit_test(test_all_or_nothing),
        cmocka_unit_test(test_refused_rates), cmocka_unit_test(test_names),
        cmocka_unit_test(test_key_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
