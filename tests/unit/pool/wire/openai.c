// Tests pool/wire/openai.c and openai_reply.c: rows to requests, and replies read.
// SPDX-License-Identifier: MIT
#include "tests/unit/pool/wire/built.h"
#include "tests/unit/pool/wire/whole.h"

static const struct provider bigmodel = {.name = "bigmodel", .batch_prefix = "/v4"};
static const struct provider mistral = {.name = "mistral", .batch_prefix = "/v1"};
static const struct provider odd = {.name = "odd", .batch_prefix = "/api/v3"};

static void expect_body(const struct request *request, const struct provider *provider,
                        const char *system, const char *body) {
    struct built b = build(request, provider, system);
    assert_int_equal(b.answer, WIRE_OK);
    assert_string_equal(buf_cstr(&b.body), body);
    assert_true(json_check(buf_slice(&b.body), NULL));
    built_free(&b);
}

static void test_prompt(void **state) {
    (void)state;
    struct request r = {.shape = ROW_PROMPT, .prompt = SLICE("\"a\\u0000\\ud83d\\ude00\"")};
    expect_body(&r, &openai, NULL,
                "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":"
                "\"a\\u0000\\ud83d\\ude00\"}]}");
    expect_body(&r, &openai, "\"be brief\"",
                "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"be brief\"},"
                "{\"role\":\"user\",\"content\":\"a\\u0000\\ud83d\\ude00\"}]}");
    r.system = SLICE("\"\""); // this row wants none
    r.prompt = SLICE("\"p\"");
    expect_body(&r, &openai, "\"be brief\"",
                "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"p\"}]}");
}

static void test_settings(void **state) {
    (void)state;
    struct request r = {
        .shape = ROW_PROMPT,
        .prompt = SLICE("\"p\""),
        .model = SLICE("\"gpt-5-mini\""),
        .params[PARAM_TEMPERATURE] = SLICE("1e-400"),
        .params[PARAM_TOP_P] = SLICE("0.10"),
        .params[PARAM_MAX_TOKENS] = SLICE("12345678901234567890"),
        .params[PARAM_STOP] = SLICE("[\"a\" , \"b\"]"),
        .params[PARAM_RESPONSE_FORMAT] = SLICE("{\"type\":\"json_object\"}"),
        .params[PARAM_TOOLS] = SLICE("[]"),
        .params[PARAM_TOOL_CHOICE] = SLICE("\"auto\""),
        .params[PARAM_SEED] = SLICE("9007199254740993"),
    };
    const char *form =
        "{\"model\":\"gpt-5-mini\",\"messages\":[{\"role\":\"user\",\"content\":\"p\"}"
        "],\"temperature\":1e-400,\"top_p\":0.10,\"%s\":12345678901234567890,\"stop\":"
        "[\"a\" , \"b\"],\"response_format\":{\"type\":\"json_object\"},\"tools\":[],"
        "\"tool_choice\":\"auto\",\"%s\":9007199254740993}";
    char body[1000];
    snprintf(body, sizeof body, form, "max_completion_tokens", "seed");
    expect_body(&r, &openai, NULL, body);
    snprintf(body, sizeof body, form, "max_tokens", "seed");
    expect_body(&r, &bigmodel, NULL, body);
    snprintf(body, sizeof body, form, "max_tokens", "random_seed");
    expect_body(&r, &mistral, NULL, body);
}

