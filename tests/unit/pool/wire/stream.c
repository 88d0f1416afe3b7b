// Tests pool/wire/stream.c and each wire's events: answers put together however a stream is cut.
// SPDX-License-Identifier: MIT
#include "pool/wire/stream.h"

#include "tests/unit/pool/wire/built.h"

#include <stdlib.h>

struct outcome_of {
    enum stream_end end;
    struct buf scratch;
    struct reply reply;
    const char *what;
    bool began;
};

static void forget(struct outcome_of *o) {
    buf_free(&o->scratch);
}

// Feeds a stream in pieces of `size` bytes, from memory that is gone after each.
static struct outcome_of read_in(const struct wire *wire, struct slice bytes, size_t size,
                                 size_t max) {
    struct outcome_of o = {.scratch = BUF_INIT(MAX)};
    struct wire_stream s;
    wire_stream_init(&s, wire, max);
    for (size_t i = 0; i < bytes.n; i += size) {
        size_t n = bytes.n - i < size ? bytes.n - i : size;
        char *own = malloc(n);
        memcpy(own, bytes.p + i, n);
        bool more = wire_stream_feed(&s, slice_of(own, n));
        free(own);
        if (!more)
            break;
    }
    o.end = wire_stream_finish(&s, &o.scratch, &o.what);
    o.began = s.began;
    if (o.end == STREAM_WHOLE || o.end == STREAM_BLOCKED) {
        assert_true(json_check(buf_slice(&o.scratch), NULL));
        wire_stream_reply(&s, buf_slice(&o.scratch), &o.reply);
    }
    wire_stream_free(&s);
    return o;
}

static const struct wire *const wires[] = {&wire_openai, &wire_anthropic, &wire_gemini};

static void expect_answer(const struct outcome_of *o, const struct wire_response *r, bool usage) {
    assert_int_equal(o->end, STREAM_WHOLE);
    assert_true(slice_eq(o->reply.model, r->model));
    assert_true(o->reply.request_id.n > 2);
    assert_true(o->reply.finish_reason.n > 2);
    assert_int_equal(o->reply.usage.input_tokens, usage ? 3 : -1);
    assert_int_equal(o->reply.usage.output_tokens, usage ? 4 : -1);
    assert_int_equal(o->reply.usage.total_tokens, usage ? 7 : -1);
    assert_null(o->reply.reasoning.p);
    assert_null(o->reply.refusal.p);
    if (!r->tool_name.n) {
        assert_true(slice_eq(o->reply.text, r->text));
        assert_null(o->reply.tool_calls.p);
        return;
    }
    struct slice function = json_get(first_of(o->reply.tool_calls), "function");
    assert_true(slice_eq(json_get(function, "name"), r->tool_name));
    assert_true(json_get(first_of(o->reply.tool_calls), "id").n > 2);
    expect_arguments(json_get(function, "arguments"), r->text);
    assert_true(o->began);
}

static void test_round_trip(void **state) {
    (void)state;
    struct random random = {5};
    struct buf text = BUF_INIT(MAX), out = BUF_INIT(MAX);
    for (int i = 0; i < 1500; i++) {
        const struct wire *wire = wires[i % 3];
        bool usage = wire != &wire_openai || random_below(&random, 2);
        random_text(&random, &text);
        struct wire_response r = response_of(buf_slice(&text), random_below(&random, 2));
        buf_clear(&out);
        wire->build_stream(&r, usage, &out);
        struct outcome_of o =
            read_in(wire, buf_slice(&out), 1 + (size_t)random_below(&random, 300), MAX);
        expect_answer(&o, &r, usage);
        assert_int_equal(o.began, r.text.n > 2 || r.tool_name.n);
        forget(&o);
    }
    buf_free(&text);
    buf_free(&out);
}

