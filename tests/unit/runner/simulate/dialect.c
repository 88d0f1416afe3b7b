// Tests runner/simulate/dialect*.c: limits, in bodies and headers. Other errors: dialect_errors.c.
// SPDX-License-Identifier: MIT
#include "runner/simulate/dialect.h"

#include "jobs/base/json.h"
#include "pool/catalogue.h"
#include "runner/simulate/bucket.h"
#include "tests/unit/runner/simulate/chosen.h"

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

#define SECOND INT64_C(1000000)

static void expect(struct buf *out, const char *body) {
    assert_string_equal(buf_cstr(out), body);
    assert_true(json_check(buf_slice(out), NULL));
    buf_free(out);
}

// Every provider of the catalogue before the simulator has its dialect, and there is no other.
static void test_choices(void **state) {
    (void)state;
    assert_string_equal(dialect_choices[0], "path");
    assert_null(dialect_chosen(0));
    int count = 0;
    for (const struct provider *p = catalogue; strcmp(p->name, "simulate") != 0; p++, count++)
        assert_string_equal(chosen(p->name)->name, p->name);
    while (dialect_choices[count + 1])
        fail_msg("%s is no provider", dialect_choices[count + 1]);
}

// -- limits --

#define REQUESTS                                                                                   \
    { LIMIT_REQUESTS, 50, 50, 1, 1200000, false }
#define TOKENS                                                                                     \
    { LIMIT_TOKENS, 15000, 11972, 4351, 5289000, false }
#define TOO_MANY                                                                                   \
    { LIMIT_TOKENS, 100, 0, 300, BUCKET_NEVER, false }
#define AT_ONCE                                                                                    \
    { LIMIT_CONCURRENCY, 4, 4, 1, -1, false }
#define DAY                                                                                        \
    { LIMIT_DAY, 1000, 1000, 1, 86400000, false }
#define UNTOLD                                                                                     \
    { LIMIT_REQUESTS, 50, 50, 1, -1, true }

#define GROQ_REACHED                                                                               \
    "{\"error\":{\"message\":\"Rate limit reached for model `gpt` in organization "                \
    "`org_simulate` service tier `on_demand` on "
#define GROQ_MORE                                                                                  \
    " Need more tokens? Upgrade to Dev Tier today at "                                             \
    "https://console.groq.com/settings/billing\""
#define QUOTA_FAILURE                                                                              \
    "\"status\":\"RESOURCE_EXHAUSTED\",\"details\":[{\"@type\":"                                   \
    "\"type.googleapis.com/google.rpc.QuotaFailure\",\"violations\":[{\"quotaMetric\":"            \
    "\"generativelanguage.googleapis.com/generate_content_free_tier_"
#define DIMENSIONS "\"quotaDimensions\":{\"location\":\"global\",\"model\":\"gp\\u0074\"},"
#define HELP                                                                                       \
    "{\"@type\":\"type.googleapis.com/google.rpc.Help\",\"links\":[{\"description\":\"Learn more " \
    "about "                                                                                       \
    "Gemini API quotas\",\"url\":\"https://ai.google.dev/gemini-api/docs/rate-limits\"}]}"
#define RETRY_INFO "{\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":"
#define EXCEEDED                                                                                   \
    "{\"error\":{\"code\":429,\"message\":\"You exceeded your current quota, please check your "   \
    "plan and "                                                                                    \
    "billing details."
#define EXHAUSTED                                                                                  \
    "{\"error\":{\"code\":429,\"message\":\"Resource has been exhausted (e.g. check quota).\","    \
    "\"status\":\"RESOURCE_EXHAUSTED\"}}"
#define EXCEEDS                                                                                    \
    "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"This request "     \
    "would "                                                                                       \
    "exceed your organization's rate limit"
#define MISTRAL_429                                                                                \
    "{\"object\":\"error\",\"message\":\"Rate limit "                                              \
    "exceeded\",\"type\":\"rate_limited\",\"param\":null,"                                         \
    "\"code\":\"1300\",\"raw_status_code\":429}"
#define NVIDIA_429 "{\"status\":429,\"title\":\"Too Many Requests\"}"
#define WEBUI_429  "{\"detail\":\"API rate limit exceeded\"}"

