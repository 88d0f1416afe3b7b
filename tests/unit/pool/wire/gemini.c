// Tests pool/wire/gemini.c and gemini_reply.c: rows to requests, and replies read.
// SPDX-License-Identifier: MIT
#include "tests/unit/pool/wire/built.h"
#include "tests/unit/pool/wire/whole.h"

static const struct provider google = {.name = "google", .batch_prefix = "/v1beta"};

static void expect(const char *row, const char *system, const char *body) {
    struct wire_defaults defaults = {SLICE("\"m\""), slice_str(system), false, NULL};
    struct request r = request_of(row);
    struct built b = build_with(&wire_gemini, &r, &google, &defaults);
    assert_string_equal(b.answer == WIRE_OK ? "" : b.what, "");
    assert_string_equal(buf_cstr(&b.body), body);
    assert_true(json_check(buf_slice(&b.body), NULL));
    built_free(&b);
}

static void refuse(const char *row, const char *why) {
    struct wire_defaults defaults = {SLICE("\"m\""), SLICE_NONE, false, NULL};
    struct request r = request_of(row);
    struct built b = build_with(&wire_gemini, &r, &google, &defaults);
    assert_int_equal(b.answer, WIRE_NOT_MINE);
    if (!strstr(b.what, why))
        fail_msg("%s: \"%s\", expected \"%s\"", row, b.what, why);
    built_free(&b);
}

static void test_paths(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"\"gemini-x\"", "/models/gemini-x"},
        {"\"models/gemini-x\"", "/models/gemini-x"},
        {"\"models\\/gemini-x\"", "/models/gemini-x"},
        {"\"tunedModels/mine\"", "/tunedModels/mine"},
        {"\"a b?c#d/../e\"", "/models/a%20b%3Fc%23d%2F..%2Fe"},
        {"\"\\u00e9\\u0000\"", "/models/%C3%A9%00"},
        {"\"m\\r\\nX: 1\"", "/models/m%0D%0AX%3A%201"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int stream = 0; stream < 2; stream++) {
            struct wire_defaults defaults = {slice_str(rows[i][0]), SLICE_NONE, stream, NULL};
            struct request r = {.shape = ROW_PROMPT, .prompt = SLICE("\"p\"")};
            struct built b = build_with(&wire_gemini, &r, &google, &defaults);
            char path[200];
            snprintf(path, sizeof path, "%s:%s", rows[i][1],
                     stream ? "streamGenerateContent?alt=sse" : "generateContent");
            assert_int_equal(b.answer, WIRE_OK);
            assert_string_equal(buf_cstr(&b.path), path);
            assert_true(slice_is(b.model, rows[i][0]));
            assert_string_equal(
                buf_cstr(&b.body),
                "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"p\"}]}]}");
            built_free(&b);
        }
}

#define USER(parts)   "{\"role\":\"user\",\"parts\":[" parts "]}"
#define MODEL(parts)  "{\"role\":\"model\",\"parts\":[" parts "]}"
#define TEXT(text)    "{\"text\":\"" text "\"}"
#define SYSTEM(parts) ",\"systemInstruction\":{\"parts\":[" parts "]}"
#define PROMPT        "{\"contents\":[" USER(TEXT("p")) "]"

