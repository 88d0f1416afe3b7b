// Tests pool/wire/openai_reply.c: what of a whole answer becomes a reply.
// SPDX-License-Identifier: MIT
#include "tests/unit/pool/wire/built.h"
#include "tests/unit/pool/wire/whole.h"

static enum wire_answer read(const char *body, struct buf *scratch, struct reply *reply) {
    const char *what = NULL;
    struct slice text = slice_str(body);
    assert_true(json_check(text, NULL));
    enum wire_answer answer = read_whole(&wire_openai, text, scratch, reply, &what);
    assert_int_equal(answer == WIRE_OK, what == NULL);
    return answer;
}

static void test_reply(void **state) {
    (void)state;
    struct buf scratch = BUF_INIT(MAX);
    struct reply r;
    assert_int_equal(read(REPLY, &scratch, &r), WIRE_OK);
    assert_true(slice_is(r.text, "\"a\\u0000b\""));
    assert_true(slice_is(r.finish_reason, "\"stop\""));
    assert_true(slice_is(r.model, "\"gpt\""));
    assert_true(slice_is(r.request_id, "\"chatcmpl-1\""));
    assert_true(slice_is(r.reasoning, "\"why\""));
    assert_true(slice_is(r.tool_calls, "[" REPLY_CALL "]"));
    assert_null(r.refusal.p);
    assert_true(slice_is(
        r.choices,
        "[{\"index\":0,\"text\":\"a\\u0000b\",\"reasoning\":\"why\",\"tool_calls\":[" REPLY_CALL
        "],\"finish_reason\":\"stop\"},{\"index\":1,\"text\":\"second\"}]"));
    assert_int_equal(r.usage.input_tokens, 12);
    assert_int_equal(r.usage.output_tokens, 34);
    assert_int_equal(r.usage.total_tokens, 46);
    assert_int_equal(r.usage.cached_tokens, 5);
    assert_int_equal(r.usage.reasoning_tokens, 7);
    buf_free(&scratch);
}

static void test_reply_texts(void **state) {
    (void)state;
    static const struct {
        const char *message, *text; // text "": WIRE_OK without; NULL: not mine
    } rows[] = {
        {"{\"content\":\"\"}", "\"\""},
        {"{\"content\":null,\"tool_calls\":[" REPLY_CALL "]}", ""},
        {"{\"content\":null}", ""},
        {"{\"tool_calls\":[" REPLY_CALL "]}", ""},
        {"{\"refusal\":\"no\"}", ""},
        {"{\"content\":[{\"type\":\"text\",\"text\":\"one\"}]}", "\"one\""},
        {"{\"content\":[{\"type\":\"thinking\",\"thinking\":[]},{\"text\":\"a\\\"\",\"type\":"
         "\"text\"},{\"type\":\"reference\"},{\"type\":\"text\",\"text\":\"b\"},{\"type\":\"text\","
         "\"text\":\"\\u0000\"}]}",
         "\"a\\\"b\\u0000\""},
        {"{\"content\":[{\"type\":\"text\",\"text\":\"\"},{\"type\":\"text\",\"text\":\"\"}]}",
         "\"\""},
        {"{\"content\":[{\"type\":\"text\",\"text\":7},3,null]}", ""},
        {"{\"content\":[]}", ""},
        {"{}", NULL},
        {"{\"content\":7}", NULL},
        {"{\"content\":{\"text\":\"a\"}}", "\"a\""},
        {"{\"content\":[\"a\",\"b\"]}", "\"ab\""},
        {"{\"content\":[{\"type\":\"output_text\",\"text\":\"a\"}]}", "\"a\""},
        {"{\"content\":true}", NULL},
        {"{\"tool_calls\":[]}", NULL},
        {"{\"tool_calls\":{}}", NULL},
        {"null", NULL},
        {"[]", NULL},
        {"\"text\"", NULL},
    };
    struct buf scratch = BUF_INIT(MAX);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char body[1000];
        struct reply r;
        snprintf(body, sizeof body, "{\"choices\":[{\"message\":%s,\"finish_reason\":\"stop\"}]}",
                 rows[i].message);
        enum wire_answer answer = read(body, &scratch, &r);
        assert_int_equal(answer, rows[i].text ? WIRE_OK : WIRE_NOT_MINE);
        if (rows[i].text && rows[i].text[0])
            assert_true(slice_is(r.text, rows[i].text));
        else
            assert_null(r.text.p);
    }
    buf_free(&scratch);
}

static void test_reply_shapes(void **state) {
    (void)state;
    static const char *const bad[] = {
        "{}",
        "[]",
        "7",
        "{\"choices\":[]}",
        "{\"choices\":[7]}",
        "{\"choices\":{}}",
        "null",
        "\"choices\"",
        "{\"choices\":null}",
        "{\"choices\":[[]]}",
        "{\"choices\":[{}]}",
        "{\"object\":\"chat.completion\"}",
        "{\"choices\":[{\"text\":7}]}",
    };
    struct buf scratch = BUF_INIT(MAX);
    struct reply r;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(read(bad[i], &scratch, &r), WIRE_NOT_MINE);
    assert_int_equal(read("{\"object\":\"list\",\"data\":[{\"embedding\":[1]}],\"model\":\"e\","
                          "\"usage\":{\"prompt_tokens\":8,\"total_tokens\":8}}",
                          &scratch, &r),
                     WIRE_OK);
    assert_null(r.text.p);
    assert_int_equal(r.usage.input_tokens, 8);
    assert_int_equal(r.usage.output_tokens, -1);
    assert_int_equal(read("{\"choices\":[{\"text\":\"old\"}],\"usage\":{\"prompt_tokens\":-3,"
                          "\"completion_tokens\":\"4\",\"total_tokens\":1e3,"
                          "\"prompt_tokens_details\":[],\"completion_tokens_details\":null},"
                          "\"id\":7,\"model\":null}",
                          &scratch, &r),
                     WIRE_OK);
    assert_true(slice_is(r.text, "\"old\""));
    assert_null(r.model.p);
    assert_null(r.request_id.p);
    assert_int_equal(r.usage.input_tokens, -1);
    assert_int_equal(r.usage.output_tokens, -1);
    assert_int_equal(r.usage.total_tokens, -1);
    assert_int_equal(r.usage.cached_tokens, -1);
    buf_free(&scratch);
}

static void test_joined_text_ceiling(void **state) {
    (void)state;
    struct buf scratch = BUF_INIT(8);
    struct reply r;
    assert_int_equal(read("{\"choices\":[{\"message\":{\"content\":[{\"type\":\"text\",\"text\":"
                          "\"12345\"},{\"type\":\"text\",\"text\":\"67890\"}]}}]}",
                          &scratch, &r),
                     WIRE_NOT_MINE);
    assert_null(r.text.p);
    buf_free(&scratch);
}

int main(void) {
    freopen("/dev/null", "w", stdout); // what failed goes to stderr
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reply),
        cmocka_unit_test(test_reply_texts),
        cmocka_unit_test(test_reply_shapes),
        cmocka_unit_test(test_joined_text_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