static const struct {
    const char *dialect;
    struct refusal refusal;
    int status;
    const char *body;
} refusals[] = {
    {"openai", REQUESTS, 429,
     "{\"error\":{\"message\":\"Rate limit reached for gpt in organization org-simulate on "
     "requests per "
     "min (RPM): Limit 50, Used 50, Requested 1. Please try again in 1.2s.\",\"type\":\"requests\","
     "\"param\":null,\"code\":\"rate_limit_exceeded\"}}"},
    {"openai", TOO_MANY, 429,
     "{\"error\":{\"message\":\"Request too large for gpt in organization org-simulate on tokens "
     "per "
     "min (TPM): Limit 100, Requested 300.\",\"type\":\"tokens\",\"param\":null,\"code\":"
     "\"rate_limit_exceeded\"}}"},
    {"openai", DAY, 429,
     "{\"error\":{\"message\":\"Rate limit reached for gpt in organization org-simulate on "
     "requests per "
     "day (RPD): Limit 1000, Used 1000, Requested 1. Please try again in 1m26.4s.\",\"type\":"
     "\"requests\",\"param\":null,\"code\":\"rate_limit_exceeded\"}}"},
    {"openai", UNTOLD, 429,
     "{\"error\":{\"message\":\"Rate limit reached for gpt.\",\"type\":\"requests\",\"param\":null,"
     "\"code\":\"rate_limit_exceeded\"}}"},
    {"anthropic", REQUESTS, 429,
     EXCEEDS " of 50 requests per minute.\"},\"request_id\":\"req_simulated\"}"},
    {"anthropic", AT_ONCE, 429,
     EXCEEDS " of 4 concurrent connections.\"},\"request_id\":\"req_simulated\"}"},
    {"anthropic", UNTOLD, 429, EXCEEDS ".\"},\"request_id\":\"req_simulated\"}"},
    {"google", REQUESTS, 429,
     EXCEEDED " Please retry in 1.2s.\"," QUOTA_FAILURE "requests\",\"quotaId\":"
              "\"GenerateRequestsPerMinutePerProjectPerModel-FreeTier\"," DIMENSIONS
              "\"quotaValue\":\"50\"}]}," HELP "," RETRY_INFO "\"2s\"}]}}"},
    {"google", TOKENS, 429,
     EXCEEDED " Please retry in 5.289s.\"," QUOTA_FAILURE "input_token_count\",\"quotaId\":"
              "\"GenerateContentInputTokensPerModelPerMinute-FreeTier\"," DIMENSIONS
              "\"quotaValue\":\"15000\"}]}," HELP "," RETRY_INFO "\"6s\"}]}}"},
    {"google", DAY, 429, // the wait is told short: see dialect_told_wait()
     EXCEEDED " Please retry in 36s.\"," QUOTA_FAILURE "requests\",\"quotaId\":"
              "\"GenerateRequestsPerDayPerProjectPerModel-FreeTier\"," DIMENSIONS
              "\"quotaValue\":\"1000\"}]}," HELP "," RETRY_INFO "\"36s\"}]}}"},
    {"google", AT_ONCE, 429, EXHAUSTED},
    {"google", UNTOLD, 429, EXHAUSTED},
    {"groq", TOKENS, 429,
     GROQ_REACHED
     "tokens per minute (TPM): Limit 15000, Used 11972, Requested 4351. Please try again in "
     "5.289s." GROQ_MORE ",\"type\":\"tokens\",\"code\":\"rate_limit_exceeded\"}}"},
    {"groq", DAY, 429,
     GROQ_REACHED "requests per day (RPD): Limit 1000, Used 1000, Requested 1. Please try again in "
                  "1m26.4s." GROQ_MORE ",\"type\":\"requests\",\"code\":\"rate_limit_exceeded\"}}"},
    {"groq", TOO_MANY, 413,
     "{\"error\":{\"message\":\"Request too large for model `gpt` in organization `org_simulate` "
     "service "
     "tier `on_demand` on tokens per minute (TPM): Limit 100, Requested 300, please reduce your "
     "message "
     "size and try again." GROQ_MORE ",\"type\":\"tokens\",\"code\":\"rate_limit_exceeded\"}}"},
    {"groq", UNTOLD, 429,
     "{\"error\":{\"message\":\"Rate limit reached for model `gpt`." GROQ_MORE
     ",\"type\":\"requests\",\"code\":\"rate_limit_exceeded\"}}"},
    {"mistral", REQUESTS, 429, MISTRAL_429},
    {"mistral", DAY, 429, MISTRAL_429},
    {"nvidia", REQUESTS, 429, NVIDIA_429},
    {"nvidia", TOKENS, 429, NVIDIA_429},
    {"zai", REQUESTS, 429,
     "{\"error\":{\"code\":\"1303\",\"message\":\"High frequency usage of this API, please reduce "
     "frequency\"}}"},
    {"zai", AT_ONCE, 429,
     "{\"error\":{\"code\":\"1302\",\"message\":\"High concurrency usage of this API, please "
     "reduce "
     "concurrency or contact customer service to increase limits\"}}"},
    {"zai", DAY, 429,
     "{\"error\":{\"code\":\"1304\",\"message\":\"Daily call limit for this API reached\"}}"},
    {"bigmodel", TOKENS, 429,
     "{\"error\":{\"code\":\"1303\",\"message\":\"您当前使用该API的频率过高，请降低频率\"}}"},
    {"bigmodel", DAY, 429,
     "{\"error\":{\"code\":\"1304\",\"message\":\"该API已达今日调用次数限额\"}}"},
    {"k2think", REQUESTS, 429, WEBUI_429},
    {"k2think", AT_ONCE, 429, WEBUI_429},
};

