// Tests runner/simulate/dialect.c: durations and error bodies.
// SPDX-License-Identifier: MIT
#include "runner/simulate/dialect.h"

#include "jobs/base/json.h"
#include "runner/simulate/bucket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void test_durations(void **state) {
    (void)state;
    static const struct {
        int64_t usec;
        const char *text;
    } rows[] = {
        {0, "0s"},
        {1, "1ms"},
        {12000, "12ms"},
        {12001, "13ms"},
        {999001, "1s"},
        {1200000, "1.2s"},
        {7660000, "7.66s"},
        {1005000, "1.005s"},
        {60000000, "1m0s"},
        {360000000, "6m0s"},
        {179560000, "2m59.56s"},
        {3600000000, "1h0m0s"},
        {3723050000, "1h2m3.05s"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = BUF_INIT(100);
        dialect_add_duration(&out, rows[i].usec);
        assert_string_equal(buf_cstr(&out), rows[i].text);
        buf_free(&out);
    }
}

static void expect(struct buf *out, const char *body) {
    assert_string_equal(buf_cstr(out), body);
    assert_true(json_check(buf_slice(out), NULL));
    buf_free(out);
}

static void test_refusals(void **state) {
    (void)state;
    struct buf out = BUF_INIT(10000);
    struct refusal r = {LIMIT_REQUESTS, 50, 50, 1, 1200000};
    dialect_add_refusal(&out, &r, SLICE("\"gp\\u0074\""));
    expect(&out,
           "{\"error\":{\"message\":\"Rate limit reached for gpt in organization org-simulate "
           "on requests per min (RPM): Limit 50, Used 50, Requested 1. Please try again in "
           "1.2s.\",\"type\":\"requests\",\"param\":null,\"code\":\"rate_limit_exceeded\"}}");
    r = (struct refusal){LIMIT_TOKENS, 100, 0, 300, BUCKET_NEVER};
    dialect_add_refusal(&out, &r, SLICE_NONE);
    expect(&out, "{\"error\":{\"message\":\"Request too large for  in organization org-simulate on "
                 "tokens per min (TPM): Limit 100, Requested 300.\",\"type\":\"tokens\",\"param\":"
                 "null,\"code\":\"rate_limit_exceeded\"}}");
    char model[3000];
    memset(model, '\x01', sizeof model);
    model[0] = model[sizeof model - 1] = '"';
    r = (struct refusal){LIMIT_CONCURRENCY, INT64_MAX, INT64_MAX, INT64_MAX, -1};
    dialect_add_refusal(&out, &r, slice_of(model, sizeof model));
    assert_true(json_check(buf_slice(&out), NULL));
    buf_free(&out);
}

static void test_key_errors(void **state) {
    (void)state;
    struct buf out = BUF_INIT(10000);
    char secret[] = "sk-proj-abcdefghijklmnopqrstuvwxyz";
    dialect_add_key_error(&out, slice_str(secret));
    assert_true(json_check(buf_slice(&out), NULL));
    assert_non_null(strstr(buf_cstr(&out), "sk-proj-**********************wxyz."));
    assert_non_null(strstr(buf_cstr(&out), "\"invalid_api_key\""));
    assert_null(strstr(buf_cstr(&out), "abcd"));
    buf_free(&out);
    dialect_add_key_error(&out, SLICE("short-secret-of-twenty"));
    assert_null(strstr(buf_cstr(&out), "short"));
    buf_free(&out);
    dialect_add_key_error(&out, SLICE_NONE);
    assert_non_null(strstr(buf_cstr(&out), "\"code\":null"));
    buf_free(&out);
    dialect_add_key_error(&out, SLICE("\xff\xfe\"\\\n\x01 0123456789 0123456789 012\xc3"));
    assert_true(json_check(buf_slice(&out), NULL));
    buf_free(&out);
}

int main(void) {
    freopen("/dev/null", "w", stdout); // what failed goes to stderr
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_key_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
