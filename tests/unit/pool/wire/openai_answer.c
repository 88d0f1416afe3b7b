// Tests pool/wire/openai_answer.c: requests read, replies and streams built, and the way round.
// SPDX-License-Identifier: MIT
#include "tests/unit/pool/wire/built.h"

static void test_request_read(void **state) {
    (void)state;
    struct wire_request r;
    const char *what = NULL;
    struct slice body = SLICE(REQUEST);
    assert_int_equal(wire_openai.read_request(body, &r, &what), WIRE_OK);
    assert_true(slice_is(r.model, "\"m\""));
    assert_true(slice_is(r.prompt, "\"hi\""));
    assert_true(slice_is(r.tool_name, "\"f\""));
    assert_int_equal(r.max_tokens, 5);
    assert_true(r.stream && r.stream_usage);
    assert_int_equal(r.prompt_bytes, 3);
    static const char *const bad[] = {
        "[]",
        "{}",
        "{\"model\":7,\"messages\":[{\"role\":\"user\"}]}",
        "{\"model\":\"m\"}",
        "{\"model\":\"m\",\"messages\":[]}",
        "{\"model\":\"m\",\"messages\":[7]}",
        "{\"model\":\"m\",\"messages\":[{}]}",
        "{\"model\":\"m\",\"messages\":{\"role\":\"user\"}}",
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(wire_openai.read_request(slice_str(bad[i]), &r, &what), WIRE_NOT_MINE);
}

static void test_tool_choice(void **state) {
    (void)state;
    static const struct {
        const char *rest, *tool; // tool NULL: none
    } rows[] = {
        {"\"tools\":[{\"function\":{\"name\":\"f\"}},{\"function\":{\"name\":\"g\"}}]", "\"f\""},
        {"\"tools\":[{\"function\":{\"name\":\"f\"}}],\"tool_choice\":\"none\"", NULL},
        {"\"tools\":[{\"function\":{\"name\":\"f\"}}],\"tool_choice\":{\"type\":\"function\","
         "\"function\":{\"name\":\"g\"}}",
         "\"g\""},
        {"\"tools\":[]", NULL},
        {"\"tools\":[{\"function\":{\"name\":7}}]", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char body[500];
        struct wire_request r;
        const char *what;
        snprintf(body, sizeof body, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\"}],%s}",
                 rows[i].rest);
        assert_int_equal(wire_openai.read_request(slice_str(body), &r, &what), WIRE_OK);
        assert_true(rows[i].tool ? slice_is(r.tool_name, rows[i].tool) : !r.tool_name.p);
    }
    struct wire_request r;
    const char *what;
    struct slice after = SLICE("{\"model\":\"m\",\"messages\":[{\"role\":\"user\"},{\"role\":"
                               "\"tool\"}],\"tools\":[{\"function\":{\"name\":\"f\"}}]}");
    assert_int_equal(wire_openai.read_request(after, &r, &what), WIRE_OK);
    assert_null(r.tool_name.p);
}

static void test_round_trip(void **state) {
    (void)state;
    struct random random = {7};
    struct buf text = BUF_INIT(MAX), out = BUF_INIT(MAX), scratch = BUF_INIT(MAX);
    for (int i = 0; i < 3000; i++) {
        random_text(&random, &text);
        struct request row = {.shape = ROW_PROMPT, .prompt = buf_slice(&text)};
        struct built b = build(&row, &openai, "\"s\"");
        struct wire_request request;
        const char *what;
        assert_true(json_check(buf_slice(&b.body), NULL));
        assert_int_equal(wire_openai.read_request(buf_slice(&b.body), &request, &what), WIRE_OK);
        assert_true(slice_eq(request.prompt, buf_slice(&text)));
        struct wire_response response = response_of(request.prompt, i % 2);
        struct reply reply;
        buf_clear(&out);
        wire_openai.build_reply(&response, &out);
        assert_true(json_check(buf_slice(&out), NULL));
        assert_int_equal(wire_openai.read_reply(buf_slice(&out), &scratch, &reply, &what), WIRE_OK);
        assert_true(slice_is(reply.model, "\"m\\u0031\""));
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

// The next event's data; false at the end.
static bool next_event(struct slice *rest, struct slice *data) {
    if (!rest->n)
        return false;
    assert_true(slice_starts(*rest, "data: "));
    const char *end = memmem(rest->p, rest->n, "\n\n", 2);
    assert_non_null(end);
    *data = slice_of(rest->p + 6, (size_t)(end - rest->p) - 6);
    *rest = slice_of(end + 2, rest->n - data->n - 8);
    return true;
}

// A piece of content: whole by itself, no escape or character cut in two.
static void add_piece(struct buf *joined, struct slice piece) {
    struct buf decoded = BUF_INIT(MAX);
    if (!piece.n || json_type(piece) != JSON_STRING)
        return;
    assert_true(json_string_decode(piece, &decoded));
    assert_true(piece.n <= 64 + 14);
    buf_add(joined, piece.p + 1, piece.n - 2);
    buf_free(&decoded);
}

static void check_stream(const struct wire_response *response, bool usage, struct slice stream) {
    struct buf joined = BUF_INIT(MAX);
    struct slice data, last = SLICE_NONE, total = SLICE_NONE, finish = SLICE_NONE;
    bool first = true;
    buf_add_char(&joined, '"');
    while (next_event(&stream, &data)) {
        last = data;
        if (slice_is(data, "[DONE]"))
            continue;
        assert_true(json_check(data, NULL));
        assert_true(slice_is(json_get(data, "object"), "\"chat.completion.chunk\""));
        struct slice choice = first_of(json_get(data, "choices"));
        struct slice delta = json_get(choice, "delta");
        assert_int_equal(json_get(delta, "role").n != 0, first);
        assert_int_equal(json_get(data, "usage").n != 0, usage);
        first = false;
        if (!choice.n)
            total = json_get(json_get(data, "usage"), "total_tokens");
        else
            finish = json_get(choice, "finish_reason");
        struct slice function = json_get(first_of(json_get(delta, "tool_calls")), "function");
        add_piece(&joined, json_get(delta, "content"));
        add_piece(&joined, json_get(function, "arguments"));
    }
    buf_add_char(&joined, '"');
    assert_true(slice_is(last, "[DONE]"));
    assert_int_equal(total.n != 0, usage);
    assert_int_equal(finish.n, strlen(response->finish_reason) + 2);
    if (response->tool_name.n)
        expect_arguments(buf_slice(&joined), response->text);
    else
        assert_true(slice_eq(buf_slice(&joined), response->text));
    buf_free(&joined);
}

static void test_stream(void **state) {
    (void)state;
    struct random random = {9};
    struct buf text = BUF_INIT(MAX), out = BUF_INIT(MAX);
    for (int i = 0; i < 2000; i++) {
        random_text(&random, &text);
        struct wire_response response = response_of(buf_slice(&text), i % 2);
        buf_clear(&out);
        wire_openai.build_stream(&response, i % 3 == 0, &out);
        check_stream(&response, i % 3 == 0, buf_slice(&out));
    }
    buf_free(&text);
    buf_free(&out);
}

int main(void) {
    freopen("/dev/null", "w", stdout); // what failed goes to stderr
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_read),
        cmocka_unit_test(test_tool_choice),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
