// Tests pool/wire/anthropic.c and anthropic_reply.c: rows to requests, and replies read.
// SPDX-License-Identifier: MIT
#include "tests/unit/pool/wire/built.h"

static const struct provider anthropic = {.name = "anthropic", .batch_prefix = "/v1"};

static void expect(const char *row, const char *system, const char *body) {
    struct wire_defaults defaults = {SLICE("\"m\""), slice_str(system), false, NULL};
    struct request r = request_of(row);
    struct built b = build_with(&wire_anthropic, &r, &anthropic, &defaults);
    assert_string_equal(b.answer == WIRE_OK ? "" : b.what, "");
    assert_string_equal(buf_cstr(&b.path), "/messages");
    assert_string_equal(buf_cstr(&b.body), body);
    assert_true(json_check(buf_slice(&b.body), NULL));
    built_free(&b);
}

static void refuse(const char *row, const char *why) {
    struct wire_defaults defaults = {SLICE("\"m\""), SLICE_NONE, false, NULL};
    struct request r = request_of(row);
    struct built b = build_with(&wire_anthropic, &r, &anthropic, &defaults);
    assert_int_equal(b.answer, WIRE_NOT_MINE);
    if (!strstr(b.what, why))
        fail_msg("%s: \"%s\", expected \"%s\"", row, b.what, why);
    built_free(&b);
}

#define HEAD "{\"model\":\"m\",\"max_tokens\":4096"

static void test_prompts(void **state) {
    (void)state;
    expect("{\"prompt\":\"a\\u0000\\ud83d\\ude00\"}", NULL,
           HEAD ",\"messages\":[{\"role\":\"user\",\"content\":\"a\\u0000\\ud83d\\ude00\"}]}");
    expect("{\"prompt\":\"p\"}", "\"be brief\"",
           HEAD ",\"system\":\"be brief\",\"messages\":[{\"role\":\"user\",\"content\":\"p\"}]}");
    expect("{\"prompt\":\"p\",\"system\":\"\"}", "\"be brief\"",
           HEAD ",\"messages\":[{\"role\":\"user\",\"content\":\"p\"}]}");
    expect("{\"prompt\":\"p\",\"model\":\"x\",\"max_tokens\":12345678901234567890,"
           "\"temperature\":1e-400,\"top_p\":0.10,\"stop\":\"a\",\"seed\":7}",
           NULL,
           "{\"model\":\"x\",\"max_tokens\":12345678901234567890,\"messages\":[{\"role\":\"user\","
           "\"content\":\"p\"}],\"temperature\":1e-400,\"top_p\":0.10,\"stop_sequences\":[\"a\"]}");
    expect("{\"prompt\":\"p\",\"stop\":[\"a\" , \"b\"]}", NULL,
           HEAD ",\"messages\":[{\"role\":\"user\",\"content\":\"p\"}],\"stop_sequences\":[\"a\" , "
                "\"b\"]}");
}

#define USER(parts)      "{\"role\":\"user\",\"content\":[" parts "]}"
#define ASSISTANT(parts) "{\"role\":\"assistant\",\"content\":[" parts "]}"
#define TEXT(text)       "{\"type\":\"text\",\"text\":\"" text "\"}"

static void test_turns(void **state) {
    (void)state;
    // system messages stand at the top, wherever they were; neighbours of one side are one turn
    expect("{\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":"
           "\"1\"},{\"role\":\"developer\",\"content\":[{\"type\":\"text\",\"text\":\"d\"}]},"
           "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"2\"},{\"text\":\"3\","
           "\"type\":\"text\"}]},{\"role\":\"assistant\",\"content\":\"4\"},{\"role\":\"user\","
           "\"content\":\"\"}],\"system\":\"row\"}",
           "\"run\"",
           HEAD ",\"system\":[" TEXT("s") "," TEXT("d") "],\"messages\":[" USER(TEXT("1") "," TEXT(
               "2") "," TEXT("3")) "," ASSISTANT(TEXT("4")) "," USER(TEXT("")) "]}");
    expect("{\"messages\":[{\"role\":\"user\",\"content\":\"1\"}]}", "\"run\"",
           HEAD ",\"system\":\"run\",\"messages\":[" USER(TEXT("1")) "]}");
    expect("{\"messages\":[{\"role\":\"user\",\"content\":\"1\"}]}", NULL,
           HEAD ",\"messages\":[" USER(TEXT("1")) "]}");
    expect("{\"messages\":[{\"role\":\"user\",\"content\":\"1\"},{\"role\":\"assistant\","
           "\"content\":null,\"refusal\":\"no\"}]}",
           NULL, HEAD ",\"messages\":[" USER(TEXT("1")) "," ASSISTANT(TEXT("no")) "]}");
}

