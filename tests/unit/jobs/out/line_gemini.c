// line_gemini.c (test): the lines of a Gemini batch's output file.
// SPDX-License-Identifier: MIT
#include "jobs/out/line.h"

#include "tests/unit/jobs/out/finished.h"

static const struct line_options gemini = {.format = OUTPUT_GEMINI};

static void an_answer(void **state) {
    (void)state;
    struct job *job = new_job("my \"1\"");
    answer(job);
    job->result.shape = REPLY_GEMINI;
    set_body(job, SLICE("{\"candidates\": [],\n\"n\":9007199254740993}"));
    assert_string_equal(line_of(job, &gemini),
                        "{\"key\":\"my \\\"1\\\"\",\"response\":{\"candidates\": [], "
                        "\"n\":9007199254740993},\"api_key\":\"bigmodel-2\"}\n");
    job->result.shape = REPLY_ANTHROPIC;
    assert_non_null(strstr(line_of(job, &gemini), "\"parts\":[{\"text\":\"hi\"}]"));
    job_free(job);
}

#define INFO(reason)                                                                               \
    "\"details\":[{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"" reason    \
    "\",\"domain\":\"batch-run\"}]}"

static void failures(void **state) {
    (void)state;
    static const struct {
        enum reply_shape shape;
        enum outcome outcome;
        const char *body, *error;
    } rows[] = {
        {REPLY_GEMINI, OUTCOME_RATE_LIMITED, "{\"error\":{\"code\":429,\n\"details\":[]}}",
         "{\"code\":429, \"details\":[]}"},
        {REPLY_GEMINI, OUTCOME_NETWORK, "",
         "{\"code\":503,\"message\":\"w\",\"status\":\"UNAVAILABLE\"," INFO("network")},
        {REPLY_OPENAI, OUTCOME_SERVER, "{\"error\":{}}",
         "{\"code\":500,\"message\":\"w\",\"status\":\"INTERNAL\"," INFO("server")},
        {REPLY_GEMINI, OUTCOME_DEADLINE, "{\"error\":{}}",
         "{\"code\":504,\"message\":\"w\",\"status\":\"DEADLINE_EXCEEDED\"," INFO("deadline")},
        {REPLY_GEMINI, OUTCOME_BAD_RESPONSE, "{\"error\":\"text\"}",
         "{\"code\":500,\"message\":\"w\",\"status\":\"INTERNAL\"," INFO("bad_response")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct job *job = new_job("1");
        answer(job);
        job_fail(job, rows[i].outcome, "w");
        job->result.shape = rows[i].shape;
        set_body(job, slice_str(rows[i].body));
        struct slice line = slice_str(line_of(job, &gemini));
        assert_true(slice_is(json_get(line, "error"), rows[i].error));
        assert_true(slice_is(json_get(line, "api_key"), "\"bigmodel-2\""));
        assert_int_equal(json_get(line, "response").n, 0);
        job_free(job);
    }
}

static void a_bad_row_is_one_only_without_a_key(void **state) {
    (void)state;
    check_bad_row(&gemini);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer),
        cmocka_unit_test(failures),
        cmocka_unit_test(a_bad_row_is_one_only_without_a_key),
    };
    QUIET_RUN(tests);
}