// A stream in two pieces, and one that breaks off, at every byte.
static void test_every_byte(void **state) {
    (void)state;
    struct buf out = BUF_INIT(MAX);
    for (int i = 0; i < 6; i++) {
        const struct wire *wire = wires[i / 2];
        struct wire_response r =
            response_of(SLICE("\"one two \\ud83d\\ude00 \xe2\x82\xac three\\n four five\""), i % 2);
        buf_clear(&out);
        wire->build_stream(&r, true, &out);
        bool whole_before = false;
        for (size_t n = 0; n <= out.n; n++) {
            struct wire_stream s;
            struct outcome_of o = {.scratch = BUF_INIT(MAX)};
            wire_stream_init(&s, wire, MAX);
            wire_stream_feed(&s, slice_of(out.p, n));
            wire_stream_feed(&s, slice_of(out.p + n, out.n - n));
            o.end = wire_stream_finish(&s, &o.scratch, &o.what);
            wire_stream_reply(&s, buf_slice(&o.scratch), &o.reply);
            o.began = s.began;
            expect_answer(&o, &r, true);
            forget(&o);
            wire_stream_free(&s);
            // broken off: no answer until its end has come, and then all of it
            o = read_in(wire, slice_of(out.p, n), SIZE_MAX / 2, MAX);
            assert_true(o.end == STREAM_WHOLE || o.end == STREAM_BROKEN);
            assert_true(o.end == STREAM_WHOLE || !whole_before);
            whole_before |= o.end == STREAM_WHOLE;
            if (o.end == STREAM_WHOLE && !r.tool_name.n)
                assert_true(slice_eq(o.reply.text, r.text));
            if (o.end == STREAM_BROKEN)
                assert_non_null(o.what);
            forget(&o);
        }
        assert_true(whole_before);
    }
    buf_free(&out);
}

#define DATA(json) "data: " json "\n\n"

static void expect_scratch(const struct wire *wire, const char *stream, enum stream_end end,
                           const char *scratch) {
    struct outcome_of o = read_in(wire, slice_str(stream), 7, MAX);
    if (o.end != end || strcmp(buf_cstr(&o.scratch), scratch) != 0)
        fail_msg("%d %s (%s) instead of %d %s", o.end, buf_cstr(&o.scratch), o.what ? o.what : "",
                 end, scratch);
    forget(&o);
}

