// line_body.c (test): replies in a shape they did not come in: texts, calls, reasons, counts.
// SPDX-License-Identifier: MIT
#include "jobs/out/line_parts.h"

#include "tests/unit/jobs/out/finished.h"

static const char *body_of(const struct job *job, enum reply_shape shape) {
    static struct buf out = BUF_INIT(MEBIBYTE);
    buf_clear(&out);
    line_build_body(&out, job, shape);
    assert_true(json_check(buf_slice(&out), NULL));
    return buf_cstr(&out);
}

static struct job *some_job(enum reply_shape shape) {
    struct job *job = new_job("17");
    answer(job);
    job->result.shape = shape;
    return job;
}

static void the_three_shapes(void **state) {
    (void)state;
    struct job *job = some_job(REPLY_OPENAI);
    assert_string_equal(
        body_of(job, REPLY_OPENAI),
        "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1795240800,"
        "\"model\":\"glm-4.5-flash\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
        "\"content\":\"hi\",\"refusal\":null},\"finish_reason\":\"stop\"}],\"usage\":{"
        "\"prompt_tokens\":12,\"completion_tokens\":34,\"total_tokens\":46}}");
    assert_string_equal(
        body_of(job, REPLY_ANTHROPIC),
        "{\"id\":\"chatcmpl-1\",\"type\":\"message\",\"role\":\"assistant\","
        "\"model\":\"glm-4.5-flash\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}],"
        "\"stop_reason\":\"end_turn\",\"stop_sequence\":null,\"usage\":{\"input_tokens\":12,"
        "\"output_tokens\":34}}");
    assert_string_equal(
        body_of(job, REPLY_GEMINI),
        "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"hi\"}],\"role\":\"model\"},"
        "\"finishReason\":\"STOP\",\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":12,"
        "\"candidatesTokenCount\":34,\"totalTokenCount\":46},\"modelVersion\":\"glm-4.5-flash\","
        "\"responseId\":\"chatcmpl-1\"}");
    job_free(job);
}

static void what_a_reply_may_lack(void **state) {
    (void)state;
    struct job *job = some_job(REPLY_OPENAI);
    job->result.reply = (struct reply){.usage = USAGE_NONE};
    job->result.model_sent = SLICE_NONE;
    struct slice body = slice_str(body_of(job, REPLY_OPENAI));
    assert_true(slice_starts(json_get(body, "id"), "\"chatcmpl-"));
    assert_true(slice_is(json_get(body, "model"), "null"));
    assert_non_null(strstr(body.p, "\"content\":null"));
    assert_non_null(strstr(body.p, "\"total_tokens\":null"));
    body = slice_str(body_of(job, REPLY_ANTHROPIC));
    assert_true(slice_starts(json_get(body, "id"), "\"msg_"));
    assert_true(slice_is(json_get(body, "content"), "[]"));
    assert_true(slice_is(json_get(body, "stop_reason"), "null"));
    assert_true(
        slice_is(json_get(body, "usage"), "{\"input_tokens\":null,\"output_tokens\":null}"));
    body = slice_str(body_of(job, REPLY_GEMINI));
    assert_true(slice_is(json_get(body, "usageMetadata"), "{}"));
    assert_non_null(strstr(body.p, "\"parts\":[]"));
    job_free(job);
}

static void a_made_id_is_the_same_again(void **state) {
    (void)state;
    struct job *a = some_job(REPLY_OPENAI), *b = some_job(REPLY_OPENAI);
    char first[100];
    a->result.reply.request_id = b->result.reply.request_id = SLICE_NONE;
    b->id = SLICE("18");
    snprintf(first, sizeof first, "%.*s",
             SLICE_ARG(json_get(slice_str(body_of(a, REPLY_ANTHROPIC)), "id")));
    assert_true(slice_is(json_get(slice_str(body_of(a, REPLY_ANTHROPIC)), "id"), first));
    assert_false(slice_is(json_get(slice_str(body_of(b, REPLY_ANTHROPIC)), "id"), first));
    job_free(a);
    job_free(b);
}

