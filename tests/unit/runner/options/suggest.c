// suggest.c: tests of runner/options/suggest.c.
// SPDX-License-Identifier: MIT
#include "runner/options/suggest.h"

#include "jobs/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static int distance(const char *a, const char *b) {
    return suggest_distance(slice_str(a), slice_str(b));
}

static const char *nearest(const char *word) {
    static const char *const names[] = {"timeout", "connect-timeout", "max-retries", "slots", "q"};
    struct suggest s = {.word = slice_str(word)};
    for (size_t i = 0; i < 5; i++)
        suggest_offer(&s, names[i]);
    return s.best;
}

static void test_distances(void **state) {
    (void)state;
    assert_int_equal(distance("", ""), 0);
    assert_int_equal(distance("", "abc"), 3);
    assert_int_equal(distance("abc", "abc"), 0);
    assert_int_equal(distance("abc", "acb"), 1); // swapped neighbours
    assert_int_equal(distance("kitten", "sitting"), 3);
    assert_true(distance("a", "a234567890123456789012345678901234567890123456789") > 100);
}

// A word changed k times is at most k away, both ways alike, and never nearer than its length says.
static void test_distance_against_changes(void **state) {
    (void)state;
    struct random r = {7};
    for (int round = 0; round < 20000; round++) {
        char a[16], b[32];
        size_t n = (size_t)random_below(&r, 12), m;
        for (size_t i = 0; i < n; i++)
            a[i] = (char)('a' + random_below(&r, 3));
        memcpy(b, a, n);
        m = n;
        int changes = (int)random_below(&r, 4);
        for (int k = 0; k < changes; k++) {
            size_t at = (size_t)random_below(&r, (int64_t)m + 1);
            memmove(b + at + 1, b + at, m - at);
            b[at] = (char)('a' + random_below(&r, 3));
            m++;
        }
        int d = suggest_distance(slice_of(a, n), slice_of(b, m));
        assert_int_equal(d, changes); // insertions only: exactly as many
        assert_int_equal(suggest_distance(slice_of(b, m), slice_of(a, n)), d);
    }
}

static void test_nearest(void **state) {
    (void)state;
    assert_string_equal(nearest("timeuot"), "timeout");
    assert_string_equal(nearest("max_retries"), "max-retries");
    assert_string_equal(nearest("max-retry"), "max-retries");
    assert_string_equal(nearest("conn"), "connect-timeout"); // the beginning of it
    assert_string_equal(nearest("slot"), "slots");
    assert_null(nearest("zebra"));
    assert_null(nearest("x")); // "q" is as near as anything: not near enough
    assert_null(nearest(""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distances),
        cmocka_unit_test(test_distance_against_changes),
        cmocka_unit_test(test_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
