// Tests runner/simulate/dialect*.c: statuses and bodies of what is no limit.
// SPDX-License-Identifier: MIT
#include "runner/simulate/dialect.h"

#include "jobs/base/json.h"
#include "tests/unit/runner/simulate/chosen.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void test_statuses(void **state) {
    (void)state;
    static const struct {
        const char *dialect;
        int statuses[PROBLEM_COUNT];
    } rows[] = {
        // request json url method large nokey key server 503 busy money model forbidden
        {"openai", {400, 400, 404, 405, 413, 401, 401, 500, 503, 503, 429, 403, 403}},
        {"anthropic", {400, 400, 404, 405, 413, 401, 401, 500, 503, 529, 400, 404, 403}},
        {"google", {400, 400, 404, 404, 400, 403, 400, 500, 503, 503, 429, 404, 403}},
        {"groq", {400, 400, 404, 405, 413, 401, 401, 500, 503, 498, 400, 404, 403}},
        {"mistral", {422, 422, 404, 405, 413, 401, 401, 500, 503, 429, 402, 400, 403}},
        {"nvidia", {400, 400, 404, 405, 413, 401, 403, 500, 503, 503, 402, 404, 403}},
        {"zai", {400, 400, 404, 405, 413, 401, 401, 500, 503, 429, 429, 429, 403}},
        {"bigmodel", {400, 400, 404, 405, 413, 401, 401, 500, 503, 429, 429, 429, 403}},
        {"k2think", {400, 400, 404, 405, 413, 401, 401, 500, 503, 503, 402, 404, 403}},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int p = 0; p < PROBLEM_COUNT; p++) {
            struct buf out = BUF_INIT(10000);
            struct problem_about about = {.message = SLICE_NONE};
            int status = dialect_add_error(&out, chosen(rows[i].dialect), (enum problem)p, &about);
            assert_int_equal(status, rows[i].statuses[p]);
            assert_true(json_check(buf_slice(&out), NULL));
            buf_free(&out);
        }
}

#define MISTRAL(message, type, code, status)                                                       \
    "{\"object\":\"error\",\"message\":" message ",\"type\":\"" type                               \
    "\",\"param\":null,\"code\":" code ",\"raw_status_code\":" status "}"

static const struct {
    const char *dialect;
    enum problem problem;
    const char *body;
} bodies[] = {
    {"openai", PROBLEM_KEY,
     "{\"error\":{\"message\":\"Incorrect API key provided: sk-proj-**********************wxyz. "
     "The keys "
     "of this simulator are those `batch-run simulate --write-keys FILE` writes.\",\"type\":"
     "\"invalid_request_error\",\"param\":null,\"code\":\"invalid_api_key\"}}"},
    {"openai", PROBLEM_MONEY,
     "{\"error\":{\"message\":\"You exceeded your current quota, please check your plan and "
     "billing "
     "details.\",\"type\":\"insufficient_quota\",\"param\":null,\"code\":"
     "\"credit_balance_exhausted\"}}"},
    {"openai", PROBLEM_MODEL,
     "{\"error\":{\"message\":\"Project `proj_simulate` does not have access to model `m\\\"1`\","
     "\"type\":\"invalid_request_error\",\"param\":null,\"code\":\"model_not_found\"}}"},
    {"anthropic", PROBLEM_KEY,
     "{\"type\":\"error\",\"error\":{\"type\":\"authentication_error\",\"message\":\"invalid "
     "x-api-key\"},\"request_id\":\"req_simulated\"}"},
    {"anthropic", PROBLEM_MONEY,
     "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"Your credit "
     "balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or "
     "purchase credits.\"},\"request_id\":\"req_simulated\"}"},
    {"anthropic", PROBLEM_OVERLOADED,
     "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"},"
     "\"request_id\":\"req_simulated\"}"},
    {"google", PROBLEM_KEY,
     "{\"error\":{\"code\":400,\"message\":\"API key not valid. Please pass a valid API key.\","
     "\"status\":\"INVALID_ARGUMENT\",\"details\":[{\"@type\":"
     "\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"API_KEY_INVALID\",\"domain\":"
     "\"googleapis.com\",\"metadata\":{\"service\":\"generativelanguage.googleapis.com\"}}]}}"},
    {"google", PROBLEM_OVERLOADED,
     "{\"error\":{\"code\":503,\"message\":\"The model is overloaded. Please try again later.\","
     "\"status\":\"UNAVAILABLE\"}}"},
    {"groq", PROBLEM_KEY,
     "{\"error\":{\"message\":\"Invalid API Key\",\"type\":\"invalid_request_error\",\"code\":"
     "\"invalid_api_key\"}}"},
    {"groq", PROBLEM_SERVER,
     "{\"error\":{\"message\":\"Internal Server Error\",\"type\":\"internal_server_error\"}}"},
    {"mistral", PROBLEM_KEY, "{\"detail\":\"Unauthorized\"}"},
    {"mistral", PROBLEM_MODEL,
     MISTRAL("\"Invalid model: m\\\"1\"", "invalid_model", "\"1500\"", "400")},
    {"mistral", PROBLEM_JSON,
     MISTRAL("{\"detail\":[{\"type\":\"value_error\",\"loc\":[\"body\"],\"msg\":\"JSON decode "
             "error\"}]}",
             "invalid_request_error", "null", "422")},
    {"nvidia", PROBLEM_KEY,
     "{\"status\":403,\"title\":\"Forbidden\",\"detail\":\"Authorization failed\"}"},
    {"nvidia", PROBLEM_MODEL,
     "{\"status\":404,\"title\":\"Not Found\",\"detail\":\"Function 'm\\\"1': Not found for "
     "account "
     "'simulate'\"}"},
    {"nvidia", PROBLEM_UNAVAILABLE, "{\"status\":503,\"title\":\"Service Unavailable\"}"},
    {"zai", PROBLEM_KEY, "{\"error\":{\"code\":\"1000\",\"message\":\"Authentication Failed\"}}"},
    {"zai", PROBLEM_MONEY,
     "{\"error\":{\"code\":\"1113\",\"message\":\"Insufficient balance or no resource package. "
     "Please "
     "recharge.\"}}"},
    {"bigmodel", PROBLEM_MONEY,
     "{\"error\":{\"code\":\"1113\",\"message\":\"余额不足或无可用资源包,请充值。\"}}"},
    {"bigmodel", PROBLEM_OVERLOADED,
     "{\"error\":{\"code\":\"1305\",\"message\":\"该模型当前访问量过大，请您稍后再试\"}}"},
    {"k2think", PROBLEM_KEY,
     "{\"detail\":\"Your session has expired or the token is invalid. Please sign in again.\"}"},
};

