// Tests pool/answer.c: what of a 2xx answer becomes a reply, and what a verdict.
// SPDX-License-Identifier: MIT
#include "pool/answer.h"

#include "pool/catalogue.h"

#include "tests/unit/pool/test.h"

struct read_back {
    struct buf body, scratch;
    struct secret *secret;
    struct result result;
    struct verdict verdict;
};

static void read_with(const struct wire *wire, const char *body, struct read_back *r) {
    *r = (struct read_back){.body = BUF_INIT(1 << 16), .scratch = BUF_INIT(1 << 16)};
    r->secret = secret_new(SLICE("sk-0123456789-abcdefghij"));
    buf_add_str(&r->body, body);
    struct transfer t = {.status = TRANSFER_ANSWERED, .http_status = 200, .reply = &r->body};
    struct provider provider = {.name = "here", .wire = wire};
    struct answer_context context = {
        .provider = &provider, .secret = r->secret, .scratch = &r->scratch};
    answer_read(&t, &context, &r->result, &r->verdict);
}

static void forget(struct read_back *r) {
    buf_free(&r->body);
    buf_free(&r->scratch);
    secret_free(r->secret);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_answers_of_every_wire),
        cmocka_unit_test(says_what_policy_kept_back),
        cmocka_unit_test(keeps_words_that_came_before_the_filter),
    };
    RUN_TESTS(tests);
}