#define CALL(id, name, arguments)                                                                  \
    "{\"id\":\"" id "\",\"type\":\"function\",\"function\":{\"name\":\"" name                      \
    "\",\"arguments\":\"" arguments "\"}}"

static void test_tool_conversation(void **state) {
    (void)state;
    expect(
        "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":"
        "\"\",\"tool_calls\":[" CALL("c1", "f", "{\\\"x\\\": 1.50}") "," CALL(
            "c2", "g",
            "") "]},"
                "{\"role\":\"tool\",\"tool_call_id\":\"c2\",\"content\":\"r2\"},{\"role\":\"tool\","
                "\"tool_call_id\":\"c1\",\"content\":[{\"type\":\"text\",\"text\":\"r1\"}]},{"
                "\"role\":"
                "\"user\",\"content\":\"and?\"}]}",
        NULL,
        HEAD ",\"messages\":[" USER(TEXT("q")) "," ASSISTANT(
            "{\"type\":\"tool_use\",\"id\":\"c1\",\"name\":\"f\",\"input\":"
            "{\"x\": 1.50}},"
            "{\"type\":\"tool_use\",\"id\":\"c2\",\"name\":\"g\",\"input\":"
            "{}}") "," USER("{\"type\":\"tool_result\",\"tool_use_id\":"
                            "\"c2\",\"content\":\"r2\"},"
                            "{\"type\":\"tool_result\",\"tool_use_id\":"
                            "\"c1\",\"content\":[" TEXT("r1") "]}," TEXT("and?")) "]}");
}

#define IMAGE(url)                                                                                 \
    "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{"       \
    "\"url\":\"" url "\"}}]}]}"
#define SOURCE(kind, source)                                                                       \
    HEAD ",\"messages\":[" USER("{\"type\":\"" kind "\",\"source\":{" source "}}") "]}"

static void test_images(void **state) {
    (void)state;
    expect(IMAGE("https://h/a.png"), NULL,
           SOURCE("image", "\"type\":\"url\",\"url\":\"https://h/a.png\""));
    expect(IMAGE("data:image/png;base64,QUJD"), NULL,
           SOURCE("image", "\"type\":\"base64\",\"media_type\":\"image/png\",\"data\":\"QUJD\""));
    expect(
        IMAGE("DATA:image\\/png;x=y;BASE64,QU\\/D"), NULL,
        SOURCE("image", "\"type\":\"base64\",\"media_type\":\"image\\/png\",\"data\":\"QU\\/D\""));
    expect("{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"file\",\"file\":{"
           "\"filename\":\"a.pdf\",\"file_data\":\"data:application/pdf;base64,QQ==\"}}]}]}",
           NULL,
           SOURCE("document",
                  "\"type\":\"base64\",\"media_type\":\"application/pdf\",\"data\":\"QQ==\""));
    refuse(IMAGE("data:image/png,abc"), "is not \"data:TYPE;base64");
    refuse(IMAGE("data:"), "is not \"data:TYPE;base64");
    refuse(IMAGE("data:;base64,QQ=="), "names no type");
    refuse(IMAGE("data:;base64"), "is not \"data:TYPE;base64");
    refuse(IMAGE("data:video/mp4;base64,QQ=="), "only images and PDF");
    refuse(IMAGE("gs://bucket/a.png"), "neither http(s) nor a data URI");
    refuse(IMAGE("/etc/passwd"), "neither http(s) nor a data URI");
}

