// error_rate.c (test): what is read from the option, and when too many have failed.
// SPDX-License-Identifier: MIT
#include "runner/error_rate.h"

#include "tests/unit/check.h"

static void reads_shares_and_windows(void **state) {
    (void)state;
    struct error err = {0};
    struct error_rate r;
    assert_true(error_rate_parse(NULL, &r, &err));
    assert_int_equal(r.window, 0);
    assert_true(error_rate_parse("20%", &r, &err));
    assert_true(r.share > 0.199 && r.share < 0.201);
    assert_int_equal(r.window, ERROR_RATE_WINDOW);
    assert_true(error_rate_parse("0.05/500", &r, &err));
    assert_true(r.share > 0.049 && r.share < 0.051);
    assert_int_equal(r.window, 500);
    assert_true(error_rate_parse("100%/10000", &r, &err));
}

static void refuses_the_rest(void **state) {
    (void)state;
    static const char *const bad[] = {"",
                                      "%",
                                      "0%",
                                      "0",
                                      "101%",
                                      "20",
                                      "-5%",
                                      "20%/",
                                      "20%/0",
                                      "20%/-1",
                                      "20%/x",
                                      "20%/10001",
                                      "20% /5",
                                      "20%/5/5",
                                      "20%%",
                                      "1e-1",
                                      "nan",
                                      "0x1",
                                      "20%/99999999999999999999"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct error err = {0};
        struct error_rate r;
        if (error_rate_parse(bad[i], &r, &err))
            fail_msg("'%s' was taken", bad[i]);
        assert_int_equal(err.class, ERROR_USAGE);
    }
}

static struct error_rate rate_of(const char *text) {
    struct error err = {0};
    struct error_rate r;
    assert_true(error_rate_parse(text, &r, &err));
    return r;
}

// How many rows it takes when all of them fail.
static int failures_until(const char *text) {
    struct error_rate r = rate_of(text);
    int n = 1;
    while (!error_rate_note(&r, true))
        n++;
    return n;
}

static void not_before_a_fifth_of_the_window(void **state) {
    (void)state;
    assert_int_equal(failures_until("20%"), 20);
    assert_int_equal(failures_until("100%"), 20);
    assert_int_equal(failures_until("20%/500"), 100);
    assert_int_equal(failures_until("20%/30"), 10);
    assert_int_equal(failures_until("20%/3"), 3);
    assert_int_equal(failures_until("20%/1"), 1);
}

static void at_the_share_and_not_below(void **state) {
    (void)state;
    struct error_rate r = rate_of("20%/100");
    for (int i = 0; i < 10000; i++)
        assert_false(error_rate_note(&r, i % 100 < 19 && i >= 100)); // 19 of any hundred
    r = rate_of("20%/100");
    bool fired = false;
    for (int i = 0; i < 300 && !fired; i++)
        fired = error_rate_note(&r, i >= 100 && i % 5 == 0);
    assert_true(fired);
    assert_int_equal(r.failed, 20);
}

static void what_is_long_ago_is_forgotten(void **state) {
    (void)state;
    struct error_rate r = rate_of("50%/20");
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 9; i++)
            assert_false(error_rate_note(&r, round > 0));
        for (int i = 0; i < 11; i++)
            assert_false(error_rate_note(&r, false));
    }
    for (int i = 0; i < 9; i++)
        assert_false(error_rate_note(&r, true));
    assert_true(error_rate_note(&r, true));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_shares_and_windows),
        cmocka_unit_test(refuses_the_rest),
        cmocka_unit_test(not_before_a_fifth_of_the_window),
        cmocka_unit_test(at_the_share_and_not_below),
        cmocka_unit_test(what_is_long_ago_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