static void test_reasoning_models(void **state) {
    (void)state;
    static const struct {
        struct slice model;
        bool reasoning;
    } rows[] = {{SLICE("\"o1\""), true},      {SLICE("\"o3-mini\""), true},
                {SLICE("\"o4-mini\""), true}, {SLICE("\"gpt-5\""), true},
                {SLICE("\"gpt-4o\""), false}, {SLICE("\"omni\""), false},
                {SLICE("\"\""), false},       {SLICE("\"my-o1\""), false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct request r = {.shape = ROW_PROMPT,
                            .prompt = SLICE("\"p\""),
                            .model = rows[i].model,
                            .params[PARAM_MAX_TOKENS] = SLICE("5")};
        struct built b = build(&r, &openai, NULL);
        assert_int_equal(json_get(buf_slice(&b.body), "max_completion_tokens").n != 0,
                         rows[i].reasoning);
        assert_int_equal(json_get(buf_slice(&b.body), "max_tokens").n != 0, !rows[i].reasoning);
        assert_true(slice_eq(b.model, rows[i].model));
        built_free(&b);
    }
}

static void test_messages(void **state) {
    (void)state;
    static const struct {
        const char *messages, *sent; // sent: with the default system "S"
    } rows[] = {
        {"[]", "[{\"role\":\"system\",\"content\":\"S\"}]"},
        {"[ ]", "[{\"role\":\"system\",\"content\":\"S\"}]"},
        {"[ {\"role\":\"user\",\"content\":\"1\"} ]",
         "[{\"role\":\"system\",\"content\":\"S\"},{\"role\":\"user\",\"content\":\"1\"} ]"},
        {"[{\"role\":\"user\"},{\"role\":\"system\"}]",
         "[{\"role\":\"user\"},{\"role\":\"system\"}]"},
        {"[{\"role\":\"developer\"}]", "[{\"role\":\"developer\"}]"},
        {"[{\"role\":\"s\\u0079stem\"}]", "[{\"role\":\"s\\u0079stem\"}]"},
        {"[7,null,\"system\"]", "[{\"role\":\"system\",\"content\":\"S\"},7,null,\"system\"]"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct request r = {.shape = ROW_MESSAGES, .messages = slice_str(rows[i].messages)};
        struct built b = build(&r, &openai, "\"S\"");
        assert_string_equal(b.answer == WIRE_OK ? "" : "not mine", "");
        struct slice sent = json_get(buf_slice(&b.body), "messages");
        assert_true(slice_is(sent, rows[i].sent));
        assert_true(json_check(buf_slice(&b.body), NULL));
        built_free(&b);
        b = build(&r, &openai, NULL);
        sent = json_get(buf_slice(&b.body), "messages");
        assert_true(slice_is(sent, rows[i].messages));
        built_free(&b);
    }
}

static void test_batch_bodies(void **state) {
    (void)state;
    struct request r = {.shape = ROW_BATCH_OPENAI,
                        .body = SLICE("{ \"x\" : 1.50, \"model\":\"q\" , \"a\":\"\\u0000\"}"),
                        .model = SLICE("\"q\""),
                        .params[PARAM_TEMPERATURE] = SLICE("1"),
                        .system = SLICE("\"s\"")};
    expect_body(&r, &openai, "\"S\"", "{ \"x\" : 1.50, \"model\":\"q\" , \"a\":\"\\u0000\"}");
    r.model = SLICE_NONE;
    r.body = SLICE("{ \"x\":1}");
    expect_body(&r, &openai, NULL, "{\"model\":\"m\", \"x\":1}");
    r.shape = ROW_BATCH_MISTRAL;
    r.body = SLICE("{ }");
    expect_body(&r, &mistral, NULL, "{\"model\":\"m\" }");
    r.shape = ROW_BATCH_ANTHROPIC;
    struct built b = build(&r, &openai, NULL);
    assert_int_equal(b.answer, WIRE_NOT_MINE);
    built_free(&b);
    r.shape = ROW_BATCH_GEMINI;
    b = build(&r, &openai, NULL);
    assert_int_equal(b.answer, WIRE_NOT_MINE);
    built_free(&b);
}

static void test_paths(void **state) {
    (void)state;
    static const struct {
        const struct provider *provider;
        const char *url, *path; // path NULL: refused
    } rows[] = {
        {&openai, NULL, "/chat/completions"},
        {&openai, "/v1/chat/completions", "/chat/completions"},
        {&openai, "/v4/chat/completions", "/chat/completions"},
        {&bigmodel, "/v4/chat/completions", "/chat/completions"},
        {&bigmodel, "/v1/embeddings", "/embeddings"},
        {&openai, "/v1/embeddings", "/embeddings"},
        {&openai, "/v10/x", "/v10/x"},
        {&openai, "/chat/completions", "/chat/completions"},
        {&odd, "/api/v3/chat/completions", "/chat/completions"},
        {&openai, "https://evil.example/v1/chat/completions", NULL},
        {&openai, "@evil.example/", NULL},
        {&openai, "/v1/a b", NULL},
        {&openai, "/v1/a\r\nX-Evil: 1", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct request r = {
            .shape = ROW_BATCH_OPENAI, .body = SLICE("{}"), .url = slice_str(rows[i].url)};
        struct built b = build(&r, rows[i].provider, NULL);
        assert_int_equal(b.answer, rows[i].path ? WIRE_OK : WIRE_NOT_MINE);
        if (rows[i].path)
            assert_string_equal(buf_cstr(&b.path), rows[i].path);
        built_free(&b);
    }
}

#define WANTED "\"stream\":true,\"stream_options\":{\"include_usage\":true}"

static void test_stream_flag(void **state) {
    (void)state;
    static const struct {
        const struct provider *provider;
        const char *url, *body, *sent; // body NULL: a prompt
    } rows[] = {
        {&openai, NULL, NULL, "\"content\":\"p\"}]," WANTED "}"},
        {&mistral, NULL, NULL, "\"content\":\"p\"}],\"stream\":true}"},
        {&openai, "/v1/chat/completions", "{ \"a\":1}", "{\"model\":\"m\", \"a\":1}"},
        {&openai, "/v1/completions", "{}", "{\"model\":\"m\"}"},
        {&openai, NULL, "{\"stream\":false}", "{\"model\":\"m\",\"stream\":false}"},
        {&mistral, NULL, "{\"stream\":true}", "{\"model\":\"m\",\"stream\":true}"},
        {&openai, "/v1/embeddings", "{}", "{\"model\":\"m\"}"},
    };
    struct wire_defaults defaults = {SLICE("\"m\""), SLICE_NONE, true, NULL};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct request r = {.shape = rows[i].body ? ROW_BATCH_OPENAI : ROW_PROMPT,
                            .prompt = SLICE("\"p\""),
                            .body = slice_str(rows[i].body),
                            .url = slice_str(rows[i].url)};
        struct built b = build_with(&wire_openai, &r, rows[i].provider, &defaults);
        assert_int_equal(b.answer, WIRE_OK);
        assert_true(json_check(buf_slice(&b.body), NULL));
        assert_non_null(strstr(buf_cstr(&b.body), rows[i].sent));
        built_free(&b);
    }
}

static void test_body_ceiling(void **state) {
    (void)state;
    struct request r = {.shape = ROW_PROMPT, .prompt = SLICE("\"0123456789\"")};
    struct wire_defaults defaults = {SLICE("\"m\""), SLICE_NONE, false, NULL};
    struct buf path = BUF_INIT(100), body = BUF_INIT(40);
    struct wire_out out = {.path = &path, .body = &body};
    wire_openai.build_request(&r, &openai, &defaults, &out);
    assert_true(body.failed);
    buf_free(&path);
    buf_free(&body);
}

// -- fuzzing --

static void expect_token(struct slice token, enum json_type type) {
    if (!token.p)
        return;
    assert_int_equal(json_type(token), type);
    assert_true(json_check(token, NULL));
}

static void check_reply(struct slice body, struct buf *scratch) {
    struct reply r;
    const char *what = NULL;
    if (wire_openai.read_reply(body, scratch, &r, &what) != WIRE_OK) {
        assert_non_null(what);
        return;
    }
    expect_token(r.text, JSON_STRING);
    expect_token(r.finish_reason, JSON_STRING);
    expect_token(r.model, JSON_STRING);
    expect_token(r.request_id, JSON_STRING);
    expect_token(r.reasoning, JSON_STRING);
    expect_token(r.refusal, JSON_STRING);
    expect_token(r.tool_calls, JSON_ARRAY);
    assert_true(r.usage.input_tokens >= -1 && r.usage.cached_tokens >= -1);
}

static void check_request(struct slice body) {
    struct wire_request r;
    const char *what = NULL;
    if (wire_openai.read_request(body, &r, &what) != WIRE_OK) {
        assert_non_null(what);
        return;
    }
    expect_token(r.model, JSON_STRING);
    expect_token(r.prompt, JSON_STRING);
    expect_token(r.tool_name, JSON_STRING);
    assert_true(r.max_tokens >= -1 && r.prompt_bytes <= body.n);
}

// All values below a container, itself included.
static size_t collect(struct slice token, struct slice *values, size_t count, size_t max) {
    if (count < max)
        values[count++] = token;
    struct json_walk walk = json_walk(token);
    struct slice name, value;
    if (json_type(token) == JSON_OBJECT)
        while (json_next_member(&walk, &name, &value))
            count = collect(value, values, count, max);
    if (json_type(token) == JSON_ARRAY)
        while (json_next_element(&walk, &value))
            count = collect(value, values, count, max);
    return count;
}

// Puts another value in the place of one, so that the text stays JSON.
static void mutate_value(struct slice body, struct random *random, struct buf *out) {
    static const char *const others[] = {
        "null",
        "true",
        "7",
        "-1",
        "1e99",
        "\"\"",
        "\"text\"",
        "[]",
        "{}",
        "[[]]",
        "[null]",
        "\"list\"",
        "99999999999999999999",
        "\"\\ud800\"",
        "{\"type\":\"text\",\"text\":\"x\"}",
        ("[{\"type\":\"text\",\"text\":\"x\"},"
         "{\"type\":\"text\",\"text\":\"\\\\\"}]"),
    };
    struct slice values[200];
    size_t count = collect(body, values, 0, COUNT(values));
    struct slice victim = values[random_below(random, (int64_t)count)];
    buf_add(out, body.p, (size_t)(victim.p - body.p));
    buf_add_str(out, others[random_below(random, COUNT(others))]);
    buf_add(out, victim.p + victim.n, (size_t)(body.p + body.n - victim.p - victim.n));
}

static void mutate_bytes(struct slice body, struct random *random, struct buf *out) {
    buf_add_slice(out, body);
    if (out->n < 4)
        buf_add_str(out, "[[]]");
    for (int64_t i = random_below(random, 4); i >= 0; i--)
        out->p[random_below(random, (int64_t)out->n)] = "{}[]\",:\\0 nu"[random_below(random, 12)];
    out->n -= (size_t)random_below(random, 3);
}

static void test_fuzz(void **state) {
    (void)state;
    struct random random = {42};
    struct buf now = BUF_INIT(MAX), next = BUF_INIT(MAX), scratch = BUF_INIT(MAX);
    int64_t checked = 0;
    for (int round = 0; round < 40000; round++) {
        buf_clear(&now);
        buf_add_str(&now, round % 2 ? REPLY : REQUEST);
        for (int64_t n = random_below(&random, 4); n >= 0; n--) {
            buf_clear(&next);
            if (json_check(buf_slice(&now), NULL) && random_below(&random, 4))
                mutate_value(buf_slice(&now), &random, &next);
            else
                mutate_bytes(buf_slice(&now), &random, &next);
            struct buf swap = now;
            now = next;
            next = swap;
        }
        // A block of exactly its size, so that a sanitizer sees a read beyond it.
        char *copy = malloc(now.n + 1);
        memcpy(copy, now.p, now.n);
        struct slice body = slice_of(copy, now.n);
        if (json_check(body, NULL)) {
            checked++;
            check_reply(body, &scratch);
            check_request(body);
        }
        free(copy);
    }
    assert_true(checked > 10000);
    buf_free(&now);
    buf_free(&next);
    buf_free(&scratch);
}

int main(void) {
    freopen("/dev/null", "w", stdout); // what failed goes to stderr
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prompt),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_reasoning_models),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_batch_bodies),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_stream_flag),
        cmocka_unit_test(test_body_ceiling),
        cmocka_unit_test(test_fuzz),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