static void reasons_are_translated(void **state) {
    (void)state;
    static const struct {
        enum reply_shape from;
        bool calls;
        const char *reason, *openai, *anthropic, *gemini;
    } rows[] = {
        {REPLY_OPENAI, false, "stop", "stop", "end_turn", "STOP"},
        {REPLY_OPENAI, false, "length", "length", "max_tokens", "MAX_TOKENS"},
        {REPLY_OPENAI, true, "tool_calls", "tool_calls", "tool_use", "STOP"},
        {REPLY_OPENAI, true, "stop", "stop", "tool_use", "STOP"},
        {REPLY_OPENAI, false, "content_filter", "content_filter", "refusal", "SAFETY"},
        {REPLY_OPENAI, false, "eos", "eos", "eos", "eos"},
        {REPLY_OPENAI, false, "model_length", "model_length", "max_tokens", "MAX_TOKENS"},
        {REPLY_ANTHROPIC, false, "end_turn", "stop", "end_turn", "STOP"},
        {REPLY_ANTHROPIC, false, "stop_sequence", "stop", "stop_sequence", "STOP"},
        {REPLY_ANTHROPIC, true, "tool_use", "tool_calls", "tool_use", "STOP"},
        {REPLY_ANTHROPIC, false, "refusal", "content_filter", "refusal", "SAFETY"},
        {REPLY_GEMINI, false, "STOP", "stop", "end_turn", "STOP"},
        {REPLY_GEMINI, true, "STOP", "tool_calls", "tool_use", "STOP"},
        {REPLY_GEMINI, true, "MAX_TOKENS", "length", "max_tokens", "MAX_TOKENS"},
        {REPLY_GEMINI, false, "SPII", "content_filter", "refusal", "SPII"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct job *job = some_job(rows[i].from);
        char token[40], wanted[80];
        snprintf(token, sizeof token, "\"%s\"", rows[i].reason);
        job->result.reply.finish_reason = slice_str(token);
        if (rows[i].calls)
            job->result.reply.tool_calls = SLICE("[{\"id\":\"c\",\"function\":{\"name\":\"f\"}}]");
        snprintf(wanted, sizeof wanted, "\"finish_reason\":\"%s\"", rows[i].openai);
        assert_non_null(strstr(body_of(job, REPLY_OPENAI), wanted));
        snprintf(wanted, sizeof wanted, "\"stop_reason\":\"%s\"", rows[i].anthropic);
        assert_non_null(strstr(body_of(job, REPLY_ANTHROPIC), wanted));
        snprintf(wanted, sizeof wanted, "\"finishReason\":\"%s\"", rows[i].gemini);
        assert_non_null(strstr(body_of(job, REPLY_GEMINI), wanted));
        job_free(job);
    }
}

#define CALL(id, arguments)                                                                        \
    "{\"id\":\"" id "\",\"type\":\"function\",\"function\":{\"name\":\"look\",\"arguments\":"      \
    "\"" arguments "\"}}"

static void calls_become_objects(void **state) {
    (void)state;
    static const struct {
        const char *arguments, *object;
    } rows[] = {
        {"{\\\"a\\\": 9007199254740993, \\\"b\\\":\\\"\\\\u0000\\\\\\\"\\\"}",
         "{\"a\": 9007199254740993, \"b\":\"\\u0000\\\"\"}"},
        {"{\\n\\\"a\\\":1}", "{ \"a\":1}"},
        {"{\\u007d", "{}"},
        {" {} ", "{}"},
        {"", "{}"},
        {"[1]", "{\"arguments\":\"[1]\"}"},
        {"{\\\"cut", "{\"arguments\":\"{\\\"cut\"}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct job *job = some_job(REPLY_OPENAI);
        char calls[400], wanted[600];
        snprintf(calls, sizeof calls, "[" CALL("c1", "%s") "]", rows[i].arguments);
        job->result.reply.tool_calls = slice_str(calls);
        job->result.reply.text = SLICE_NONE;
        snprintf(
            wanted, sizeof wanted,
            "\"content\":[{\"type\":\"tool_use\",\"id\":\"c1\",\"name\":\"look\",\"input\":%s}]",
            rows[i].object);
        assert_non_null(strstr(body_of(job, REPLY_ANTHROPIC), wanted));
        snprintf(wanted, sizeof wanted,
                 "\"parts\":[{\"functionCall\":{\"id\":\"c1\",\"name\":\"look\",\"args\":%s}}]",
                 rows[i].object);
        assert_non_null(strstr(body_of(job, REPLY_GEMINI), wanted));
        snprintf(wanted, sizeof wanted, "\"tool_calls\":%s}", calls);
        assert_non_null(strstr(body_of(job, REPLY_OPENAI), wanted));
        job_free(job);
    }
}

static void words_before_calls(void **state) {
    (void)state;
    struct job *job = some_job(REPLY_OPENAI);
    struct reply *reply = &job->result.reply;
    reply->reasoning = SLICE("\"hm\"");
    reply->refusal = SLICE("\"no\"");
    reply->tool_calls = SLICE(
        "[" CALL("c1", "{}") ",{\"id\":\"c2\",\"function\":{\"name\":\"see\",\"arguments\":\"{}\"},"
                             "\"extra_content\":{\"google\":{\"thought_signature\":\"sig\"}}}]");
    assert_non_null(
        strstr(body_of(job, REPLY_ANTHROPIC),
               "[{\"type\":\"thinking\",\"thinking\":\"hm\",\"signature\":\"\"},"
               "{\"type\":\"text\",\"text\":\"hi\"},{\"type\":\"text\",\"text\":\"no\"},"
               "{\"type\":\"tool_use\",\"id\":\"c1\",\"name\":\"look\",\"input\":{}},"
               "{\"type\":\"tool_use\",\"id\":\"c2\",\"name\":\"see\",\"input\":{}}]"));
    assert_non_null(
        strstr(body_of(job, REPLY_GEMINI),
               "[{\"text\":\"hm\",\"thought\":true},{\"text\":\"hi\"},{\"text\":\"no\"},"
               "{\"functionCall\":{\"id\":\"c1\",\"name\":\"look\",\"args\":{}}},{\"functionCall\":"
               "{\"id\":\"c2\",\"name\":\"see\",\"args\":{}},\"thoughtSignature\":\"sig\"}]"));
    assert_non_null(strstr(body_of(job, REPLY_OPENAI),
                           "\"content\":\"hi\",\"reasoning_content\":\"hm\",\"refusal\":\"no\","));
    job_free(job);
}

static void counts_are_split_as_each_provider_does(void **state) {
    (void)state;
    struct job *job = some_job(REPLY_OPENAI);
    job->result.reply.usage = (struct usage){100, 50, 150, 40, 20, -1};
    assert_non_null(strstr(body_of(job, REPLY_OPENAI),
                           "\"prompt_tokens\":100,\"completion_tokens\":50,\"total_tokens\":150,"
                           "\"prompt_tokens_details\":{\"cached_tokens\":40},"
                           "\"completion_tokens_details\":{\"reasoning_tokens\":20}}"));
    assert_non_null(strstr(body_of(job, REPLY_ANTHROPIC),
                           "{\"input_tokens\":60,\"cache_read_input_tokens\":40,"
                           "\"output_tokens\":50}"));
    assert_non_null(strstr(body_of(job, REPLY_GEMINI),
                           "{\"promptTokenCount\":100,\"candidatesTokenCount\":30,"
                           "\"thoughtsTokenCount\":20,\"cachedContentTokenCount\":40,"
                           "\"totalTokenCount\":150}"));
    // a server whose parts are larger than the whole
    job->result.reply.usage = (struct usage){10, 5, -1, 40, 20, -1};
    assert_non_null(strstr(body_of(job, REPLY_ANTHROPIC), "{\"input_tokens\":10,"));
    assert_non_null(strstr(body_of(job, REPLY_GEMINI), "\"candidatesTokenCount\":5,"));
    job_free(job);
}

static void a_reply_in_its_own_shape_keeps_its_bytes(void **state) {
    (void)state;
    struct buf out = BUF_INIT(MEBIBYTE);
    struct job *job = some_job(REPLY_GEMINI);
    set_body(job, SLICE("{ \"candidates\":\n[1.0] }"));
    line_add_reply(&out, job, REPLY_GEMINI);
    assert_string_equal(buf_cstr(&out), "{ \"candidates\": [1.0] }");
    buf_clear(&out);
    job->result.assembled = true;
    line_add_reply(&out, job, REPLY_GEMINI);
    assert_string_equal(buf_cstr(&out), body_of(job, REPLY_GEMINI));
    buf_free(&out);
    job_free(job);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_three_shapes),
        cmocka_unit_test(what_a_reply_may_lack),
        cmocka_unit_test(a_made_id_is_the_same_again),
        cmocka_unit_test(reasons_are_translated),
        cmocka_unit_test(calls_become_objects),
        cmocka_unit_test(words_before_calls),
        cmocka_unit_test(counts_are_split_as_each_provider_does),
        cmocka_unit_test(a_reply_in_its_own_shape_keeps_its_bytes),
    };
    QUIET_RUN(tests);
}
