// Tests pool/answer.c: what of a 2xx answer becomes a reply, and what a verdict; the same as a stream.
// SPDX-License-Identifier: MIT
#include "pool/answer.h"

#include "pool/catalogue.h"

#include "tests/unit/pool/test.h"

struct read_back {
    struct buf body, scratch;
    struct secret_set *secrets;
    struct result result;
    struct verdict verdict;
};

static void read_with(const struct wire *wire, const char *body, struct read_back *r) {
    *r = (struct read_back){.body = BUF_INIT(1 << 16), .scratch = BUF_INIT(1 << 16)};
    r->secrets = secret_set_new();
    secret_set_add_text(r->secrets, SLICE("sk-0123456789-abcdefghij"));
    secret_set_ready(r->secrets);
    buf_add_str(&r->body, body);
    struct transfer t = {.status = TRANSFER_ANSWERED, .http_status = 200, .reply = &r->body};
    struct provider provider = {.name = "here", .wire = wire};
    struct answer_context context = {
        .provider = &provider, .secrets = r->secrets, .scratch = &r->scratch};
    answer_read(&t, &context, &r->result, &r->verdict);
}

static void forget(struct read_back *r) {
    buf_free(&r->body);
    buf_free(&r->scratch);
    secret_set_free(r->secrets);
}

static void reads_answers_of_every_wire(void **state) {
    (void)state;
    static const struct {
        const struct wire *wire;
        const char *body;
    } rows[] = {
        {&wire_openai, "{\"choices\":[{\"message\":{\"content\":\"t\"}}]}"},
        {&wire_anthropic, "{\"content\":[{\"type\":\"text\",\"text\":\"t\"}]}"},
        {&wire_gemini, "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"t\"}]}}]}"},
    };
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++) {
            struct read_back r;
            read_with(rows[i].wire, rows[j].body, &r);
            assert_int_equal(r.verdict.outcome, i == j ? OUTCOME_OK : OUTCOME_BAD_RESPONSE);
            if (i == j)
                assert_true(slice_is(r.result.reply.text, "\"t\""));
            forget(&r);
        }
}