// A refusal with what the dialect tells of its wait, as an answer has it.
static int add_refusal(struct buf *out, const struct dialect *d, struct refusal r,
                       struct slice model) {
    r.wait = dialect_told_wait(d, &r);
    return d->add_refusal(out, &r, model);
}

static void test_refusals(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct buf out = BUF_INIT(10000);
        const struct dialect *d = chosen(refusals[i].dialect);
        int status = add_refusal(&out, d, refusals[i].refusal, SLICE("\"gp\\u0074\""));
        assert_int_equal(status, refusals[i].status);
        expect(&out, refusals[i].body);
    }
    struct buf plain = BUF_INIT(10000), array = BUF_INIT(10000);
    struct refusal r = REQUESTS; // on OpenAI's wire Google says the same in an array
    add_refusal(&plain, &dialect_google, r, SLICE_NONE);
    add_refusal(&array, dialect_google.on_openai, r, SLICE_NONE);
    assert_int_equal(array.n, plain.n + 2);
    assert_memory_equal(array.p + 1, plain.p, plain.n);
    assert_true(array.p[0] == '[' && array.p[array.n - 1] == ']');
    buf_free(&plain);
    buf_free(&array);
}

// Whatever the numbers and the model, it is JSON.
static void test_refusals_are_json(void **state) {
    (void)state;
    static const int64_t waits[] = {-1, 0, 1, 90000000, BUCKET_NEVER};
    char model[3000];
    for (size_t i = 0; i < sizeof model; i++)
        model[i] = i % 2 ? '\\' : 'n';
    model[0] = model[sizeof model - 1] = '"';
    struct slice models[] = {SLICE_NONE, SLICE("\"m\""), slice_of(model, sizeof model)};
    for (int d = 1; dialect_choices[d]; d++)
        for (size_t w = 0; w < COUNT(waits) * 2; w++)
            for (size_t m = 0; m < COUNT(models); m++)
                for (int kind = LIMIT_NONE; kind < LIMIT_COUNT; kind++) {
                    struct buf out = BUF_INIT(10000);
                    struct refusal r = {(enum limit_kind)kind, INT64_MAX, INT64_MAX, INT64_MAX,
                                        waits[w / 2],          w % 2};
                    dialect_chosen(d)->add_refusal(&out, &r, models[m]);
                    assert_true(json_check(buf_slice(&out), NULL));
                    buf_free(&out);
                }
}