static void test_what_cannot_be_said(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"[{\"role\":\"system\",\"content\":\"s\"}]", "say nothing but system"},
        {"[{\"role\":\"robot\",\"content\":\"s\"}]", "role is not system"},
        {"[{}]", "role is not system"},
        {"[{\"role\":\"user\"}]", "no content"},
        {"[{\"role\":\"user\",\"content\":7}]", "no content"},
        {"[{\"role\":\"user\",\"content\":[7]}]", "not translated"},
        {"[{\"role\":\"user\",\"content\":[{\"type\":\"hologram\"}]}]", "not translated"},
        {"[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":7}]}]", "holds no text"},
        {"[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]", "has no url"},
        {"[{\"role\":\"user\",\"content\":[{\"type\":\"file\",\"file\":{\"file_id\":\"x\"}}]}]",
         "file_id"},
        {"[{\"role\":\"user\",\"content\":[{\"type\":\"input_audio\",\"input_audio\":{\"format\":"
         "\"wav\",\"data\":\"QQ==\"}}]}]",
         "only images and PDF"},
        {"[{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":\"r\"}]", "answers no call"},
        {"[{\"role\":\"assistant\",\"tool_calls\":[" CALL(
             "c", "f", "") "]},{\"role\":\"tool\","
                           "\"tool_call_id\":\"d\",\"content\":\"r\"}]",
         "answers no call"},
        {"[{\"role\":\"assistant\",\"tool_calls\":[" CALL("c", "f", "") "]},{\"role\":\"tool\","
                                                                        "\"tool_call_id\":\"c\"}]",
         "\"tool\" has no content"},
        {"[{\"role\":\"assistant\",\"tool_calls\":[" CALL("c", "f", "[]") "]}]",
         "not the text of a JSON object"},
        {"[{\"role\":\"assistant\",\"tool_calls\":[" CALL("c", "f", "{\\\"a\\\":") "]}]",
         "not the text of a JSON object"},
        {"[{\"role\":\"assistant\",\"tool_calls\":[" CALL("c", "f", "{}{}") "]}]",
         "not the text of a JSON object"},
        {"[{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"name\":\"f\"}}]}]", "no id"},
        {"[{\"role\":\"assistant\",\"tool_calls\":[7]}]", "no id"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char row[1000];
        snprintf(row, sizeof row, "{\"messages\":%s}", rows[i][0]);
        refuse(row, rows[i][1]);
    }
    refuse("{\"prompt\":\"p\",\"response_format\":{\"type\":\"json_object\"}}", "json_schema has");
    refuse("{\"prompt\":\"p\",\"response_format\":{\"type\":\"json_schema\"}}", "with a schema");
    refuse("{\"prompt\":\"p\",\"response_format\":{}}", "neither text nor json_schema");
    refuse("{\"prompt\":\"p\",\"tools\":[{\"type\":\"web_search\"}]}", "no function with a name");
    refuse("{\"prompt\":\"p\",\"tools\":[7]}", "no function with a name");
    refuse("{\"prompt\":\"p\",\"tool_choice\":\"perhaps\"}", "tool_choice has no counterpart");
    refuse("{\"prompt\":\"p\",\"tool_choice\":{\"type\":\"allowed_tools\"}}", "no counterpart");
    refuse("{\"request\":{}}", "another provider's format");
}

#define PROMPT ",\"messages\":[{\"role\":\"user\",\"content\":\"p\"}]"

static void test_tools(void **state) {
    (void)state;
    expect("{\"prompt\":\"p\",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\","
           "\"description\":\"d\",\"parameters\":{\"type\":\"object\" },\"strict\":true}},"
           "{\"type\":\"function\",\"function\":{\"name\":\"g\"}}],\"tool_choice\":\"required\"}",
           NULL,
           HEAD PROMPT
           ",\"tools\":[{\"name\":\"f\",\"description\":\"d\",\"input_schema\":{\"type\":"
           "\"object\" },\"strict\":true},{\"name\":\"g\",\"input_schema\":{\"type\":\"object\","
           "\"properties\":{}}}],\"tool_choice\":{\"type\":\"any\"}}");
    static const char *const choices[][2] = {
        {"\"auto\"", "{\"type\":\"auto\"}"},
        {"\"none\"", "{\"type\":\"none\"}"},
        {"\"required\"", "{\"type\":\"any\"}"},
        {"{\"type\":\"function\",\"function\":{\"name\":\"f\\u0031\"}}",
         "{\"type\":\"tool\",\"name\":\"f\\u0031\"}"},
    };
    for (size_t i = 0; i < COUNT(choices); i++) {
        char row[300], body[300];
        snprintf(row, sizeof row, "{\"prompt\":\"p\",\"tools\":[ ],\"tool_choice\":%s}",
                 choices[i][0]);
        snprintf(body, sizeof body, HEAD PROMPT ",\"tool_choice\":%s}", choices[i][1]);
        expect(row, NULL, body);
    }
    expect("{\"prompt\":\"p\",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{"
           "\"name\":\"n\",\"schema\":{\"type\":\"object\"},\"strict\":true}}}",
           NULL,
           HEAD PROMPT ",\"output_config\":{\"format\":{\"type\":\"json_schema\",\"schema\":{"
                       "\"type\":\"object\"}}}}");
    expect("{\"prompt\":\"p\",\"response_format\":{\"type\":\"text\"}}", NULL, HEAD PROMPT "}");
}

