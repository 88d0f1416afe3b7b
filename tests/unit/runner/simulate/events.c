// Tests runner/simulate/events.c: where streams are broken off, and errors in them, as a client reads.
// SPDX-License-Identifier: MIT
#include "runner/simulate/events.h"

#include "jobs/base/json.h"
#include "pool/wire/stream.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MAX ((size_t)1 << 20)

static const struct wire *const wires[] = {&wire_openai, &wire_anthropic, &wire_gemini};

static const struct wire_response responses[] = {
    {.text = {"\"one\"", 5}},
    {.text = {"\"one two three four five six seven eight nine ten eleven twelve\"", 66}},
    {.text = {"\"\"", 2}},
    {.text = {"\"call\"", 6}, .tool_name = {"\"look\"", 6}},
};

static void build(const struct wire *wire, size_t i, bool usage, struct buf *out) {
    struct wire_response r = responses[i];
    r.id = "chatcmpl-x";
    r.model = SLICE("\"m\"");
    r.finish_reason = r.tool_name.n ? "tool_calls" : "stop";
    r.text.n = strlen(r.text.p);
    buf_clear(out);
    wire->build_stream(&r, usage, out);
}

// Every end is one, and nothing is left over.
static void test_ends(void **state) {
    (void)state;
    struct buf out = BUF_INIT(MAX);
    for (size_t w = 0; w < 3; w++) {
        const struct event_form *form = events_form(wires[w]);
        build(wires[w], 1, true, &out);
        size_t end = 0, events = 0, n = strlen(form->end);
        while (end < out.n) {
            size_t next = events_end(form, buf_slice(&out), end + 1);
            assert_true(next > end);
            assert_memory_equal(out.p + next - n, form->end, n);
            assert_int_equal(events_end(form, buf_slice(&out), next), next);
            end = next;
            events++;
        }
        assert_true(events >= 5);
    }
    buf_free(&out);
}

// A client that gets the first part has something and not the end, whatever the answer.
static void test_middle(void **state) {
    (void)state;
    struct buf out = BUF_INIT(MAX), scratch = BUF_INIT(MAX);
    struct wire_stream s;
    const char *what;
    for (size_t w = 0; w < 3; w++)
        for (size_t i = 0; i < sizeof responses / sizeof *responses; i++)
            for (int usage = 0; usage < 2; usage++) {
                build(wires[w], i, usage, &out);
                size_t middle = events_middle(events_form(wires[w]), buf_slice(&out), usage);
                assert_true(middle < out.n);
                wire_stream_init(&s, wires[w], MAX);
                wire_stream_feed(&s, slice_of(out.p, middle));
                assert_true(s.began || i >= 2); // one word at least, where there are words
                assert_int_equal(wire_stream_finish(&s, &scratch, &what), STREAM_BROKEN);
                wire_stream_free(&s);
            }
    buf_free(&out);
    buf_free(&scratch);
}

// A client reads an error where one is put, whoever's dialect.
static void test_errors(void **state) {
    (void)state;
    struct buf out = BUF_INIT(MAX), scratch = BUF_INIT(MAX);
    struct wire_stream s;
    const char *what;
    for (size_t w = 0; w < 3; w++)
        for (int choice = 1; dialect_choices[choice]; choice++) {
            const struct event_form *form = events_form(wires[w]);
            build(wires[w], 1, false, &out);
            out.n = events_middle(form, buf_slice(&out), false);
            buf_add_str(&out, form->error);
            size_t start = out.n;
            events_add_error(form, dialect_chosen(choice), SLICE("\"m\""), &out);
            assert_true(json_check(slice_of(out.p + start, out.n - start), NULL));
            buf_add_str(&out, form->end);
            wire_stream_init(&s, wires[w], MAX);
            wire_stream_feed(&s, buf_slice(&out));
            assert_true(s.began);
            assert_int_equal(wire_stream_finish(&s, &scratch, &what), STREAM_ERROR);
            assert_true(json_get(buf_slice(&scratch), "error").n > 0);
            wire_stream_free(&s);
        }
    buf_free(&out);
    buf_free(&scratch);
}

static void expect_error(const struct wire *wire, const struct dialect *d, const char *text) {
    struct buf out = BUF_INIT(MAX);
    events_add_error(events_form(wire), d, SLICE_NONE, &out);
    assert_string_equal(buf_cstr(&out), text);
    buf_free(&out);
}

static void test_error_words(void **state) {
    (void)state;
    static const char anthropic[] = "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\","
                                    "\"message\":\"Overloaded\"},\"request_id\":\"req_simulated\"}";
    expect_error(&wire_anthropic, &dialect_anthropic, anthropic);
    expect_error(&wire_anthropic, &dialect_groq, anthropic);
    expect_error(&wire_openai, &dialect_groq,
                 "{\"error\":{\"message\":\"Flex tier capacity exceeded\",\"type\":"
                 "\"capacity_exceeded\"}}");
    expect_error(&wire_openai, &dialect_nvidia, // its own has no error that a client would see
                 "{\"error\":{\"message\":\"Our servers are currently overloaded. Please try "
                 "again later.\",\"type\":\"service_unavailable_error\",\"param\":null,"
                 "\"code\":\"server_is_overloaded\"}}");
}

int main(void) {
    freopen("/dev/null", "w", stdout); // what failed goes to stderr
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_middle),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_error_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