static void test_prompts(void **state) {
    (void)state;
    expect("{\"prompt\":\"a\\u0000\\ud83d\\ude00\"}", NULL,
           "{\"contents\":[" USER(TEXT("a\\u0000\\ud83d\\ude00")) "]}");
    expect("{\"prompt\":\"p\"}", "\"brief\"", PROMPT SYSTEM(TEXT("brief")) "}");
    expect("{\"prompt\":\"p\",\"system\":\"\"}", "\"brief\"", PROMPT "}");
    expect("{\"prompt\":\"p\",\"max_tokens\":12345678901234567890,\"temperature\":1e-400,"
           "\"top_p\":0.10,\"stop\":\"a\",\"seed\":9007199254740993}",
           NULL,
           PROMPT ",\"generationConfig\":{\"temperature\":1e-400,\"topP\":0.10,\"maxOutputTokens\":"
                  "12345678901234567890,\"stopSequences\":[\"a\"],\"seed\":9007199254740993}}");
    expect("{\"prompt\":\"p\",\"response_format\":{\"type\":\"json_object\"}}", NULL,
           PROMPT ",\"generationConfig\":{\"responseMimeType\":\"application/json\"}}");
    expect("{\"prompt\":\"p\",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{"
           "\"schema\":{\"type\":\"object\"}}}}",
           NULL,
           PROMPT ",\"generationConfig\":{\"responseMimeType\":\"application/json\","
                  "\"responseJsonSchema\":{\"type\":\"object\"}}}");
    refuse("{\"prompt\":\"p\",\"response_format\":{\"type\":\"json_schema\"}}", "with a schema");
}

static void test_turns(void **state) {
    (void)state;
    expect("{\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":"
           "\"1\"},{\"role\":\"developer\",\"content\":\"d\"},{\"role\":\"user\",\"content\":\"2\"}"
           ",{\"role\":\"assistant\",\"content\":\"3\"}]}",
           "\"run\"",
           "{\"contents\":[" USER(TEXT("1") "," TEXT("2")) "," MODEL(TEXT("3")) "]" SYSTEM(
               TEXT("s") "," TEXT("d")) "}");
    expect("{\"messages\":[{\"role\":\"user\",\"content\":\"p\"}]}", "\"run\"",
           PROMPT SYSTEM(TEXT("run")) "}");
    refuse("{\"messages\":[{\"role\":\"system\",\"content\":\"s\"}]}", "nothing but system");
    refuse("{\"params\":{}}", "another provider's format");
}

#define CALL(id, name, arguments, more)                                                            \
    "{\"id\":\"" id "\",\"type\":\"function\",\"function\":{\"name\":\"" name                      \
    "\",\"arguments\":\"" arguments "\"}" more "}"
#define SENT_CALL(id, name, args, more)                                                            \
    "{\"functionCall\":{\"id\":\"" id "\",\"name\":\"" name "\",\"args\":" args "}" more "}"
#define SENT_RESULT(id, name, response)                                                            \
    "{\"functionResponse\":{\"id\":\"" id "\",\"name\":\"" name "\",\"response\":" response "}}"
#define RESULT(id, content)                                                                        \
    "{\"role\":\"tool\",\"tool_call_id\":\"" id "\",\"content\":" content "}"
#define ASKED(calls)                                                                               \
    "{\"role\":\"user\",\"content\":\"p\"},{\"role\":\"assistant\",\"content\":null,"              \
    "\"tool_calls\":[" calls "]}"

static void test_tool_conversation(void **state) {
    (void)state;
    expect("{\"messages\":[" ASKED(CALL("1", "f", "{\\\"x\\\": 1.50}", "") "," CALL(
               "2", "g", "",
               "")) "," RESULT("2", "\"{\\\"y\\\": 2.0}\"") "," RESULT("1", "\"[3]\"") "]}",
           NULL,
           "{\"contents\":[" USER(TEXT("p")) "," MODEL(
               SENT_CALL("1", "f", "{\"x\": 1.50}", "") "," SENT_CALL(
                   "2", "g", "{}",
                   "")) "," USER(SENT_RESULT("2", "g",
                                             "{\"y\": 2.0}") "," SENT_RESULT("1", "f",
                                                                             "{\"output\":\"[3]"
                                                                             "\"}")) "]}");
    expect("{\"messages\":[" ASKED(CALL("1", "f", "{}", "")) "," RESULT(
               "1", "[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}]") "]}",
           NULL,
           "{\"contents\":[" USER(TEXT("p")) "," MODEL(SENT_CALL("1", "f", "{}", "")) "," USER(
               SENT_RESULT("1", "f", "{\"output\":\"ab\"}")) "]}");
    refuse("{\"messages\":[" ASKED(CALL("1", "f", "[1]", "")) "]}", "not the text of a JSON");
    refuse("{\"messages\":[" ASKED(CALL("1", "f", "{}", "")) "," RESULT(
               "1", "[{\"type\":\"image_url\"}]") "]}",
           "holds more than text");
}