static void test_openai_events(void **state) {
    (void)state;
    static const struct {
        const char *stream;
        enum stream_end end;
        const char *scratch;
    } rows[] = {
        {DATA("{\"id\":\"i\",\"model\":\"m\",\"choices\":[{\"delta\":{\"reasoning_content\":\"h\","
              "\"content\":null}}]}") DATA("{\"choices\":[{\"delta\":{\"reasoning\":\"m\"}}]}")
             DATA("{\"choices\":[{\"index\":1,\"delta\":{\"content\":\"other\"}},{\"index\":0,"
                  "\"delta\":{\"content\":\"a\\ud83d\"}}]}")
                 DATA("{\"choices\":[{\"delta\":{\"content\":\"\\ude00\"},\"finish_reason\":"
                      "\"stop\"}],\"usage\":null}") DATA("[DONE]"),
         STREAM_WHOLE,
         "{\"text\":\"a\\ud83d\\ude00\",\"reasoning\":\"hm\",\"finish_reason\":\"stop\","
         "\"choices\":[{"
         "\"index\":0,\"text\":\"a\\ud83d\\ude00\",\"reasoning\":\"hm\",\"finish_reason\":\"stop\"}"
         ",{"
         "\"index\":1,\"text\":\"other\"}],\"model\":\"m\",\"id\":\"i\"}"},
        // without [DONE], without a last blank line
        {DATA("{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}") "data: "
                                                                 "{\"choices\":[{\"delta\":{},"
                                                                 "\"finish_reason\":\"length\"}]}",
         STREAM_WHOLE, "{\"text\":\"a\",\"finish_reason\":\"length\"}"},
        // calls side by side, and from a server that gives no index
        {DATA("{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"x\",\"function\":{"
              "\"name\":\"f\",\"arguments\":\"\"}},{\"index\":1,\"id\":\"y\",\"function\":{"
              "\"name\":\"g\",\"arguments\":\"{}\"}}]}}]}")
             DATA("{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{"
                  "\"arguments\":\"{\\\"a\\\":\"}}]}}]}")
                 DATA("{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{"
                      "\"arguments\":\"1}\"}}]},\"finish_reason\":\"tool_calls\"}]}"),
         STREAM_WHOLE,
         "{\"tool_calls\":[{\"id\":\"x\",\"type\":\"function\",\"function\":{\"name\":\"f\","
         "\"arguments\":\"{\\\"a\\\":1}\"}},{\"id\":\"y\",\"type\":\"function\",\"function\":{"
         "\"name\":\"g\",\"arguments\":\"{}\"}}],\"finish_reason\":\"tool_calls\"}"},
        {DATA("{\"choices\":[{\"delta\":{\"tool_calls\":[{\"id\":\"x\",\"function\":{\"name\":"
              "\"f\",\"arguments\":\"{\"}},{\"function\":{\"arguments\":\"}\"}},{\"id\":\"y\","
              "\"function\":{\"name\":\"g\"}}]},\"finish_reason\":\"stop\"}]}"),
         STREAM_WHOLE,
         "{\"tool_calls\":[{\"id\":\"x\",\"type\":\"function\",\"function\":{\"name\":\"f\","
         "\"arguments\":\"{}\"}},{\"id\":\"y\",\"type\":\"function\",\"function\":{\"name\":\"g\","
         "\"arguments\":\"{}\"}}],\"finish_reason\":\"stop\"}"},
        // content in parts
        {DATA("{\"choices\":[{\"delta\":{\"content\":[{\"type\":\"thinking\",\"thinking\":[{"
              "\"type\":\"text\",\"text\":\"hm\"}]},{\"type\":\"text\",\"text\":\"a\"}]},"
              "\"finish_reason\":\"stop\"}]}"),
         STREAM_WHOLE, "{\"text\":\"a\",\"reasoning\":\"hm\",\"finish_reason\":\"stop\"}"},
        {DATA("{\"choices\":[{\"text\":\"a\"}]}") DATA("{\"choices\":[{\"text\":\"b\","
                                                       "\"finish_reason\":\"stop\"}]}"),
         STREAM_WHOLE, "{\"text\":\"ab\",\"finish_reason\":\"stop\"}"},
        {DATA("{\"choices\":[{\"delta\":{\"refusal\":\"no\"},\"finish_reason\":\"stop\"}]}"),
         STREAM_WHOLE, "{\"refusal\":\"no\",\"finish_reason\":\"stop\"}"},
        {DATA("{\"choices\":[{\"delta\":{\"content\":\"\"},\"finish_reason\":\"content_filter\"}"
              "]}"),
         STREAM_BLOCKED, "{\"text\":\"\",\"finish_reason\":\"content_filter\"}"},
        {DATA("{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}")
             DATA("{\"error\":{\"message\":\"e\",\"code\":503}}") DATA("[DONE]"),
         STREAM_ERROR, "{\"error\":{\"message\":\"e\",\"code\":503}}"},
        {DATA("{\"error\":\"e\"}"), STREAM_ERROR, "{\"error\":\"e\"}"},
        {"event: error\ndata: {\"message\":\"e\"}\n\n", STREAM_ERROR, "{\"message\":\"e\"}"},
        {DATA("{\"error\":null,\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":"
              "\"stop\"}]}"),
         STREAM_WHOLE, "{\"text\":\"a\",\"finish_reason\":\"stop\"}"},
        {DATA("{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}"), STREAM_BROKEN, ""},
        {DATA("{\"choices\":"), STREAM_BROKEN, ""},
        {DATA("\"\xff\""), STREAM_BROKEN, ""},
        {DATA("[DONE]"), STREAM_BROKEN, ""},
        {DATA("{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":1024}]}}]}"), STREAM_BROKEN,
         ""},
        {"", STREAM_BROKEN, ""},
        {"<html>\n\n", STREAM_BROKEN, ""},
        {DATA("7") DATA("null") DATA("[]"), STREAM_BROKEN, ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        expect_scratch(&wire_openai, rows[i].stream, rows[i].end, rows[i].scratch);
}

#define START                                                                                      \
    DATA("{\"type\":\"message_start\",\"message\":{\"id\":\"i\",\"model\":\"m\",\"usage\":{"       \
         "\"input_tokens\":10,\"cache_read_input_tokens\":5,\"output_tokens\":1}}}")
#define END(reason)                                                                                \
    DATA("{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"" reason                        \
         "\"},\"usage\":{\"output_tokens\":9,\"input_tokens\":10}}")                               \
    DATA("{\"type\":\"message_stop\"}")
#define NAMES "\"model\":\"m\",\"id\":\"i\"}"