static void test_batch_lines(void **state) {
    (void)state;
    expect("{\"params\":{ \"max_tokens\" : 1.0,\"model\":\"x\"}}", "\"S\"",
           "{ \"max_tokens\" : 1.0,\"model\":\"x\"}");
    expect("{\"params\":{ \"max_tokens\" : 1.0}}", NULL, "{\"model\":\"m\", \"max_tokens\" : 1.0}");
    expect("{\"params\":{ }}", NULL, "{\"model\":\"m\" }");
}

static void test_stream_flag(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"{\"prompt\":\"p\"}", HEAD PROMPT ",\"stream\":true}"},
        {"{\"params\":{\"a\":1}}", "{\"model\":\"m\",\"a\":1}"},
        {"{\"params\":{\"model\":\"x\"}}", "{\"model\":\"x\"}"},
        {"{\"params\":{\"model\":\"x\",\"stream\":false}}", "{\"model\":\"x\",\"stream\":false}"},
    };
    struct wire_defaults defaults = {SLICE("\"m\""), SLICE_NONE, true, NULL};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct request r = request_of(rows[i][0]);
        struct built b = build_with(&wire_anthropic, &r, &anthropic, &defaults);
        assert_int_equal(b.answer, WIRE_OK);
        assert_string_equal(buf_cstr(&b.body), rows[i][1]);
        built_free(&b);
    }
}

// A body cut off by its ceiling is seen in `failed`, whatever the row.
static void test_body_ceiling(void **state) {
    (void)state;
    struct wire_defaults defaults = {SLICE("\"m\""), SLICE("\"s\""), true, NULL};
    struct request r = request_of(
        "{\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":"
        "\"1\"},{\"role\":\"assistant\",\"tool_calls\":[" CALL(
            "c", "f",
            "{\\\"x\\\":1}") "]},{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":\"r\"}],"
                             "\"tools\":[{\"function\":{\"name\":\"f\"}}],\"stop\":\"x\"}");
    struct built whole = build_with(&wire_anthropic, &r, &anthropic, &defaults);
    assert_int_equal(whole.answer, WIRE_OK);
    for (size_t max = 1; max <= whole.body.n; max++) {
        struct buf path = BUF_INIT(100), body = BUF_INIT(max);
        struct wire_out out = {.path = &path, .body = &body};
        assert_int_equal(wire_anthropic.build_request(&r, &anthropic, &defaults, &out), WIRE_OK);
        assert_int_equal(body.failed, max < whole.body.n);
        buf_free(&path);
        buf_free(&body);
    }
    built_free(&whole);
}

static enum wire_answer read(const char *body, struct buf *scratch, struct reply *reply) {
    const char *what = NULL;
    struct slice text = slice_str(body);
    assert_true(json_check(text, NULL));
    enum wire_answer answer = wire_anthropic.read_reply(text, scratch, reply, &what);
    assert_int_equal(answer == WIRE_OK, what == NULL);
    return answer;
}

