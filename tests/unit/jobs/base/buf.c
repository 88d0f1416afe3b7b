// buf.c: growth, ceiling, sticky failure.
// SPDX-License-Identifier: MIT
#include "jobs/base/buf.h"

#include "jobs/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void holds_up_to_its_ceiling(void **state) {
    (void)state;
    struct buf b = BUF_INIT(5);
    buf_add_str(&b, "abc");
    buf_add(&b, "de", 2);
    assert_false(b.failed);
    assert_true(slice_is(buf_slice(&b), "abcde"));
    assert_string_equal(buf_cstr(&b), "abcde"); // the zero may stand beyond the ceiling
    buf_add_char(&b, 'f');
    assert_true(b.failed);
    assert_true(slice_is(buf_slice(&b), "abcde"));
    buf_free(&b);
    assert_int_equal(b.max, 5);
    buf_addf(&b, "%s", "abcde");
    assert_false(b.failed);
    assert_string_equal(buf_cstr(&b), "abcde");
    buf_addf(&b, "%c", 'f');
    assert_true(b.failed);
    buf_free(&b);
}

static void failure_sticks_until_cleared(void **state) {
    (void)state;
    struct buf b = BUF_INIT(8);
    buf_add_str(&b, "123456");
    buf_add_str(&b, "too long");
    assert_true(b.failed);
    buf_add_char(&b, 'x'); // would fit, but must not follow a hole
    buf_add_int(&b, 1);
    assert_true(slice_is(buf_slice(&b), "123456"));
    assert_false(buf_reserve(&b, 0));
    buf_clear(&b);
    buf_add_char(&b, 'x');
    assert_true(slice_is(buf_slice(&b), "x"));
    buf_free(&b);
}

static void reserve_keeps_slices(void **state) {
    (void)state;
    struct buf b = BUF_INIT(1 << 20);
    buf_add_str(&b, "row");
    assert_true(buf_reserve(&b, 100000));
    const char *before = b.p;
    for (int i = 0; i < 100000; i++)
        buf_add_char(&b, 'x');
    assert_ptr_equal(b.p, before);
    assert_false(buf_reserve(&b, SIZE_MAX));
    buf_free(&b);
}

static void recycle_gives_back_what_is_large(void **state) {
    (void)state;
    struct buf b = BUF_INIT(1 << 20);
    buf_add_str(&b, "x");
    size_t small = b.cap;
    buf_recycle(&b, small);
    assert_int_equal(b.cap, small);
    assert_int_equal(b.n, 0);
    buf_reserve(&b, 100000);
    buf_recycle(&b, small);
    assert_int_equal(b.cap, 0);
    assert_int_equal(b.max, 1 << 20);
    buf_free(&b);
}

static void numbers_and_formats(void **state) {
    (void)state;
    struct buf b = BUF_INIT(200);
    buf_add_int(&b, INT64_MIN);
    buf_add_char(&b, ' ');
    buf_add_int(&b, INT64_MAX);
    buf_add_char(&b, ' ');
    buf_add_int(&b, 0);
    buf_addf(&b, " %d%s", 7, "%");
    assert_string_equal(buf_cstr(&b), "-9223372036854775808 9223372036854775807 0 7%");
    buf_free(&b);
    assert_string_equal(buf_cstr(&b), "");
    buf_free(&b);
}

// Around each power of ten, where a number gets a digit more, against printf.
static void numbers_of_any_length(void **state) {
    (void)state;
    struct buf b = BUF_INIT(64);
    for (int64_t power = 1; power > 0; power = power <= INT64_MAX / 10 ? power * 10 : 0) {
        for (int64_t near = power - 1; near <= power + 1; near++) {
            char text[64];
            snprintf(text, sizeof text, "%lld,%lld", (long long)near, (long long)-near);
            buf_clear(&b);
            buf_add_int(&b, near);
            buf_add_char(&b, ',');
            buf_add_int(&b, -near);
            assert_string_equal(buf_cstr(&b), text);
        }
    }
    buf_free(&b);
}

// Against an array that is large enough for anything.
static void property(void **state) {
    (void)state;
    struct random random = {1};
    static char model[4096], piece[300];
    for (int round = 0; round < 300; round++) {
        size_t max = (size_t)random_below(&random, sizeof model), n = 0;
        struct buf b = BUF_INIT(max);
        bool failed = false;
        for (int step = 0; step < 40; step++) {
            size_t size = (size_t)random_below(&random, sizeof piece);
            memset(piece, 'a' + step % 26, size);
            buf_add(&b, piece, size);
            failed |= size && n + size > max;
            if (!failed) {
                memcpy(model + n, piece, size);
                n += size;
            }
            assert_true(slice_eq(buf_slice(&b), slice_of(model, n)));
            assert_int_equal(b.failed, failed);
            assert_true(b.cap <= max);
        }
        buf_free(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_up_to_its_ceiling),
        cmocka_unit_test(failure_sticks_until_cleared),
        cmocka_unit_test(reserve_keeps_slices),
        cmocka_unit_test(recycle_gives_back_what_is_large),
        cmocka_unit_test(numbers_and_formats),
        cmocka_unit_test(numbers_of_any_length),
        cmocka_unit_test(property),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
