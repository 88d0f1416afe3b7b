// Tests pool/wire/anthropic_answer.c: requests read, replies built, and the way round.
// SPDX-License-Identifier: MIT
#include "tests/unit/pool/wire/built.h"

static const struct provider anthropic = {.name = "anthropic"};

static void test_request_read(void **state) {
    (void)state;
    struct wire_request r;
    const char *what = NULL;
    struct slice body = SLICE(
        "{\"model\":\"m\",\"max_tokens\":5,\"stream\":true,\"system\":[{\"type\":\"text\","
        "\"text\":\"sys\"}],\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\","
        "\"text\":\"hi\"},{\"type\":\"image\"}]},{\"role\":\"assistant\",\"content\":\"x\"},"
        "{\"role\":\"user\",\"content\":\"again\"}],\"tools\":[{\"name\":\"f\"},{\"name\":\"g\"}]"
        "}");
    assert_int_equal(wire_anthropic.read_request(body, &r, &what), WIRE_OK);
    assert_true(slice_is(r.model, "\"m\""));
    assert_true(slice_is(r.prompt, "\"again\""));
    assert_true(slice_is(r.tool_name, "\"f\""));
    assert_int_equal(r.max_tokens, 5);
    assert_true(r.stream && r.stream_usage);
    assert_int_equal(r.prompt_bytes, 11);
    static const char *const bad[] = {
        "[]",
        "{}",
        "{\"model\":7,\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":\"\"}]}",
        "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"\"}]}",
        "{\"model\":\"m\",\"max_tokens\":0,\"messages\":[{\"role\":\"user\",\"content\":\"\"}]}",
        "{\"model\":\"m\",\"max_tokens\":1}",
        "{\"model\":\"m\",\"max_tokens\":1,\"messages\":[]}",
        "{\"model\":\"m\",\"max_tokens\":1,\"messages\":[7]}",
        "{\"model\":\"m\",\"max_tokens\":1,\"messages\":[{\"role\":\"user\"}]}",
        "{\"model\":\"m\",\"max_tokens\":1,\"messages\":[{\"role\":\"tool\",\"content\":\"\"}]}",
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(wire_anthropic.read_request(slice_str(bad[i]), &r, &what), WIRE_NOT_MINE);
}

static void test_tool_choice(void **state) {
    (void)state;
    static const struct {
        const char *rest, *tool; // tool NULL: none
    } rows[] = {
        {"\"tools\":[{\"name\":\"f\"},{\"name\":\"g\"}]", "\"f\""},
        {"\"tools\":[{\"name\":\"f\"}],\"tool_choice\":{\"type\":\"none\"}", NULL},
        {"\"tools\":[{\"name\":\"f\"}],\"tool_choice\":{\"type\":\"tool\",\"name\":\"g\"}",
         "\"g\""},
        {"\"tools\":[{\"name\":\"f\"}],\"tool_choice\":{\"type\":\"any\"}", "\"f\""},
        {"\"tools\":[]", NULL},
        {"\"tools\":[{\"name\":7}]", NULL},
    };
    struct wire_request r;
    const char *what;
    char body[500];
    for (size_t i = 0; i < COUNT(rows); i++) {
        snprintf(body, sizeof body,
                 "{\"model\":\"m\",\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":"
                 "\"\"}],%s}",
                 rows[i].rest);
        assert_int_equal(wire_anthropic.read_request(slice_str(body), &r, &what), WIRE_OK);
        assert_true(rows[i].tool ? slice_is(r.tool_name, rows[i].tool) : !r.tool_name.p);
    }
    struct slice after =
        SLICE("{\"model\":\"m\",\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":["
              "{\"type\":\"tool_result\",\"content\":\"four\"}]}],\"tools\":[{\"name\":\"f\"}]}");
    assert_int_equal(wire_anthropic.read_request(after, &r, &what), WIRE_OK);
    assert_null(r.tool_name.p);
    assert_int_equal(r.prompt_bytes, 4);
}

static void test_round_trip(void **state) {
    (void)state;
    struct random random = {7};
    struct buf text = BUF_INIT(MAX), out = BUF_INIT(MAX), scratch = BUF_INIT(MAX);
    struct wire_defaults defaults = {SLICE("\"m\""), SLICE("\"s\""), false, NULL};
    for (int i = 0; i < 3000; i++) {
        random_text(&random, &text);
        struct request row = {.shape = ROW_PROMPT, .prompt = buf_slice(&text)};
        struct built b = build_with(&wire_anthropic, &row, &anthropic, &defaults);
        struct wire_request request;
        const char *what;
        assert_true(json_check(buf_slice(&b.body), NULL));
        assert_int_equal(wire_anthropic.read_request(buf_slice(&b.body), &request, &what), WIRE_OK);
        assert_true(slice_eq(request.prompt, buf_slice(&text)));
        struct wire_response response = response_of(request.prompt, i % 2);
        struct reply reply;
        buf_clear(&out);
        wire_anthropic.build_reply(&response, &out);
        assert_true(json_check(buf_slice(&out), NULL));
        assert_int_equal(wire_anthropic.read_reply(buf_slice(&out), &scratch, &reply, &what),
                         WIRE_OK);
        assert_true(slice_is(reply.model, "\"m\\u0031\""));
        assert_true(slice_is(reply.request_id, "\"msg_abc\""));
        assert_true(slice_is(reply.finish_reason, i % 2 ? "\"tool_use\"" : "\"end_turn\""));
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
