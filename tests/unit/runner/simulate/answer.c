// Tests runner/simulate/answer.c: what is said to whom, on a virtual clock and without a socket.
// SPDX-License-Identifier: MIT
#include "runner/simulate/answer.h"

#include "jobs/base/json.h"
#include "pool/wire/wire.h"
#include "tests/unit/runner/simulate/rig.h"

static void test_routes(void **state) {
    (void)state;
    struct rig rig;
    rig_start(&rig, &(struct simulate_options){.keys = 3, .dead_key = "2"});
    static const struct {
        const char *method, *path, *body;
        int key, status;
        int64_t settled_key;
    } rows[] = {
        {"POST", "/v1/chat/completions", CHAT("a"), 1, 200, 1},
        {"POST", "/chat/completions", CHAT("a"), 1, 200, 1},
        {"POST", "/v1/chat/completions", CHAT("a"), 2, 401, 2},
        {"POST", "/v1/chat/completions", CHAT("a"), 4, 401, 0},
        {"POST", "/v1/chat/completions", "{\"model\":", 1, 400, 1},
        {"POST", "/v1/chat/completions", "", 1, 400, 1},
        {"POST", "/v1/chat/completions", "{}", 1, 400, 1},
        {"POST", "/v1/nothing", "{}", 1, 404, 1},
        {"GET", "/v1/nothing", "", 1, 404, 0},
        {"GET", "/v1/models", "", 1, 200, 0},
        {"GET", "/models", "", 9, 401, 0},
        {"GET", "/v1/chat/completions", "", 1, 405, 0},
        {"GET", "/stats", "", 9, 200, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int status = ask(&rig, rows[i].key, rows[i].method, rows[i].path, rows[i].body);
        assert_int_equal(status, rows[i].status);
        assert_int_equal(rig.answer.key, rows[i].settled_key);
        assert_true(json_check(buf_slice(&rig.out), NULL));
    }
    int64_t requests, unknown;
    assert_true(json_int(json_get(buf_slice(&rig.out), "requests"), &requests));
    assert_true(json_int(json_get(buf_slice(&rig.out), "unknown_key"), &unknown));
    assert_int_equal(requests, 7);
    assert_int_equal(unknown, 1);
    rig_stop(&rig);
}

static struct slice text_of(struct rig *rig, struct reply *reply) {
    static char memory[1000];
    struct buf scratch = {.p = memory, .cap = sizeof memory, .max = sizeof memory};
    const char *what;
    assert_int_equal(wire_openai.read_reply(buf_slice(&rig->out), &scratch, reply, &what), WIRE_OK);
    return reply->text;
}

static void test_echo(void **state) {
    (void)state;
    struct rig rig;
    struct reply reply;
    rig_start(&rig, &(struct simulate_options){0});
    assert_int_equal(chat(&rig, 3, CHAT("a\\u0000\\ud83d\\ude00 b")), 200);
    assert_true(slice_is(text_of(&rig, &reply), "\"a\\u0000\\ud83d\\ude00 b\""));
    assert_true(slice_is(reply.model, "\"m\""));
    assert_int_equal(reply.usage.input_tokens, 6); // 21 bytes
    assert_int_equal(reply.usage.output_tokens, 6);
    assert_int_equal(rig.answer.settlement.output_tokens, 6);
    assert_int_equal(chat(&rig, 1, "{\"model\":\"m\",\"messages\":[{\"role\":\"system\"}]}"), 200);
    assert_true(slice_is(text_of(&rig, &reply), "\"\""));
    rig_stop(&rig);
}

// A key remembers the system prompts it was asked with; the others do not.
static void test_prompt_cache(void **state) {
    (void)state;
    struct rig rig;
    struct reply reply;
    rig_start(&rig, &(struct simulate_options){.prompt_cache = true});
    static const struct {
        int key;
        const char *system, *user;
        int64_t input, cached;
    } rows[] = {
        {1, "twelve bytes", "four", 4, 0},
        {1, "twelve bytes", "more text", 6, 3},
        {2, "twelve bytes", "four", 4, 0},
        {1, "twelve BYTES", "four", 4, 0},
        {2, "twelve bytes", "four", 4, 3},
        {1, "", "four", 1, 0},
        {1, "", "four", 1, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char body[300];
        snprintf(body, sizeof body,
                 "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"%s\"},"
                 "{\"role\":\"user\",\"content\":\"%s\"}]}",
                 rows[i].system, rows[i].user);
        assert_int_equal(chat(&rig, rows[i].key, body), 200);
        text_of(&rig, &reply);
        assert_int_equal(reply.usage.input_tokens, rows[i].input);
        assert_int_equal(reply.usage.cached_tokens, rows[i].cached);
    }
    rig_stop(&rig);
}

static void test_words(void **state) {
    (void)state;
    struct rig rig, other;
    struct reply reply, again;
    rig_start(&rig, &(struct simulate_options){.reply = "words:50", .seed = 3});
    rig_start(&other, &(struct simulate_options){.reply = "words:50", .seed = 4});
    chat(&rig, 1, CHAT("a"));
    struct slice text = text_of(&rig, &reply);
    size_t spaces = 0;
    for (size_t i = 0; i < text.n; i++)
        spaces += text.p[i] == ' ';
    assert_int_equal(spaces, 49);
    assert_true(slice_is(reply.finish_reason, "\"stop\""));
    struct buf first = BUF_INIT(MAX);
    buf_add_slice(&first, text);
    chat(&rig, 2, CHAT("a")); // the same question, the same words
    assert_true(slice_eq(text_of(&rig, &again), buf_slice(&first)));
    chat(&rig, 1, CHAT("b"));
    assert_false(slice_eq(text_of(&rig, &again), buf_slice(&first)));
    chat(&other, 1, CHAT("a"));
    assert_false(slice_eq(text_of(&other, &again), buf_slice(&first)));
    chat(&rig, 1, "{\"model\":\"m\",\"max_tokens\":5,\"messages\":[{\"role\":\"user\"}]}");
    assert_true(text_of(&rig, &reply).n <= 22);
    assert_true(slice_is(reply.finish_reason, "\"length\""));
    buf_free(&first);
    rig_stop(&rig);
    rig_stop(&other);
}

static void test_stream(void **state) {
    (void)state;
    struct rig rig;
    rig_start(&rig, &(struct simulate_options){.latency = "100ms"});
    chat(&rig, 1,
         "{\"stream\":true,\"stream_options\":{\"include_usage\":true},\"model\":\"m\","
         "\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}");
    assert_int_equal(rig.answer.manner, SEND_STREAM);
    assert_int_equal(rig.answer.delay, 25000);
    assert_int_equal(rig.answer.spread, 75000);
    assert_int_equal(rig.answer.settlement.output_tokens, 2);
    assert_non_null(memmem(rig.out.p, rig.out.n, "data: [DONE]", 12));
    chat(&rig, 1, "{\"stream\":true,\"model\":\"m\",\"messages\":[{\"role\":\"user\"}]}");
    assert_int_equal(rig.answer.settlement.input_tokens, 0); // the client is told none
    rig_stop(&rig);
    rig_start(&rig, &(struct simulate_options){.latency = "100ms", .fault = "500=1"});
    chat(&rig, 1, "{\"stream\":true,\"model\":\"m\",\"messages\":[{\"role\":\"user\"}]}");
    assert_int_equal(rig.answer.manner, SEND_WHOLE); // an error is no stream
    assert_int_equal(rig.answer.delay, 100000);
    assert_int_equal(rig.answer.spread, 0);
    rig_stop(&rig);
}

// The status of the k-th attempt of each row is the same whatever the order and the key.
static void test_reproducible(void **state) {
    (void)state;
    static int fates[200][3], latencies[200][3];
    struct simulate_options options = {
        .fault = "500=30%,503=20%", .latency = "uniform:1ms-100ms", .seed = 11};
    struct rig rig;
    int differ = 0, failed = 0;
    for (int run = 0; run < 2; run++) {
        rig_start(&rig, &options);
        for (int attempt = 0; attempt < 3; attempt++)
            for (int i = 0; i < 200; i++) {
                int row = run ? 199 - i : i;
                char body[200];
                snprintf(body, sizeof body, CHAT("row %d"), row);
                int status = chat(&rig, 1 + (run ? row % 3 : 0), body);
                if (!run) {
                    fates[row][attempt] = status;
                    latencies[row][attempt] = (int)rig.answer.delay;
                    failed += status != 200;
                    differ += attempt && status != fates[row][0];
                } else {
                    assert_int_equal(status, fates[row][attempt]);
                    assert_int_equal(rig.answer.delay, latencies[row][attempt]);
                }
            }
        rig_stop(&rig);
    }
    assert_in_range(failed, 240, 360); // half of 600
    assert_true(differ > 100);         // attempts of one row are not all alike
}

static void test_limits(void **state) {
    (void)state;
    struct rig rig;
    rig_start(&rig, &(struct simulate_options){.rpm = 2, .tpm = 20});
    assert_int_equal(chat(&rig, 1, CHAT("12345678")), 200); // 2 + 2 tokens
    assert_int_equal(chat(&rig, 1, CHAT("12345678")), 200);
    assert_int_equal(chat(&rig, 1, CHAT("12345678")), 429);
    assert_string_equal(rig.answer.headers.header[0].name, "x-ratelimit-limit-requests");
    assert_int_equal(rig.answer.settlement.how, SETTLED_RATE_LIMITED);
    assert_int_equal(rig.answer.settlement.retry_after, 30000000);
    assert_non_null(strstr(buf_cstr(&rig.out), "Please try again in 30s."));
    assert_int_equal(chat(&rig, 2, CHAT("0123456789012345678901234567890123456789")), 200);
    assert_int_equal(chat(&rig, 2, CHAT("1")), 429);
    assert_non_null(strstr(buf_cstr(&rig.out), "\"tokens\""));
    rig_stop(&rig);
}

// The value of a rate-limit header, or "" without one.
static const char *header_of(const struct rig *rig, const char *name) {
    const struct header_list *list = &rig->answer.headers;
    for (int i = 0; i < list->count; i++)
        if (strcmp(list->header[i].name, name) == 0)
            return list->header[i].value;
    return "";
}

// The headers tell of the buckets that refuse, at the moment of admission, however late the answer.
static void test_headers_are_of_admission(void **state) {
    (void)state;
    struct rig rig;
    rig_start(&rig, &(struct simulate_options){.rpm = 60, .burst = 3, .latency = "30s"});
    assert_int_equal(chat(&rig, 1, CHAT("a")), 200);
    assert_string_equal(header_of(&rig, "x-ratelimit-limit-requests"), "60");
    assert_string_equal(header_of(&rig, "x-ratelimit-remaining-requests"), "2");
    assert_string_equal(header_of(&rig, "x-ratelimit-reset-requests"), "1s");
    chat(&rig, 1, CHAT("b"));
    chat(&rig, 1, CHAT("c"));
    assert_string_equal(header_of(&rig, "x-ratelimit-remaining-requests"), "0");
    assert_string_equal(header_of(&rig, "x-ratelimit-reset-requests"), "3s");
    assert_int_equal(chat(&rig, 1, CHAT("d")), 429);
    assert_string_equal(header_of(&rig, "x-ratelimit-remaining-requests"), "0");
    assert_string_equal(header_of(&rig, "retry-after"), "1");
    rig.now = 1000000; // as it told
    assert_int_equal(chat(&rig, 1, CHAT("d")), 200);
    rig_stop(&rig);
}

// What remains says when the next is refused, for whoever announces it; and the wait is exact.
static void test_headers_are_true(void **state) {
    (void)state;
    static const struct {
        const char *dialect, *remaining;
        int64_t rpd;
    } rows[] = {
        {"openai", "x-ratelimit-remaining-requests", 0},
        {"anthropic", "anthropic-ratelimit-requests-remaining", 0},
        {"mistral", "x-ratelimit-remaining-req-minute", 0},
        {"groq", "x-ratelimit-remaining-requests", 5},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct rig rig;
        rig_start(&rig, &(struct simulate_options){.dialect = choice(rows[i].dialect),
                                                   .rpm = rows[i].rpd ? 0 : 5,
                                                   .rpd = rows[i].rpd});
        for (const char *left = "43210"; *left; left++) {
            assert_int_equal(chat(&rig, 1, CHAT("a")), 200);
            assert_int_equal(header_of(&rig, rows[i].remaining)[0], *left);
        }
        assert_int_equal(chat(&rig, 1, CHAT("a")), 429);
        rig.now = rig.answer.settlement.retry_after - 1;
        assert_int_equal(chat(&rig, 1, CHAT("a")), 429);
        rig.now++;
        assert_int_equal(chat(&rig, 1, CHAT("a")), 200);
        rig_stop(&rig);
    }
}

// Groq's day comes back evenly, others' when the next begins.
static void test_days(void **state) {
    (void)state;
    static const struct {
        const char *dialect, *holds;
        int64_t wait;
    } rows[] = {
        {"groq", "requests per day (RPD): Limit 4", 2500000},
        {"openai", "requests per day (RPD): Limit 4", 9000000},
        {"google", "PerDay", 9000000},
        {"zai", "\"1304\"", -1},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct rig rig;
        rig_start(&rig, &(struct simulate_options){
                            .dialect = choice(rows[i].dialect), .rpd = 4, .day = 10000000});
        rig.now = 1000000;
        for (int n = 0; n < 4; n++)
            assert_int_equal(chat(&rig, 1, CHAT("a")), 200);
        assert_int_equal(chat(&rig, 1, CHAT("a")), 429);
        assert_non_null(strstr(buf_cstr(&rig.out), rows[i].holds));
        assert_int_equal(rig.answer.settlement.retry_after, rows[i].wait);
        rig.now += rows[i].wait < 0 ? 9000000 : rows[i].wait;
        assert_int_equal(chat(&rig, 1, CHAT("a")), 200);
        rig_stop(&rig);
    }
}

// Nothing tells of the limits that are kept.
static void test_silent(void **state) {
    (void)state;
    for (int d = 0; dialect_choices[d]; d++) {
        struct rig rig;
        rig_start(&rig, &(struct simulate_options){
                            .dialect = d, .rpm = 7777, .burst = 1, .tpm = 8888, .silent = true});
        assert_int_equal(chat(&rig, 1, CHAT("a")), 200);
        assert_int_equal(rig.answer.headers.count, 0);
        assert_int_equal(chat(&rig, 1, CHAT("a")), 429);
        assert_int_equal(rig.answer.headers.count, 0);
        assert_int_equal(rig.answer.settlement.retry_after, -1);
        static const char *const hints[] = {"7777", "8888", "again in", "retry in", "retryDelay"};
        for (size_t h = 0; h < COUNT_OF(hints); h++)
            assert_null(strstr(buf_cstr(&rig.out), hints[h]));
        rig_stop(&rig);
    }
}

// What can never pass is no matter of waiting, and with Groq no 429.
static void test_too_large(void **state) {
    (void)state;
    static const struct {
        const char *dialect;
        int status;
        enum settled how;
    } rows[] = {{"openai", 429, SETTLED_RATE_LIMITED}, {"groq", 413, SETTLED_FAILED}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct rig rig;
        rig_start(&rig, &(struct simulate_options){.dialect = choice(rows[i].dialect), .tpm = 5});
        assert_int_equal(chat(&rig, 1, CHAT("0123456789012345")), rows[i].status);
        assert_int_equal(rig.answer.settlement.how, rows[i].how);
        assert_int_equal(rig.answer.settlement.retry_after, -1);
        assert_string_equal(header_of(&rig, "retry-after"), "");
        assert_non_null(strstr(buf_cstr(&rig.out), "Request too large"));
        rig_stop(&rig);
    }
}

static void test_groups(void **state) {
    (void)state;
    struct rig rig;
    rig_start(&rig, &(struct simulate_options){.keys = 5, .groups = 2, .rpm = 2});
    assert_int_equal(chat(&rig, 1, CHAT("a")), 200);
    assert_int_equal(chat(&rig, 3, CHAT("a")), 200);
    assert_int_equal(chat(&rig, 5, CHAT("a")), 429); // 1, 3 and 5 share
    assert_int_equal(chat(&rig, 2, CHAT("a")), 200);
    assert_int_equal(chat(&rig, 4, CHAT("a")), 200);
    assert_int_equal(chat(&rig, 2, CHAT("a")), 429);
    rig_stop(&rig);
}

// A client of another provider: its key in a header of its own, its words in the answer.
static struct slice client_header(const void *context, const char *name) {
    const char *const *header = context;
    if (strcmp(name, "anthropic-version") == 0)
        return SLICE("2023-06-01");
    return strcmp(name, header[0]) == 0 ? slice_str(header[1]) : SLICE_NONE;
}

static int ask_as(struct rig *rig, const char *header, const char *path, const char *body) {
    struct buf secret = BUF_INIT(200);
    ledger_add_secret(2, &secret);
    const char *context[] = {header, buf_cstr(&secret)};
    struct ask question = {.method = "POST",
                           .path = path,
                           .body = slice_str(body),
                           .header = client_header,
                           .argument = client_header,
                           .context = context};
    answer_make(&rig->answerer, &question, 0, &rig->answer, &rig->out);
    buf_free(&secret);
    return rig->answer.status;
}

#define MESSAGES(more)                                                                             \
    "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}"    \
    "]" more "}"
#define CONTENTS(more) "{\"contents\":[{\"parts\":[{\"text\":\"hello\"}]}]" more "}"

static void test_other_wires(void **state) {
    (void)state;
    static const struct {
        const char *header, *path, *body;
        int status;
        const char *holds;
    } rows[] = {
        {"x-api-key", "/v1/messages", MESSAGES(""), 200, "\"stop_reason\":\"end_turn\""},
        {"x-api-key", "/messages", MESSAGES(",\"stream\":true"), 200, "event: message_stop"},
        {"x-api-key", "/v1/messages", "{}", 400, "\"invalid_request_error\""},
        {"x-api-key", "/v1/messages", "{", 400, "\"invalid_request_error\""},
        {"x-none", "/v1/messages", MESSAGES(""), 401, "x-api-key header is required"},
        {"x-goog-api-key", "/v1beta/models/ge\"m:generateContent", CONTENTS(""), 200,
         "\"modelVersion\":\"ge\\\"m\""},
        {"key", "/v1/models/m:generateContent", CONTENTS(""), 200, "\"finishReason\":\"STOP\""},
        {"key", "/v1beta/models/m:streamGenerateContent", CONTENTS(""), 400, "?alt=sse"},
        {"x-goog-api-key", "/v1beta/models/m:countTokens", CONTENTS(""), 404, "\"NOT_FOUND\""},
        {"x-goog-api-key", "/v1beta/nothing", CONTENTS(""), 404, "\"NOT_FOUND\""},
        {"x-goog-api-key", "/v1beta/models/m:generateContent", "{}", 400, "\"INVALID_ARGUMENT\""},
        {"x-none", "/v1beta/models/m:generateContent", CONTENTS(""), 403, "PERMISSION_DENIED"},
        {"x-goog-api-key", "/v1beta/openai/chat/completions", CHAT("hello"), 200,
         "\"chat.completion\""},
    };
    struct rig rig;
    rig_start(&rig, &(struct simulate_options){0});
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int status = ask_as(&rig, rows[i].header, rows[i].path, rows[i].body);
        if (status != rows[i].status || !strstr(buf_cstr(&rig.out), rows[i].holds))
            fail_msg("%s: %d %s", rows[i].path, status, buf_cstr(&rig.out));
        if (status == 200 && rig.answer.manner == SEND_WHOLE)
            assert_non_null(strstr(buf_cstr(&rig.out), "hello"));
    }
    rig_stop(&rig);
    static const struct {
        const char *path, *body, *holds;
        int status;
    } faults[] = {{"/v1/messages", MESSAGES(""), "overloaded_error", 529},
                  {"/v1beta/models/m:generateContent", CONTENTS(""), "UNAVAILABLE", 503},
                  {"/v1/chat/completions", CHAT("a"), "server_is_overloaded", 503}};
    rig_start(&rig, &(struct simulate_options){.fault = "overloaded=1"});
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        assert_int_equal(ask_as(&rig, "x-api-key", faults[i].path, faults[i].body),
                         faults[i].status);
        assert_non_null(strstr(buf_cstr(&rig.out), faults[i].holds));
    }
    rig_stop(&rig);
}