#define THOUGHT ",\"extra_content\":{\"google\":{\"thought_signature\":\"S\"}}"

static void test_thought_signatures(void **state) {
    (void)state;
    static const struct {
        const char *model, *more, *first; // first: the signature of the first call
    } rows[] = {
        {"gemini-3-pro", "", "skip_thought_signature_validator"},
        {"models/gemini-flash-latest", "", "skip_thought_signature_validator"},
        {"gemini-2.5-flash", "", NULL},
        {"gemini-1.5-pro", "", NULL},
        {"gemma-4", "", NULL},
        {"gemini-3-pro", THOUGHT, "S"},
        {"gemini-2.5-flash", THOUGHT, "S"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char row[1000], sent[1000], signature[100] = "";
        snprintf(row, sizeof row,
                 "{\"model\":\"%s\",\"messages\":[" ASKED(
                     CALL("1", "f", "{}", "%s") "," CALL("2", "g", "{}", "")) "]}",
                 rows[i].model, rows[i].more);
        if (rows[i].first)
            snprintf(signature, sizeof signature, ",\"thoughtSignature\":\"%s\"", rows[i].first);
        snprintf(sent, sizeof sent,
                 "{\"contents\":[" USER(TEXT("p")) "," MODEL(
                     SENT_CALL("1", "f", "{}", "%s") "," SENT_CALL("2", "g", "{}", "")) "]}",
                 signature);
        expect(row, NULL, sent);
    }
}

#define PART(part) "{\"messages\":[{\"role\":\"user\",\"content\":[" part "]}]}"
#define IMAGE(url) PART("{\"type\":\"image_url\",\"image_url\":{\"url\":\"" url "\"}}")

static void test_images(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {IMAGE("https://h/a.PNG?x=.gif#y"),
         "{\"fileData\":{\"mimeType\":\"image/png\",\"fileUri\":\"https://h/a.PNG?x=.gif#y\"}}"},
        {IMAGE("https://h/a"), "{\"fileData\":{\"fileUri\":\"https://h/a\"}}"},
        {IMAGE("gs://b/a.jpg"),
         "{\"fileData\":{\"mimeType\":\"image/jpeg\",\"fileUri\":\"gs://b/a.jpg\"}}"},
        {IMAGE("data:image/png;base64,QUJD"),
         "{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"QUJD\"}}"},
        {PART("{\"type\":\"input_audio\",\"input_audio\":{\"format\":\"wav\",\"data\":\"QQ==\"}}"),
         "{\"inlineData\":{\"mimeType\":\"audio/wav\",\"data\":\"QQ==\"}}"},
        {PART("{\"type\":\"file\",\"file\":{\"file_data\":\"data:text/csv;base64,QQ==\"}}"),
         "{\"inlineData\":{\"mimeType\":\"text/csv\",\"data\":\"QQ==\"}}"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char body[500];
        snprintf(body, sizeof body, "{\"contents\":[" USER("%s") "]}", rows[i][1]);
        expect(rows[i][0], NULL, body);
    }
    refuse(IMAGE("data:image/png,abc"), "is not \"data:TYPE;base64");
}

static void test_tools(void **state) {
    (void)state;
    expect("{\"prompt\":\"p\",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\","
           "\"description\":\"d\",\"parameters\":{\"type\":\"object\" },\"strict\":true}},"
           "{\"function\":{\"name\":\"g\"}}]}",
           NULL,
           PROMPT ",\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\",\"description\":\"d\","
                  "\"parametersJsonSchema\":{\"type\":\"object\" }},{\"name\":\"g\"}]}]}");
    static const char *const choices[][2] = {
        {"\"auto\"", "{\"mode\":\"AUTO\"}"},
        {"\"none\"", "{\"mode\":\"NONE\"}"},
        {"\"required\"", "{\"mode\":\"ANY\"}"},
        {"{\"type\":\"function\",\"function\":{\"name\":\"f\"}}",
         "{\"mode\":\"ANY\",\"allowedFunctionNames\":[\"f\"]}"},
    };
    for (size_t i = 0; i < COUNT(choices); i++) {
        char row[300], body[300];
        snprintf(row, sizeof row, "{\"prompt\":\"p\",\"tools\":[],\"tool_choice\":%s}",
                 choices[i][0]);
        snprintf(body, sizeof body, PROMPT ",\"toolConfig\":{\"functionCallingConfig\":%s}}",
                 choices[i][1]);
        expect(row, NULL, body);
    }
    refuse("{\"prompt\":\"p\",\"tools\":[{\"type\":\"custom\"}]}", "no function with a name");
    refuse("{\"prompt\":\"p\",\"tool_choice\":\"x\"}", "no counterpart");
}

static void test_batch_lines(void **state) {
    (void)state;
    expect("{\"request\":{ \"contents\" : [1.0],\"generation_config\":{}}}", "\"S\"",
           "{ \"contents\" : [1.0],\"generation_config\":{}}");
    struct wire_defaults defaults = {SLICE("\"m\""), SLICE_NONE, true, NULL};
    struct request r = request_of("{\"request\":{\"model\":\"models/x\"}}");
    struct built b = build_with(&wire_gemini, &r, &google, &defaults);
    assert_string_equal(buf_cstr(&b.path), "/models/x:streamGenerateContent?alt=sse");
    assert_string_equal(buf_cstr(&b.body), "{\"model\":\"models/x\"}");
    built_free(&b);
}

static enum wire_answer read(const char *body, struct buf *scratch, struct reply *reply) {
    const char *what = NULL;
    struct slice text = slice_str(body);
    assert_true(json_check(text, NULL));
    enum wire_answer answer = read_whole(&wire_gemini, text, scratch, reply, &what);
    assert_int_equal(answer == WIRE_OK, what == NULL);
    return answer;
}

static void test_reply(void **state) {
    (void)state;
    struct buf scratch = BUF_INIT(MAX);
    struct reply r;
    const char *body =
        "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"hm\",\"thought\":true},{\"text\":"
        "\"a\\u0000\"},{\"text\":\" so\",\"thought\":true},{\"text\":\"b\\\"\"},{\"functionCall\":"
        "{\"name\":\"f\",\"args\":{\"x\": \"\\\"\"}},\"thoughtSignature\":\"S\"},{\"functionCall\":"
        "{\"id\":\"i\",\"name\":\"g\"}}],\"role\":\"model\"},\"finishReason\":\"STOP\"},{}],"
        "\"usageMetadata\":{\"promptTokenCount\":10,\"candidatesTokenCount\":30,"
        "\"thoughtsTokenCount\":4,\"totalTokenCount\":47,\"cachedContentTokenCount\":5,"
        "\"toolUsePromptTokenCount\":3},\"modelVersion\":\"gemini\",\"responseId\":\"r1\"}";
    assert_int_equal(read(body, &scratch, &r), WIRE_OK);
    assert_true(slice_is(r.text, "\"a\\u0000b\\\"\""));
    assert_true(slice_is(r.reasoning, "\"hm so\""));
    assert_true(slice_is(r.finish_reason, "\"STOP\""));
    assert_true(slice_is(r.model, "\"gemini\""));
    assert_true(slice_is(r.request_id, "\"r1\""));
    assert_true(slice_is(
        r.tool_calls,
        "[{\"id\":\"call_0\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
        "\"{\\\"x\\\": \\\"\\\\\\\"\\\"}\"},\"extra_content\":{\"google\":{\"thought_signature\":"
        "\"S\"}}},{\"id\":\"i\",\"type\":\"function\",\"function\":{\"name\":\"g\",\"arguments\":"
        "\"{}\"}}]"));
    assert_int_equal(r.usage.input_tokens, 13);
    assert_int_equal(r.usage.output_tokens, 34);
    assert_int_equal(r.usage.total_tokens, 47);
    assert_int_equal(r.usage.cached_tokens, 5);
    assert_int_equal(r.usage.reasoning_tokens, 4);
    buf_free(&scratch);
}

static void test_replies(void **state) {
    (void)state;
    static const struct {
        const char *body;
        enum wire_answer answer;
        const char *text, *reason;
    } rows[] = {
        {"{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"t\"}]}}]}", WIRE_OK, "\"t\"", NULL},
        {"{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"t\"}]},\"finishReason\":"
         "\"SAFETY\"}]}",
         WIRE_OK, "\"t\"", "\"SAFETY\""},
        {"{\"candidates\":[{\"finishReason\":\"MAX_TOKENS\"}]}", WIRE_OK, NULL, "\"MAX_TOKENS\""},
        {"{\"candidates\":[{\"content\":{\"role\":\"model\"},\"finishReason\":\"STOP\"}]}", WIRE_OK,
         NULL, "\"STOP\""},
        {"{\"candidates\":[{\"finishReason\":\"SAFETY\"}]}", WIRE_BLOCKED, NULL, "\"SAFETY\""},
        {"{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}]},\"finishReason\":"
         "\"PROHIBITED_CONTENT\"}]}",
         WIRE_BLOCKED, "\"\"", "\"PROHIBITED_CONTENT\""},
        {"{\"promptFeedback\":{\"blockReason\":\"SAFETY\"},\"usageMetadata\":{}}", WIRE_BLOCKED,
         NULL, "\"SAFETY\""},
        // what these mean is judged with the answer: pool/answer.c
        {"{\"candidates\":[{\"finishReason\":\"MALFORMED_FUNCTION_CALL\"}]}", WIRE_OK, NULL,
         "\"MALFORMED_FUNCTION_CALL\""},
        {"{\"candidates\":[{\"finishReason\":\"OTHER\"}]}", WIRE_OK, NULL, "\"OTHER\""},
        {"{\"candidates\":[{\"finishReason\":\"NEW\"}]}", WIRE_NOT_MINE, NULL, "\"NEW\""},
        {"{\"candidates\":[{}]}", WIRE_NOT_MINE, NULL, NULL},
        {"{\"candidates\":[7]}", WIRE_NOT_MINE, NULL, NULL},
        {"{\"candidates\":[]}", WIRE_NOT_MINE, NULL, NULL},
        {"{\"promptFeedback\":{}}", WIRE_NOT_MINE, NULL, NULL},
        {"{}", WIRE_NOT_MINE, NULL, NULL},
        {"[]", WIRE_NOT_MINE, NULL, NULL},
    };
    struct buf scratch = BUF_INIT(MAX);
    struct reply r;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(read(rows[i].body, &scratch, &r), rows[i].answer);
        assert_true(slice_eq(r.text, slice_str(rows[i].text)));
        assert_true(slice_eq(r.finish_reason, slice_str(rows[i].reason)));
        assert_int_equal(r.usage.total_tokens, -1);
    }
    buf_free(&scratch);
}

int main(void) {
    freopen("/dev/null", "w", stdout); // what failed goes to stderr
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_prompts),
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_tool_conversation),
        cmocka_unit_test(test_thought_signatures),
        cmocka_unit_test(test_images),
        cmocka_unit_test(test_tools),
        cmocka_unit_test(test_batch_lines),
        cmocka_unit_test(test_reply),
        cmocka_unit_test(test_replies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
