// Tests pool/wire/gemini_answer.c: requests read, replies built, and the way round.
// SPDX-License-Identifier: MIT
#include "tests/unit/pool/wire/built.h"

static const struct provider google = {.name = "google"};

static void test_request_read(void **state) {
    (void)state;
    static const char *const forms[] = {
        "{\"systemInstruction\":{\"parts\":[{\"text\":\"sys\"}]},\"contents\":[{\"parts\":[{"
        "\"text\":\"hi\"},{\"inlineData\":{}}]},{\"role\":\"model\",\"parts\":[{\"text\":\"x\"}]},"
        "{\"role\":\"user\",\"parts\":[{\"text\":\"again\"}]}],\"generationConfig\":{"
        "\"maxOutputTokens\":5},\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\"},{\"name\":"
        "\"g\"}]}]}",
        "{\"system_instruction\":{\"parts\":[{\"text\":\"sys\"}]},\"contents\":[{\"parts\":[{"
        "\"text\":\"hi\"},{\"inline_data\":{}}]},{\"role\":\"model\",\"parts\":[{\"text\":\"x\"}]},"
        "{\"role\":\"user\",\"parts\":[{\"text\":\"again\"}]}],\"generation_config\":{"
        "\"max_output_tokens\":5},\"tools\":[{\"function_declarations\":[{\"name\":\"f\"}]}]}",
    };
    struct wire_request r;
    const char *what = NULL;
    for (size_t i = 0; i < COUNT(forms); i++) {
        assert_int_equal(wire_gemini.read_request(slice_str(forms[i]), &r, &what), WIRE_OK);
        assert_null(r.model.p);
        assert_true(slice_is(r.prompt, "\"again\""));
        assert_true(slice_is(r.tool_name, "\"f\""));
        assert_int_equal(r.max_tokens, 5);
        assert_true(!r.stream && r.stream_usage);
        assert_int_equal(r.prompt_bytes, 11);
    }
    static const char *const bad[] = {
        "[]",
        "{}",
        "{\"contents\":[]}",
        "{\"contents\":\"hi\"}",
        "{\"contents\":[7]}",
        "{\"contents\":[{\"role\":\"user\"}]}",
        "{\"contents\":[{\"role\":\"assistant\",\"parts\":[]}]}",
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(wire_gemini.read_request(slice_str(bad[i]), &r, &what), WIRE_NOT_MINE);
}

static void test_tool_choice(void **state) {
    (void)state;
#define FUNCTIONS "\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\"}]}]"
    static const struct {
        const char *rest, *tool; // tool NULL: none
    } rows[] = {
        {FUNCTIONS, "\"f\""},
        {FUNCTIONS ",\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"NONE\"}}", NULL},
        {FUNCTIONS ",\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"ANY\","
                   "\"allowedFunctionNames\":[\"g\"]}}",
         "\"g\""},
        {"\"tools\":[{\"googleSearch\":{}}]", NULL},
        {"\"tools\":[]", NULL},
    };
    struct wire_request r;
    const char *what;
    char body[500];
    for (size_t i = 0; i < COUNT(rows); i++) {
        snprintf(body, sizeof body, "{\"contents\":[{\"parts\":[]}],%s}", rows[i].rest);
        assert_int_equal(wire_gemini.read_request(slice_str(body), &r, &what), WIRE_OK);
        assert_true(rows[i].tool ? slice_is(r.tool_name, rows[i].tool) : !r.tool_name.p);
    }
    struct slice after = SLICE("{\"contents\":[{\"role\":\"user\",\"parts\":[{"
                               "\"functionResponse\":{}}]}]," FUNCTIONS "}");
    assert_int_equal(wire_gemini.read_request(after, &r, &what), WIRE_OK);
    assert_null(r.tool_name.p);
}

static void test_round_trip(void **state) {
    (void)state;
    struct random random = {7};
    struct buf text = BUF_INIT(MAX), out = BUF_INIT(MAX), scratch = BUF_INIT(MAX);
    struct wire_defaults defaults = {SLICE("\"m\""), SLICE("\"s\""), false, NULL};
    for (int i = 0; i < 3000; i++) {
        random_text(&random, &text);
        struct request row = {.shape = ROW_PROMPT, .prompt = buf_slice(&text)};
        struct built b = build_with(&wire_gemini, &row, &google, &defaults);
        struct wire_request request;
        const char *what;
        assert_true(json_check(buf_slice(&b.body), NULL));
        assert_int_equal(wire_gemini.read_request(buf_slice(&b.body), &request, &what), WIRE_OK);
        assert_true(slice_eq(request.prompt, buf_slice(&text)));
        struct wire_response response = response_of(request.prompt, i % 2);
        struct reply reply;
        buf_clear(&out);
        wire_gemini.build_reply(&response, &out);
        assert_true(json_check(buf_slice(&out), NULL));
        assert_int_equal(wire_gemini.read_reply(buf_slice(&out), &scratch, &reply, &what), WIRE_OK);
        assert_true(slice_is(reply.model, "\"m\\u0031\""));
        assert_true(slice_is(reply.request_id, "\"abc\""));
        assert_true(slice_is(reply.finish_reason, "\"STOP\""));
        assert_int_equal(reply.usage.total_tokens, 7);
        if (i % 2) {
            assert_null(reply.text.p);
            struct slice function = json_get(first_of(reply.tool_calls), "function");
            assert_true(slice_is(json_get(function, "name"), "\"look_up\""));
            expect_arguments(json_get(function, "arguments"), buf_slice(&text));
        } else {
            assert_true(slice_eq(reply.text, buf_slice(&text)));
        }
        built_free(&b);
    }
    buf_free(&text);
    buf_free(&out);
    buf_free(&scratch);
}

int main(void) {
    freopen("/dev/null", "w", stdout); // what failed goes to stderr
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_read),
        cmocka_unit_test(test_tool_choice),
        cmocka_unit_test(test_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