static void test_anthropic_events(void **state) {
    (void)state;
    static const struct {
        const char *stream;
        enum stream_end end;
        const char *scratch;
    } rows[] = {
        {START "event: ping\n" DATA("{\"type\":\"ping\"}") DATA(
             "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":"
             "\"thinking\",\"thinking\":\"\"}}")
             DATA("{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":"
                  "\"thinking_delta\",\"thinking\":\"hm\"}}")
                 DATA("{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":"
                      "\"signature_delta\",\"signature\":\"s\"}}")
                     DATA("{\"type\":\"content_block_start\",\"index\":1,\"content_block\":{"
                          "\"type\":\"text\",\"text\":\"a\"}}")
                         DATA("{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":"
                              "\"text_delta\",\"text\":\"b\"}}") END("end_turn"),
         STREAM_WHOLE,
         "{\"text\":\"ab\",\"reasoning\":\"hm\",\"finish_reason\":\"end_turn\"," NAMES},
        {START DATA("{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":"
                    "\"server_tool_use\",\"id\":\"s\",\"name\":\"web\",\"input\":{}}}")
             DATA("{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":"
                  "\"input_json_delta\",\"partial_json\":\"{}\"}}")
                 DATA("{\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":"
                      "\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{}}}")
                     DATA("{\"type\":\"content_block_start\",\"index\":2,\"content_block\":{"
                          "\"type\":\"tool_use\",\"id\":\"u\",\"name\":\"g\",\"input\":{\"b\":2}}}")
                         DATA("{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":"
                              "\"input_json_delta\",\"partial_json\":\"{\\\"a\\\":\"}}")
                             DATA("{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{"
                                  "\"type\":\"input_json_delta\",\"partial_json\":\"1}\"}}")
                                 END("tool_use"),
         STREAM_WHOLE,
         "{\"tool_calls\":[{\"id\":\"t\",\"type\":\"function\",\"function\":{\"name\":\"f\","
         "\"arguments\":\"{\\\"a\\\":1}\"}},{\"id\":\"u\",\"type\":\"function\",\"function\":{"
         "\"name\":\"g\",\"arguments\":\"{\\\"b\\\":2}\"}}],\"finish_reason\":\"tool_use\"," NAMES},
        {START END("refusal"), STREAM_BLOCKED, "{\"finish_reason\":\"refusal\"," NAMES},
        {START "event: error\n" DATA("{\"type\":\"error\",\"error\":{\"type\":"
                                     "\"overloaded_error\",\"message\":\"Overloaded\"}}"),
         STREAM_ERROR,
         "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}"
         "}"},
        {START, STREAM_BROKEN, ""},
        {DATA("{\"type\":\"message_stop\"}"), STREAM_BROKEN, ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        expect_scratch(&wire_anthropic, rows[i].stream, rows[i].end, rows[i].scratch);
    struct outcome_of o = read_in(&wire_anthropic, slice_str(rows[0].stream), 1, MAX);
    assert_int_equal(o.reply.usage.input_tokens, 15);
    assert_int_equal(o.reply.usage.output_tokens, 9);
    assert_int_equal(o.reply.usage.cached_tokens, 5);
    assert_int_equal(o.reply.usage.total_tokens, 24);
    forget(&o);
}

static void test_gemini_events(void **state) {
    (void)state;
    static const struct {
        const char *stream;
        enum stream_end end;
        const char *scratch;
    } rows[] = {
        {DATA("{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"hm\",\"thought\":true}]}}],"
              "\"modelVersion\":\"m\",\"responseId\":\"i\",\"usageMetadata\":{\"promptTokenCount\":"
              "3,\"totalTokenCount\":3}}")
             DATA("{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"},{\"functionCall\":{"
                  "\"name\":\"f\",\"args\":{\"x\":\"\\\"\"}},\"thoughtSignature\":\"S\"},{"
                  "\"functionCall\":{\"name\":\"g\"}}]},\"finishReason\":\"STOP\"}],"
                  "\"usageMetadata\":{\"promptTokenCount\":3,\"candidatesTokenCount\":4,"
                  "\"thoughtsTokenCount\":2,\"totalTokenCount\":9}}"),
         STREAM_WHOLE,
         "{\"text\":\"a\",\"reasoning\":\"hm\",\"tool_calls\":[{\"id\":\"call_0\",\"type\":"
         "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"x\\\":\\\"\\\\\\\"\\\"}\"}"
         ",\"extra_content\":{\"google\":{\"thought_signature\":\"S\"}}},{\"id\":\"call_1\","
         "\"type\":\"function\",\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}}],"
         "\"finish_reason\":\"STOP\"," NAMES},
        {DATA("{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}"), STREAM_BLOCKED,
         "{\"finish_reason\":\"SAFETY\"}"},
        {DATA("{\"candidates\":[{\"finishReason\":\"SAFETY\"}]}"), STREAM_BLOCKED,
         "{\"finish_reason\":\"SAFETY\"}"},
        {DATA("{\"candidates\":[{\"finishReason\":\"MAX_TOKENS\"}]}"), STREAM_WHOLE,
         "{\"finish_reason\":\"MAX_TOKENS\"}"},
        {DATA("{\"candidates\":[{\"finishReason\":\"OTHER\"}]}"), STREAM_WHOLE,
         "{\"finish_reason\":\"OTHER\"}"},
        {DATA("{\"candidates\":[{\"finishReason\":\"NEW\"}]}"), STREAM_BROKEN, ""},
        {DATA("{\"promptFeedback\":{\"blockReason\":\"OTHER\"}}"), STREAM_BLOCKED,
         "{\"finish_reason\":\"OTHER\"}"},
        {DATA("{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}")
             DATA("{\"error\":{\"code\":503,\"status\":\"UNAVAILABLE\"}}"),
         STREAM_ERROR, "{\"error\":{\"code\":503,\"status\":\"UNAVAILABLE\"}}"},
        {DATA("{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}"), STREAM_BROKEN,
         ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        expect_scratch(&wire_gemini, rows[i].stream, rows[i].end, rows[i].scratch);
    struct outcome_of o = read_in(&wire_gemini, slice_str(rows[0].stream), 1, MAX);
    assert_int_equal(o.reply.usage.input_tokens, 3);
    assert_int_equal(o.reply.usage.output_tokens, 6);
    assert_int_equal(o.reply.usage.reasoning_tokens, 2);
    assert_int_equal(o.reply.usage.total_tokens, 9);
    forget(&o);
}

#define CALLS(json) DATA("{\"choices\":[{\"delta\":{\"tool_calls\":[" json "]}}]}")
#define CALLED      DATA("{\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]}")
#define CALL(id, name, arguments)                                                                  \
    "{\"id\":\"" id "\",\"type\":\"function\",\"function\":{\"name\":\"" name                      \
    "\",\"arguments\":\"" arguments "\"}}"

// To which call a piece belongs, in all the ways that servers number them.
static void test_calls_by_id(void **state) {
    (void)state;
    static const struct {
        const char *stream, *calls;
    } rows[] = {
        // one place for two ids
        {CALLS("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"1\"}},{"
               "\"index\":0,\"id\":\"b\",\"function\":{\"name\":\"f\",\"arguments\":\"2\"}}")
             CALLS("{\"index\":0,\"id\":\"a\",\"function\":{\"arguments\":\"3\"}},{\"index\":0,"
                   "\"id\":\"b\",\"function\":{\"arguments\":\"4\"}}"),
         CALL("a", "f", "13") "," CALL("b", "f", "24")},
        // one place, no ids, other names
        {CALLS("{\"index\":0,\"function\":{\"name\":\"f\",\"arguments\":\"1\"}}")
             CALLS("{\"index\":0,\"function\":{\"name\":\"g\",\"arguments\":\"2\"}}"),
         CALL("call_0", "f", "1") "," CALL("call_1", "g", "2")},
        // a new id with each piece of one call
        {CALLS("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"1\"}}")
             CALLS("{\"index\":0,\"id\":\"b\",\"function\":{\"arguments\":\"2\"}}"),
         CALL("a", "f", "12")},
        // places that come late first; an object as arguments
        {CALLS("{\"index\":1,\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":{\"x\":1}}}")
             CALLS("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":{}}}"),
         CALL("a", "f", "{}") "," CALL("b", "g", "{\\\"x\\\":1}")},
        // neither place nor id, whole calls
        {CALLS("{\"function\":{\"name\":\"f\",\"arguments\":\"1\"}},{\"function\":{\"name\":"
               "\"g\",\"arguments\":\"2\"}}"),
         CALL("call_0", "f", "1") "," CALL("call_1", "g", "2")},
        // no place, the same tool twice
        {CALLS("{\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"1\"}},{\"id\":\"b\","
               "\"function\":{\"name\":\"f\",\"arguments\":\"2\"}}"),
         CALL("a", "f", "1") "," CALL("b", "f", "2")},
        // the older form, and a custom tool
        {DATA("{\"choices\":[{\"delta\":{\"function_call\":{\"name\":\"f\"}}}]}")
             DATA("{\"choices\":[{\"delta\":{\"function_call\":{\"arguments\":\"1\"}}}]}"),
         CALL("call_0", "f", "1")},
        {CALLS("{\"index\":0,\"id\":\"a\",\"custom\":{\"name\":\"f\",\"input\":\"1\"}}"),
         "{\"id\":\"a\",\"type\":\"custom\",\"custom\":{\"name\":\"f\",\"input\":\"1\"}}"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf stream = BUF_INIT(MAX), wanted = BUF_INIT(MAX);
        buf_addf(&stream, "%s%s", rows[i].stream, CALLED);
        buf_addf(&wanted, "{\"tool_calls\":[%s],\"finish_reason\":\"tool_calls\"}", rows[i].calls);
        expect_scratch(&wire_openai, buf_cstr(&stream), STREAM_WHOLE, buf_cstr(&wanted));
        buf_free(&stream);
        buf_free(&wanted);
    }
}

static void test_usage_that_grows(void **state) {
    (void)state;
    const char *stream = DATA("{\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":{"
                              "\"prompt_tokens\":3,\"completion_tokens\":1,\"total_tokens\":4}}")
        DATA("{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{"
             "\"prompt_tokens\":3,\"completion_tokens\":5,\"total_tokens\":8}}")
            DATA("{\"choices\":[],\"usage\":{\"prompt_tokens\":0,\"completion_tokens\":2}}")
                DATA("[DONE]");
    struct outcome_of o = read_in(&wire_openai, slice_str(stream), 9, MAX);
    assert_int_equal(o.reply.usage.input_tokens, 3);
    assert_int_equal(o.reply.usage.output_tokens, 5);
    assert_int_equal(o.reply.usage.total_tokens, 8);
    forget(&o);
    stream = DATA("{\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}],"
                  "\"x_groq\":{\"usage\":{\"prompt_tokens\":6}}}");
    o = read_in(&wire_openai, slice_str(stream), 9, MAX);
    assert_int_equal(o.reply.usage.input_tokens, 6);
    forget(&o);
}

// Below the ceiling all is well, above it nothing is kept, and a stream is ready for the next.
static void test_ceiling_and_reuse(void **state) {
    (void)state;
    struct buf out = BUF_INIT(MAX), text = BUF_INIT(MAX), scratch = BUF_INIT(MAX);
    struct wire_stream s;
    const char *what;
    wire_stream_init(&s, &wire_openai, 2000);
    for (int i = 0; i < 40; i++) {
        size_t size = (size_t)i * 100;
        struct reply reply;
        buf_clear(&text);
        buf_add_char(&text, '"');
        for (size_t n = 0; n < size; n++)
            buf_add_char(&text, n % 5 ? 'x' : ' ');
        buf_add_char(&text, '"');
        struct wire_response r = response_of(buf_slice(&text), false);
        buf_clear(&out);
        wire_openai.build_stream(&r, true, &out);
        wire_stream_clear(&s);
        wire_stream_feed(&s, buf_slice(&out));
        enum stream_end end = wire_stream_finish(&s, &scratch, &what);
        assert_int_equal(end, size < 1900 ? STREAM_WHOLE : size > 2000 ? STREAM_TOO_LARGE : end);
        if (end != STREAM_WHOLE)
            continue;
        wire_stream_reply(&s, buf_slice(&scratch), &reply);
        assert_true(slice_eq(reply.text, buf_slice(&text)));
        assert_int_equal(reply.usage.total_tokens, 7);
    }
    wire_stream_free(&s);
    buf_free(&out);
    buf_free(&text);
    buf_free(&scratch);
}

int main(void) {
    freopen("/dev/null", "w", stdout); // what failed goes to stderr
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_every_byte),
        cmocka_unit_test(test_openai_events), cmocka_unit_test(test_anthropic_events),
        cmocka_unit_test(test_gemini_events), cmocka_unit_test(test_usage_that_grows),
        cmocka_unit_test(test_calls_by_id),   cmocka_unit_test(test_ceiling_and_reuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