static void says_what_policy_kept_back(void **state) {
    (void)state;
    static const struct {
        const struct wire *wire;
        const char *body, *code, *message;
    } rows[] = {
        {&wire_openai,
         "{\"choices\":[{\"message\":{\"content\":\"\"},\"finish_reason\":\"content_filter\"}]}",
         "content_filter", "the provider's policy held the answer back: content_filter"},
        {&wire_openai,
         "{\"choices\":[{\"message\":{\"content\":null},\"finish_reason\":\"sensitive\"}]}",
         "sensitive", "the provider's policy held the answer back: sensitive"},
        {&wire_anthropic, "{\"content\":[],\"stop_reason\":\"refusal\"}", "refusal",
         "the provider's policy refuses an answer: refusal"},
        {&wire_gemini, "{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}", "SAFETY",
         "the provider's policy blocked the prompt: SAFETY"},
        {&wire_gemini,
         "{\"promptFeedback\":{\"blockReason\":\"SAFETY \\u00e9 and a very long reason, which is "
         "more than any code has room for by far\"}}",
         NULL, "the provider's policy blocked the prompt: SAFETY \xc3\xa9"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct read_back r;
        read_with(rows[i].wire, rows[i].body, &r);
        assert_int_equal(r.verdict.outcome, OUTCOME_CONTENT_FILTER);
        assert_int_equal(r.verdict.cause, BECAUSE_REQUEST);
        assert_true(r.verdict.final);
        if (rows[i].code)
            assert_string_equal(r.verdict.code, rows[i].code);
        assert_non_null(strstr(r.verdict.message, rows[i].message));
        forget(&r);
    }
}

static void keeps_words_that_came_before_the_filter(void **state) {
    (void)state;
    struct read_back r;
    read_with(&wire_openai,
              "{\"choices\":[{\"message\":{\"content\":\"so\"},\"finish_reason\":"
              "\"content_filter\"}]}",
              &r);
    assert_int_equal(r.verdict.outcome, OUTCOME_OK);
    assert_true(slice_is(r.result.reply.finish_reason, "\"content_filter\""));
    forget(&r);
}

// -- streams --

#define SECRET "sk-0123456789-abcdefghij"
#define DELTA(text)                                                                                \
    "data: {\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define STOP  "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
#define USAGE "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n"
#define DONE  "data: [DONE]\n\n"

static const struct provider speaks_openai = {.name = "here", .wire = &wire_openai};

// Streams `body`, cut behind every `step` bytes, to a transfer that then ends with `status`.
static void stream_with(struct answer_stream *s, const char *body, size_t step,
                        enum transfer_status status, struct read_back *r) {
    *r = (struct read_back){.body = BUF_INIT(1 << 16), .scratch = BUF_INIT(1 << 16)};
    r->secrets = secret_set_new();
    secret_set_add_text(r->secrets, SLICE(SECRET));
    secret_set_ready(r->secrets);
    struct transfer t = {
        .http_status = 200, .reply = &r->body, .streamed = true, .error = "what curl says"};
    struct answer_context context = {
        .provider = &speaks_openai, .secrets = r->secrets, .scratch = &r->scratch, .stream = s};
    answer_listen(s, &wire_openai, &t);
    bool more = true;
    for (size_t at = 0, n = strlen(body); more && at < n; at += step)
        more = t.on_events(t.events_context, slice_of(body + at, step < n - at ? step : n - at));
    t.status = status;
    answer_read(&t, &context, &r->result, &r->verdict);
}

static void reads_a_stream_however_it_is_cut(void **state) {
    (void)state;
    static const char body[] =
        ": hello\n\n" DELTA("so \xc3\xa9") DELTA(" \\ud83d\\ude00") STOP USAGE DONE;
    struct answer_stream s;
    answer_stream_init(&s, 1 << 16);
    for (size_t step = 1; step <= sizeof body; step++) {
        struct read_back r;
        stream_with(&s, body, step, TRANSFER_ANSWERED, &r);
        assert_int_equal(r.verdict.outcome, OUTCOME_OK);
        assert_true(slice_is(r.result.reply.text, "\"so \xc3\xa9 \\ud83d\\ude00\""));
        assert_true(slice_is(r.result.reply.finish_reason, "\"stop\""));
        assert_int_equal(r.result.reply.usage.output_tokens, 2);
        assert_int_equal(r.result.http_status, 200);
        assert_true(r.result.ttft > 0);
        assert_true(r.result.assembled);
        assert_int_equal(r.result.shape, REPLY_OPENAI);
        forget(&r);
    }
    answer_stream_free(&s);
}

static void judges_how_a_stream_ends(void **state) {
    (void)state;
    static const struct {
        const char *body;
        enum transfer_status status;
        enum outcome outcome;
        const char *said; // part of the message
    } rows[] = {
        {DELTA("a") STOP, TRANSFER_ANSWERED, OUTCOME_OK, ""},
        {DELTA("a") DONE, TRANSFER_ANSWERED, OUTCOME_OK, ""},
        {DELTA("a"), TRANSFER_ANSWERED, OUTCOME_BAD_RESPONSE, "ended before the answer"},
        {"", TRANSFER_ANSWERED, OUTCOME_BAD_RESPONSE, "ended before the answer"},
        {"data: {\n\n" DELTA("a"), TRANSFER_ANSWERED, OUTCOME_BAD_RESPONSE, "is not JSON"},
        // the transfer failed: only what needs nothing more stands
        {DELTA("a") STOP DONE, TRANSFER_NETWORK, OUTCOME_OK, ""},
        {DELTA("a") STOP DONE, TRANSFER_TIMEOUT, OUTCOME_OK, ""},
        {DELTA("a") STOP, TRANSFER_NETWORK, OUTCOME_NETWORK, "what curl says"},
        {DELTA("a"), TRANSFER_STALLED, OUTCOME_TIMEOUT, "what curl says"},
        {DELTA("a"), TRANSFER_TIMEOUT, OUTCOME_TIMEOUT, "what curl says"},
        {"data: {\n\n", TRANSFER_NETWORK, OUTCOME_BAD_RESPONSE, "is not JSON"},
        // errors, before and behind the first word
        {"data: {\"error\":{\"message\":\"busy\",\"type\":\"server_error\"}}\n\n",
         TRANSFER_ANSWERED, OUTCOME_SERVER, "busy"},
        {DELTA("a") "data: {\"error\":{\"message\":\"busy\"}}\n\n", TRANSFER_NETWORK,
         OUTCOME_SERVER, "busy"},
        {"data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"content_filter\"}]}\n\n" DONE,
         TRANSFER_ANSWERED, OUTCOME_CONTENT_FILTER, "content_filter"},
        // JSON under the type of events
        {"{\"choices\":[{\"message\":{\"content\":\"t\"}}]}", TRANSFER_ANSWERED, OUTCOME_OK, ""},
        {"[{\"error\":{\"message\":\"busy\"}}]", TRANSFER_ANSWERED, OUTCOME_SERVER, "busy"},
        {"{\"choices\"", TRANSFER_STALLED, OUTCOME_TIMEOUT, "what curl says"},
    };
    struct answer_stream s;
    answer_stream_init(&s, 1 << 16);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t step = 1; step < 400; step += 98) {
            struct read_back r;
            stream_with(&s, rows[i].body, step, rows[i].status, &r);
            assert_int_equal(r.verdict.outcome, rows[i].outcome);
            assert_non_null(strstr(r.verdict.message, rows[i].said));
            assert_int_equal(r.result.ttft > 0, strncmp(rows[i].body, "data: {\"m", 9) == 0);
            forget(&r);
        }
    answer_stream_free(&s);
}

