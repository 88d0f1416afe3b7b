// Tests runner/simulate/dialect*.c: durations and error bodies.
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
    struct slice model = SLICE("\"gp\\u0074\"");
    dialect_openai.add_refusal(&out, &r, model);
    expect(&out,
           "{\"error\":{\"message\":\"Rate limit reached for gpt in organization org-simulate "
           "on requests per min (RPM): Limit 50, Used 50, Requested 1. Please try again in "
           "1.2s.\",\"type\":\"requests\",\"param\":null,\"code\":\"rate_limit_exceeded\"}}");
    dialect_anthropic.add_refusal(&out, &r, model);
    expect(&out, "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":"
                 "\"This request would exceed your organization's rate limit of 50 requests per "
                 "minute.\"},\"request_id\":\"req_simulated\"}");
    dialect_google.add_refusal(&out, &r, model);
    expect(&out,
           "{\"error\":{\"code\":429,\"message\":\"You exceeded your current quota, please check "
           "your plan and billing details. Please retry in 1.2s.\",\"status\":"
           "\"RESOURCE_EXHAUSTED\",\"details\":[{\"@type\":"
           "\"type.googleapis.com/google.rpc.QuotaFailure\",\"violations\":[{\"quotaMetric\":"
           "\"generativelanguage.googleapis.com/generate_content_free_tier_requests\",\"quotaId\":"
           "\"GenerateRequestsPerMinutePerProjectPerModel-FreeTier\",\"quotaDimensions\":{"
           "\"location\":\"global\",\"model\":\"gp\\u0074\"},\"quotaValue\":\"50\"}]},{\"@type\":"
           "\"type.googleapis.com/google.rpc.Help\",\"links\":[{\"description\":\"Learn more about "
           "Gemini API quotas\",\"url\":\"https://ai.google.dev/gemini-api/docs/rate-limits\"}]},{"
           "\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"2s\"}]}}");
    r = (struct refusal){LIMIT_TOKENS, 100, 0, 300, BUCKET_NEVER};
    dialect_openai.add_refusal(&out, &r, SLICE_NONE);
    expect(&out, "{\"error\":{\"message\":\"Request too large for  in organization org-simulate on "
                 "tokens per min (TPM): Limit 100, Requested 300.\",\"type\":\"tokens\",\"param\":"
                 "null,\"code\":\"rate_limit_exceeded\"}}");
    r.kind = LIMIT_CONCURRENCY;
    dialect_google.add_refusal(&out, &r, model);
    expect(&out, "{\"error\":{\"code\":429,\"message\":\"Resource has been exhausted (e.g. check "
                 "quota).\",\"status\":\"RESOURCE_EXHAUSTED\"}}");
}

static const struct dialect *const dialects[] = {&dialect_openai, &dialect_anthropic,
                                                 &dialect_google};

// Whatever the numbers and the model, it is JSON.
static void test_refusals_are_json(void **state) {
    (void)state;
    static const int64_t waits[] = {-1, 0, 1, 90000000, BUCKET_NEVER};
    char model[3000];
    for (size_t i = 0; i < sizeof model; i++)
        model[i] = i % 2 ? '\\' : 'n';
    model[0] = model[sizeof model - 1] = '"';
    struct slice models[] = {SLICE_NONE, SLICE("\"m\""), slice_of(model, sizeof model)};
    for (size_t d = 0; d < COUNT(dialects); d++)
        for (size_t w = 0; w < COUNT(waits); w++)
            for (size_t m = 0; m < COUNT(models); m++)
                for (int kind = LIMIT_NONE; kind <= LIMIT_CONCURRENCY; kind++) {
                    struct buf out = BUF_INIT(10000);
                    struct refusal r = {(enum limit_kind)kind, INT64_MAX, INT64_MAX, INT64_MAX,
                                        waits[w]};
                    dialects[d]->add_refusal(&out, &r, models[m]);
                    assert_true(json_check(buf_slice(&out), NULL));
                    buf_free(&out);
                }
}

static void test_errors(void **state) {
    (void)state;
    static const int statuses[COUNT(dialects)][PROBLEM_COUNT] = {
        {400, 400, 404, 405, 413, 401, 401, 500, 503},
        {400, 400, 404, 405, 413, 401, 401, 500, 529},
        {400, 400, 404, 404, 400, 403, 400, 500, 503},
    };
    for (size_t d = 0; d < COUNT(dialects); d++)
        for (int p = 0; p < PROBLEM_COUNT; p++) {
            struct buf out = BUF_INIT(10000);
            const struct dialect_words *words = &dialects[d]->words[p];
            struct slice message = SLICE("why \"\n\x01");
            int status = dialect_add_error(&out, dialects[d], (enum problem)p,
                                           words->message ? SLICE_NONE : message);
            assert_int_equal(status, statuses[d][p]);
            assert_true(json_check(buf_slice(&out), NULL));
            struct slice error = json_get(buf_slice(&out), "error");
            assert_true(json_string_is(json_get(error, "message"),
                                       words->message ? words->message : message.p));
            assert_non_null(strstr(buf_cstr(&out), words->type));
            buf_free(&out);
        }
}

static void test_key_errors(void **state) {
    (void)state;
    struct buf out = BUF_INIT(10000);
    char secret[] = "sk-proj-abcdefghijklmnopqrstuvwxyz";
    assert_int_equal(dialect_add_key_error(&out, &dialect_openai, slice_str(secret)), 401);
    assert_true(json_check(buf_slice(&out), NULL));
    assert_non_null(strstr(buf_cstr(&out), "sk-proj-**********************wxyz."));
    assert_non_null(strstr(buf_cstr(&out), "\"invalid_api_key\""));
    assert_null(strstr(buf_cstr(&out), "abcd"));
    buf_free(&out);
    dialect_add_key_error(&out, &dialect_openai, SLICE("short-secret-of-twenty"));
    assert_null(strstr(buf_cstr(&out), "short"));
    buf_free(&out);
    assert_int_equal(dialect_add_key_error(&out, &dialect_openai, SLICE_NONE), 401);
    assert_non_null(strstr(buf_cstr(&out), "\"code\":null"));
    buf_free(&out);
    dialect_add_key_error(&out, &dialect_openai,
                          SLICE("\xff\xfe\"\\\n\x01 0123456789 0123456789 012\xc3"));
    assert_true(json_check(buf_slice(&out), NULL));
    buf_free(&out);
    assert_int_equal(dialect_add_key_error(&out, &dialect_anthropic, slice_str(secret)), 401);
    expect(&out, "{\"type\":\"error\",\"error\":{\"type\":\"authentication_error\",\"message\":"
                 "\"invalid x-api-key\"},\"request_id\":\"req_simulated\"}");
    assert_int_equal(dialect_add_key_error(&out, &dialect_google, slice_str(secret)), 400);
    assert_non_null(strstr(buf_cstr(&out), "\"reason\":\"API_KEY_INVALID\""));
    buf_free(&out);
    assert_int_equal(dialect_add_key_error(&out, &dialect_google, SLICE_NONE), 403);
    buf_free(&out);
}

int main(void) {
    freopen("/dev/null", "w", stdout); // what failed goes to stderr
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations),         cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_refusals_are_json), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_key_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