static void test_reply(void **state) {
    (void)state;
    struct buf scratch = BUF_INIT(MAX);
    struct reply r;
    const char *body =
        "{\"id\":\"msg_1\",\"type\":\"message\",\"model\":\"claude\",\"content\":["
        "{\"type\":\"thinking\",\"thinking\":\"hm\",\"signature\":\"s\"},"
        "{\"type\":\"text\",\"text\":\"a\\u0000\"},{\"type\":\"redacted_thinking\",\"data\":\"x\"},"
        "{\"type\":\"thinking\",\"thinking\":\" so\"},{\"type\":\"text\",\"text\":\"b\\\"\"},"
        "{\"type\":\"server_tool_use\",\"id\":\"s\",\"name\":\"web\",\"input\":{}},"
        "{\"type\":\"tool_use\",\"id\":\"toolu_1\",\"name\":\"f\",\"input\":{\"x\": \"\\\"\"}},"
        "{\"type\":\"tool_use\",\"id\":\"toolu_2\",\"name\":\"g\",\"input\":{}}],"
        "\"stop_reason\":\"tool_use\",\"usage\":{\"input_tokens\":10,\"output_tokens\":34,"
        "\"cache_read_input_tokens\":5,\"cache_creation_input_tokens\":2,"
        "\"output_tokens_details\":{\"thinking_tokens\":7}}}";
    assert_int_equal(read(body, &scratch, &r), WIRE_OK);
    assert_true(slice_is(r.text, "\"a\\u0000b\\\"\""));
    assert_true(slice_is(r.reasoning, "\"hm so\""));
    assert_true(slice_is(r.finish_reason, "\"tool_use\""));
    assert_true(slice_is(r.model, "\"claude\""));
    assert_true(slice_is(r.request_id, "\"msg_1\""));
    assert_true(slice_is(
        r.tool_calls,
        "[{\"id\":\"toolu_1\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
        "\"{\\\"x\\\": \\\"\\\\\\\"\\\"}\"}},{\"id\":\"toolu_2\",\"type\":\"function\","
        "\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}}]"));
    assert_int_equal(r.usage.input_tokens, 17);
    assert_int_equal(r.usage.output_tokens, 34);
    assert_int_equal(r.usage.total_tokens, 51);
    assert_int_equal(r.usage.cached_tokens, 5);
    assert_int_equal(r.usage.reasoning_tokens, 7);
    buf_free(&scratch);
}

static void test_replies(void **state) {
    (void)state;
    static const struct {
        const char *body;
        enum wire_answer answer;
        const char *text;
    } rows[] = {
        {"{\"content\":[{\"type\":\"text\",\"text\":\"t\"}]}", WIRE_OK, "\"t\""},
        {"{\"content\":[{\"type\":\"text\",\"text\":\"\"}]}", WIRE_OK, "\"\""},
        {"{\"content\":[]}", WIRE_OK, NULL},
        {"{\"content\":[7,null,{\"type\":\"text\",\"text\":8},{\"type\":\"tool_use\"}]}", WIRE_OK,
         NULL},
        {"{\"content\":[],\"stop_reason\":\"refusal\"}", WIRE_BLOCKED, NULL},
        {"{\"content\":[{\"type\":\"text\",\"text\":\"I\"}],\"stop_reason\":\"refusal\"}", WIRE_OK,
         "\"I\""},
        {"{}", WIRE_NOT_MINE, NULL},
        {"[]", WIRE_NOT_MINE, NULL},
        {"{\"content\":\"t\"}", WIRE_NOT_MINE, NULL},
        {"{\"choices\":[]}", WIRE_NOT_MINE, NULL},
    };
    struct buf scratch = BUF_INIT(MAX);
    struct reply r;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(read(rows[i].body, &scratch, &r), rows[i].answer);
        assert_true(rows[i].text ? slice_is(r.text, rows[i].text) : !r.text.p);
        assert_int_equal(r.usage.total_tokens, -1);
        if (rows[i].answer == WIRE_BLOCKED)
            assert_true(slice_is(r.finish_reason, "\"refusal\""));
    }
    struct buf small = BUF_INIT(10);
    assert_int_equal(read("{\"content\":[{\"type\":\"text\",\"text\":\"123456\"},{\"type\":"
                          "\"text\",\"text\":\"123456\"}]}",
                          &small, &r),
                     WIRE_NOT_MINE);
    buf_free(&small);
    buf_free(&scratch);
}

int main(void) {
    freopen("/dev/null", "w", stdout); // what failed goes to stderr
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prompts),
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_tool_conversation),
        cmocka_unit_test(test_images),
        cmocka_unit_test(test_what_cannot_be_said),
        cmocka_unit_test(test_tools),
        cmocka_unit_test(test_batch_lines),
        cmocka_unit_test(test_stream_flag),
        cmocka_unit_test(test_body_ceiling),
        cmocka_unit_test(test_reply),
        cmocka_unit_test(test_replies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