static void test_bad_options(void **state) {
    (void)state;
    static const struct simulate_options bad[] = {
        {.keys = -1},         {.keys = 100001},        {.latency = "x"}, {.fault = "x"},
        {.fault_key = "x"},   {.dead_key = "x"},       {.reply = "x"},   {.reply = "words:0"},
        {.reply = "words:x"}, {.reply = "words:1e9"},  {.rpm = -1},      {.tpm = INT64_MAX},
        {.concurrency = -1},  {.groups = 4},           {.groups = -1},   {.burst = 1},
        {.outage = "x"},      {.rpd = 10000001},       {.rpd = -1},      {.day = -1},
        {.day = INT64_MAX},   {.rpm = 1, .burst = -1},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct answerer a;
        struct error err = {0};
        assert_false(answerer_init(&a, &bad[i], 0, &err));
        assert_true(err.text[0] == '-' && err.class == ERROR_USAGE);
        answerer_free(&a);
    }
}

int main(void) {
    freopen("/dev/null", "w", stdout); // what failed goes to stderr
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_routes),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_prompt_cache),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_reproducible),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_other_wires),
        cmocka_unit_test(test_headers_are_of_admission),
        cmocka_unit_test(test_headers_are_true),
        cmocka_unit_test(test_days),
        cmocka_unit_test(test_silent),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_bad_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