static void keeps_a_streams_ceiling(void **state) {
    (void)state;
    struct answer_stream s;
    struct read_back r;
    answer_stream_init(&s, 200);
    stream_with(&s, DELTA("0123456789") STOP DONE, 7, TRANSFER_ANSWERED, &r);
    assert_int_equal(r.verdict.outcome, OUTCOME_OK);
    forget(&r);
    struct buf body = BUF_INIT(1 << 20);
    for (int i = 0; i < 30; i++)
        buf_add_str(&body, DELTA("0123456789"));
    stream_with(&s, buf_cstr(&body), 7, TRANSFER_NETWORK, &r);
    assert_int_equal(r.verdict.outcome, OUTCOME_TOO_LARGE);
    assert_true(r.verdict.final);
    assert_string_equal(r.verdict.message,
                        "the answer is larger than 200 bytes (--max-reply-bytes)");
    forget(&r);
    buf_free(&body);
    answer_stream_free(&s);
}

static void masks_the_key_in_a_stream(void **state) {
    (void)state;
    static const char *const bodies[] = {
        DELTA("sk-0123456") DELTA("789-abcdefghij") STOP DONE,
        DELTA("a") "data: {\"error\":{\"message\":\"bad key " SECRET "\"}}\n\n",
        "{\"error\":{\"message\":\"bad key " SECRET "\"}}",
    };
    struct answer_stream s;
    answer_stream_init(&s, 1 << 16);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct read_back r;
        stream_with(&s, bodies[i], 5, TRANSFER_ANSWERED, &r);
        assert_null(memmem(r.body.p, r.body.n, SECRET, strlen(SECRET)));
        assert_null(strstr(r.verdict.message, SECRET));
        assert_true(i > 0 || slice_is(r.result.reply.text, "\"sk-0****ghij\""));
        forget(&r);
    }
    answer_stream_free(&s);
}

static void a_stream_leaves_nothing_for_the_next(void **state) {
    (void)state;
    struct answer_stream s;
    struct read_back r;
    answer_stream_init(&s, 1 << 16);
    stream_with(&s, DELTA("one") STOP USAGE DONE, 100, TRANSFER_ANSWERED, &r);
    forget(&r);
    stream_with(&s, "{\"no\":1}", 100, TRANSFER_ANSWERED, &r);
    assert_int_equal(r.verdict.outcome, OUTCOME_BAD_RESPONSE);
    assert_int_equal(r.result.ttft, 0);
    forget(&r);
    stream_with(&s, DELTA("two") STOP DONE, 100, TRANSFER_ANSWERED, &r);
    assert_true(slice_is(r.result.reply.text, "\"two\""));
    assert_int_equal(r.result.reply.usage.output_tokens, -1);
    forget(&r);
    answer_stream_free(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_answers_of_every_wire),
        cmocka_unit_test(says_what_policy_kept_back),
        cmocka_unit_test(keeps_words_that_came_before_the_filter),
        cmocka_unit_test(reads_a_stream_however_it_is_cut),
        cmocka_unit_test(judges_how_a_stream_ends),
        cmocka_unit_test(keeps_a_streams_ceiling),
        cmocka_unit_test(masks_the_key_in_a_stream),
        cmocka_unit_test(a_stream_leaves_nothing_for_the_next),
    };
    RUN_TESTS(tests);
}
