// line_anthropic.c (test): the lines of a message batch's results.
// SPDX-License-Identifier: MIT
#include "jobs/out/line.h"

#include "tests/unit/jobs/out/finished.h"

static const struct line_options anthropic = {.format = OUTPUT_ANTHROPIC};

static void an_answer(void **state) {
    (void)state;
    struct job *job = new_job("my \"1\"");
    answer(job);
    job->result.shape = REPLY_ANTHROPIC;
    set_body(job, SLICE("{\"id\": \"msg_1\",\n\"n\":9007199254740993}"));
    assert_string_equal(line_of(job, &anthropic),
                        "{\"custom_id\":\"my \\\"1\\\"\",\"result\":{\"type\":\"succeeded\","
                        "\"message\":{\"id\": \"msg_1\", \"n\":9007199254740993}},"
                        "\"key\":\"bigmodel-2\"}\n");
    job->result.shape = REPLY_OPENAI;
    struct slice message =
        json_get(json_get(slice_str(line_of(job, &anthropic)), "result"), "message");
    assert_true(slice_is(json_get(message, "content"), "[{\"type\":\"text\",\"text\":\"hi\"}]"));
    job_free(job);
}

static struct slice error_of(const struct job *job) {
    struct slice result = json_get(slice_str(line_of(job, &anthropic)), "result");
    assert_true(slice_is(json_get(result, "type"), "\"errored\""));
    return json_get(result, "error");
}

#define OWN "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"m\"}}"

static void failures(void **state) {
    (void)state;
    static const struct {
        enum reply_shape shape;
        enum outcome outcome;
        const char *body, *error;
    } rows[] = {
        {REPLY_ANTHROPIC, OUTCOME_SERVER, OWN "\n", OWN},
        // nobody's words, somebody else's, older than the failure
        {REPLY_ANTHROPIC, OUTCOME_SERVER, "<html>",
         "{\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"w\",\"code\":"
         "\"server\"}}"},
        {REPLY_OPENAI, OUTCOME_RATE_LIMITED, OWN,
         "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"w\","
         "\"code\":\"rate_limited\"}}"},
        {REPLY_ANTHROPIC, OUTCOME_DEADLINE, OWN,
         "{\"type\":\"error\",\"error\":{\"type\":\"timeout_error\",\"message\":\"w\","
         "\"code\":\"deadline\"}}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct job *job = new_job("1");
        answer(job);
        job_fail(job, rows[i].outcome, "w");
        job->result.shape = rows[i].shape;
        set_body(job, slice_str(rows[i].body));
        assert_true(slice_is(error_of(job), rows[i].error));
        job_free(job);
    }
}

static void the_providers_code_is_kept(void **state) {
    (void)state;
    struct job *job = new_job("1");
    answer(job);
    job_fail(job, OUTCOME_AUTH, "who?");
    memcpy(job->result.code, "1001", 5);
    assert_true(slice_is(error_of(job),
                         "{\"type\":\"error\",\"error\":{\"type\":\"authentication_error\","
                         "\"message\":\"who?\",\"code\":\"1001\"}}"));
    job_free(job);
}

static void a_bad_row_is_one_only_without_a_key(void **state) {
    (void)state;
    check_bad_row(&anthropic);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer),
        cmocka_unit_test(failures),
        cmocka_unit_test(the_providers_code_is_kept),
        cmocka_unit_test(a_bad_row_is_one_only_without_a_key),
    };
    QUIET_RUN(tests);
}
