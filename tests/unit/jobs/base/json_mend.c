// Tests jobs/base/json_mend.c: numbers that JSON does not have become null, and nothing else changes.
// SPDX-License-Identifier: MIT
#include "jobs/base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void test_mending(void **state) {
    (void)state;
    static const struct {
        const char *text, *mended; // NULL: it cannot be mended
    } rows[] = {
        {"[NaN,-Infinity, Infinity ,+Infinity,-NaN,nan,inf]",
         "[null,null, null ,null,null,null,null]"},
        {"{\"NaN\":\"NaN \\\" -Infinity\",\"a\":NaN}",
         "{\"NaN\":\"NaN \\\" -Infinity\",\"a\":null}"},
        {"NaN", "null"},
        {"[1,-2,1e+5]", NULL}, // nothing to mend
        {"[NaN", NULL},
        {"[NaNa]", NULL},
        {"[\"NaN", NULL},
        {"[NaN,\"a\\", NULL},
        {"", NULL},
    };
    struct buf out = BUF_INIT(1000);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(json_mend_numbers(slice_str(rows[i].text), &out), rows[i].mended != NULL);
        if (rows[i].mended)
            assert_string_equal(buf_cstr(&out), rows[i].mended);
    }
    buf_free(&out);
    out = BUF_INIT(6);
    assert_false(json_mend_numbers(SLICE("[NaN,NaN]"), &out));
    buf_free(&out);
}

int main(void) {
    freopen("/dev/null", "w", stdout); // what failed goes to stderr
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mending)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
