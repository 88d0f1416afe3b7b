// Tests runner/simulate/words.c.
// SPDX-License-Identifier: MIT
#include "runner/simulate/words.h"

#include "jobs/base/json.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_tokens(void **state) {
    (void)state;
    struct buf out = BUF_INIT((size_t)WORDS_MAX * 16);
    for (int64_t words = 1; words <= WORDS_MAX; words = words * 3 + 1)
        for (int64_t max = -1; max < 40; max += 3) {
            struct words_wish wish = {words, max, (uint64_t)words};
            buf_clear(&out);
            buf_add_char(&out, '#'); // what is there already does not count
            bool whole = words_add_token(&out, &wish);
            struct slice token = slice_of(out.p + 1, out.n - 1);
            assert_true(json_check(token, NULL) && json_type(token) == JSON_STRING);
            size_t spaces = 0;
            for (size_t i = 0; i < token.n; i++)
                spaces += token.p[i] == ' ';
            if (whole)
                assert_int_equal(spaces, words - 1);
            else
                assert_true(max >= 0 && (int64_t)spaces < words);
            if (max >= 0)
                assert_true((int64_t)(token.n - 2 + 3) / 4 <= max);
            assert_false(out.failed);
        }
    buf_free(&out);
}

static void test_names(void **state) {
    (void)state;
    char a[WORDS_ID_SIZE], b[WORDS_ID_SIZE];
    words_id(1, 1, a);
    assert_int_equal(strlen(a), 9 + 29);
    assert_memory_equal(a, "chatcmpl-", 9);
    words_id(1, 1, b);
    assert_string_equal(a, b);
    words_id(1, 2, b);
    assert_string_not_equal(a, b);
}

int main(void) {
    freopen("/dev/null", "w", stdout); // what failed goes to stderr
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
