// Tests runner/simulate/latency.c: what is read, what is drawn.
// SPDX-License-Identifier: MIT
#include "runner/simulate/latency.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void test_parse(void **state) {
    (void)state;
    static const struct {
        const char *text;
        struct latency expected;
    } rows[] = {
        {NULL, {LATENCY_FIXED, 0, 0, 0}},
        {"", {LATENCY_FIXED, 0, 0, 0}},
        {"0", {LATENCY_FIXED, 0, 0, 0}},
        {"20", {LATENCY_FIXED, 20000, 0, 0}},
        {"0.5", {LATENCY_FIXED, 500, 0, 0}},
        {"20ms", {LATENCY_FIXED, 20000, 0, 0}},
        {"2s", {LATENCY_FIXED, 2000000, 0, 0}},
        {"fixed:1s", {LATENCY_FIXED, 1000000, 0, 0}},
        {"uniform:10ms-1s", {LATENCY_UNIFORM, 10000, 1000000, 0}},
        {"uniform:10-10", {LATENCY_UNIFORM, 10000, 10000, 0}},
        {"lognormal:200ms,0.5", {LATENCY_LOGNORMAL, 200000, 0, 0.5}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct latency l;
        struct error err = {0};
        assert_true(latency_parse(rows[i].text, &l, &err));
        assert_int_equal(l.kind, rows[i].expected.kind);
        assert_int_equal(l.low, rows[i].expected.low);
        assert_int_equal(l.high, rows[i].expected.high);
        assert_true(l.sigma == rows[i].expected.sigma);
    }
}

static void test_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "fast",
        "-1",
        "20 ms x",
        "uniform:",
        "uniform:10",
        "uniform:20-10",
        "uniform:-5-10",
        "lognormal:200",
        "lognormal:200,",
        "lognormal:200,x",
        "lognormal:200,-1",
        "lognormal:200,99",
        "normal:1,1",
        "2h",
        "1e3",
        "fixed:",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct latency l;
        struct error err = {0};
        if (latency_parse(bad[i], &l, &err))
            fail_msg("%s was taken", bad[i]);
        assert_non_null(strstr(err.text, "--latency"));
        assert_non_null(strstr(err.text, bad[i]));
    }
}

static void test_draws(void **state) {
    (void)state;
    struct random random = {1};
    struct latency uniform = {LATENCY_UNIFORM, 10, 19, 0};
    int seen[10] = {0}, below = 0;
    for (int i = 0; i < 10000; i++) {
        int64_t drawn = latency_draw(&uniform, &random);
        assert_true(drawn >= 10 && drawn <= 19);
        seen[drawn - 10]++;
    }
    for (int i = 0; i < 10; i++)
        assert_true(seen[i] > 850 && seen[i] < 1150);
    struct latency lognormal = {LATENCY_LOGNORMAL, 200000, 0, 0.5};
    for (int i = 0; i < 10000; i++) {
        int64_t drawn = latency_draw(&lognormal, &random);
        assert_true(drawn >= 0 && drawn <= LATENCY_MAX);
        below += drawn < 200000;
    }
    assert_true(below > 4800 && below < 5200); // the median is the median
    struct latency wild = {LATENCY_LOGNORMAL, LATENCY_MAX, 0, 10};
    for (int i = 0; i < 1000; i++)
        assert_true(latency_draw(&wild, &random) <= LATENCY_MAX);
}

int main(void) {
    freopen("/dev/null", "w", stdout); // what failed goes to stderr
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_draws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