static void test_bodies(void **state) {
    (void)state;
    static const char secret[] = "sk-proj-abcdefghijklmnopqrstuvwxyz";
    struct problem_about about = {.model = SLICE("\"m\\\"1\""), .key = slice_str(secret)};
    for (size_t i = 0; i < COUNT(bodies); i++) {
        struct buf out = BUF_INIT(10000);
        dialect_add_error(&out, chosen(bodies[i].dialect), bodies[i].problem, &about);
        assert_string_equal(buf_cstr(&out), bodies[i].body);
        buf_free(&out);
    }
    struct buf out = BUF_INIT(10000); // Google echoes a suspended key
    dialect_add_error(&out, &dialect_google, PROBLEM_FORBIDDEN, &about);
    assert_non_null(strstr(buf_cstr(&out), secret));
    buf_clear(&out);
    dialect_add_error(&out, &dialect_google_openai, PROBLEM_KEY, &about);
    assert_true(out.p[0] == '[' && json_check(buf_slice(&out), NULL));
    buf_free(&out);
}

// A message of the caller's own, and keys and models of any bytes and lengths.
static void test_any_words(void **state) {
    (void)state;
    static const char key[] = "\xff\xfe\"\\\n\x01 0123456789 0123456789 012\xc3";
    static char longer[5000], token[5002];
    memset(longer, 'k', sizeof longer - 1);
    memset(token, 'm', sizeof token - 1);
    token[0] = token[sizeof token - 2] = '"';
    const char *const texts[] = {key, longer, "short", ""};
    for (int d = 1; dialect_choices[d]; d++)
        for (int p = 0; p < PROBLEM_COUNT; p++)
            for (size_t i = 0; i < COUNT(texts); i++) {
                struct buf out = BUF_INIT(20000);
                struct problem_about about = {i % 2 ? SLICE("why \"\n\x01") : SLICE_NONE,
                                              slice_str(token), slice_str(texts[i])};
                dialect_add_error(&out, dialect_chosen(d), (enum problem)p, &about);
                assert_true(json_check(buf_slice(&out), NULL));
                assert_true(!about.message.n || strstr(buf_cstr(&out), "why \\\"\\n"));
                buf_free(&out);
            }
    struct buf out = BUF_INIT(10000);
    struct problem_about about = {.key = SLICE("short-secret-of-twenty")};
    dialect_add_error(&out, &dialect_openai, PROBLEM_KEY, &about);
    assert_null(strstr(buf_cstr(&out), "short"));
    buf_free(&out);
}

int main(void) {
    freopen("/dev/null", "w", stdout); // what failed goes to stderr
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_any_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