static void test_told_waits(void **state) {
    (void)state;
    static const struct {
        const char *dialect;
        int64_t minute, day; // what is told of 50 seconds, and of 10 hours
    } rows[] = {
        {"openai", 50, 36000}, {"anthropic", 50, 36000}, {"google", 50, 36},
        {"groq", 50, 36000},   {"mistral", 50, 36000},   {"nvidia", -1, -1},
        {"zai", -1, -1},       {"bigmodel", -1, -1},     {"k2think", -1, -1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct dialect *d = chosen(rows[i].dialect);
        int64_t unit = rows[i].minute < 0 ? 1 : SECOND;
        struct refusal r = {LIMIT_REQUESTS, 1, 1, 1, 50 * SECOND, false};
        assert_int_equal(dialect_told_wait(d, &r), rows[i].minute * unit);
        r = (struct refusal){LIMIT_DAY, 1, 1, 1, 36000 * SECOND, false};
        assert_int_equal(dialect_told_wait(d, &r), rows[i].day * unit);
        r.silent = true;
        assert_int_equal(dialect_told_wait(d, &r), -1);
        r.wait = BUCKET_NEVER;
        assert_int_equal(dialect_told_wait(d, &r), BUCKET_NEVER);
    }
}

// -- headers --

// As lines, so that one table says it all.
static void write_headers(const struct dialect *d, int64_t wait, struct buf *out) {
    static const struct allowance allowances[LIMIT_COUNT] = {
        [LIMIT_REQUESTS] = {60, 59, 1000000},
        [LIMIT_TOKENS] = {150000, 149984, 360000000},
        [LIMIT_DAY] = {14400, 14370, 179560000},
    };
    struct announcement announcement = {allowances, 52, INT64_C(1761393599250000)};
    struct header_list list = {.count = 0};
    dialect_add_limits(d, &announcement, &list);
    dialect_add_wait(d, wait, &list);
    for (int i = 0; i < list.count; i++)
        buf_addf(out, "%s: %s\n", list.header[i].name, list.header[i].value);
}

static void test_headers(void **state) {
    (void)state;
    static const struct {
        const char *dialect, *lines;
    } rows[] = {
        {"openai", "x-ratelimit-limit-requests: 60\nx-ratelimit-remaining-requests: 59\n"
                   "x-ratelimit-reset-requests: 1s\nx-ratelimit-limit-tokens: 150000\n"
                   "x-ratelimit-remaining-tokens: 149984\nx-ratelimit-reset-tokens: 6m0s\n"
                   "retry-after: 2\nretry-after-ms: 1201\n"},
        {"anthropic", "anthropic-ratelimit-requests-limit: 60\n"
                      "anthropic-ratelimit-requests-remaining: 59\n"
                      "anthropic-ratelimit-requests-reset: 2025-10-25T12:00:01Z\n"
                      "anthropic-ratelimit-tokens-limit: 150000\n"
                      "anthropic-ratelimit-tokens-remaining: 149984\n"
                      "anthropic-ratelimit-tokens-reset: 2025-10-25T12:06:00Z\nretry-after: 2\n"},
        {"groq", "x-ratelimit-limit-requests: 14400\nx-ratelimit-remaining-requests: 14370\n"
                 "x-ratelimit-reset-requests: 2m59.56s\nx-ratelimit-limit-tokens: 150000\n"
                 "x-ratelimit-remaining-tokens: 149984\nx-ratelimit-reset-tokens: 6m0s\n"
                 "retry-after: 2\n"},
        {"mistral", "x-ratelimit-limit-req-minute: 60\nx-ratelimit-remaining-req-minute: 59\n"
                    "x-ratelimit-limit-tokens-minute: 150000\n"
                    "x-ratelimit-remaining-tokens-minute: 149984\n"
                    "x-ratelimit-tokens-query-cost: 52\nretry-after: 2\n"},
        {"google", ""},
        {"nvidia", ""},
        {"bigmodel", ""},
        {"zai", ""},
        {"k2think", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = BUF_INIT(10000);
        write_headers(chosen(rows[i].dialect), 1200001, &out);
        assert_string_equal(buf_cstr(&out), rows[i].lines);
        buf_free(&out);
    }
    struct buf out = BUF_INIT(10000);
    write_headers(&dialect_google_openai, 1200001, &out);
    assert_string_equal(buf_cstr(&out), "");
    buf_free(&out);
}

// Limits that are not set are not told; a wait that is none is not either.
static void test_no_headers(void **state) {
    (void)state;
    static const struct allowance none[LIMIT_COUNT];
    struct announcement announcement = {none, 52, 0};
    struct header_list list = {.count = 0};
    for (int d = 1; dialect_choices[d]; d++) {
        dialect_add_limits(dialect_chosen(d), &announcement, &list);
        dialect_add_wait(dialect_chosen(d), -1, &list);
        dialect_add_wait(dialect_chosen(d), BUCKET_NEVER, &list);
    }
    assert_int_equal(list.count, 0);
}

int main(void) {
    freopen("/dev/null", "w", stdout); // what failed goes to stderr
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations),  cmocka_unit_test(test_choices),
        cmocka_unit_test(test_refusals),   cmocka_unit_test(test_refusals_are_json),
        cmocka_unit_test(test_told_waits), cmocka_unit_test(test_headers),
        cmocka_unit_test(test_no_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
