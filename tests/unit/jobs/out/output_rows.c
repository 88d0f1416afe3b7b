// output.c (test): rows that changed between two runs, in each format.
// SPDX-License-Identifier: MIT
#include "jobs/out/output.h"

#include "tests/unit/jobs/out/files.h"

// The row of this id with this input. It is answered with "answer" unless it is done.
static enum row_before run_row(struct output *o, const char *input, enum outcome outcome,
                               const char *answer) {
    struct job *job = job_new(1024, 1024);
    struct error err = {0};
    job->id = SLICE("a");
    job->input = slice_str(input);
    if (outcome != OUTCOME_OK)
        job_fail(job, outcome, "failed");
    job->result.outcome = outcome;
    job->result.reply.text = slice_str(answer);
    enum row_before before = output_look(o, job);
    if (before != ROW_DONE && (before != ROW_CHANGED || outcome != OUTCOME_BAD_INPUT))
        assert_true(output_add(o, job, &err));
    job_free(job);
    return before;
}

static void a_row_that_changed_runs_again(void **state) {
    (void)state;
    static const struct line_options lines[] = {{.format = OUTPUT_NATIVE},
                                                {.format = OUTPUT_NATIVE, .no_input = true},
                                                {.format = OUTPUT_OPENAI}};
    for (size_t f = 0; f < sizeof lines / sizeof *lines; f++) {
        struct output_options options = {.path = results, .line = lines[f]};
        static const char first[] = "{\"id\":\"a\",\"prompt\":\"x\",\"note\":1}";
        static const char noted[] = "{\"note\":[2], \"prompt\": \"x\", \"id\":\"a\"}";
        static const char other[] = "{\"id\":\"a\",\"prompt\":\"y\",\"note\":1}";
        struct {
            const char *input;
            enum outcome outcome;
            enum row_before before;
            const char *there, *gone;
        } steps[] = {
            {first, OUTCOME_OK, ROW_NEW, "ANSWER0", "ANSWER1"},
            {noted, OUTCOME_OK, ROW_DONE, "ANSWER0", "ANSWER1"},
            {other, OUTCOME_BAD_INPUT, ROW_CHANGED, "ANSWER0", "ANSWER2"},
            {other, OUTCOME_OK, ROW_CHANGED, "ANSWER3", "ANSWER0"},
            {other, OUTCOME_OK, ROW_DONE, "ANSWER3", "ANSWER4"},
            {first, OUTCOME_SERVER, ROW_CHANGED, "failed", "ANSWER3"},
            {first, OUTCOME_SERVER, ROW_FAILED, "failed", "ANSWER3"},
            {first, OUTCOME_OK, ROW_FAILED, "ANSWER7", "failed"},
        };
        write_file(results, SLICE(""));
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
            char answer[] = "\"ANSWER0\"";
            answer[7] = (char)('0' + i);
            struct output *o = output_open(&options, &(struct error){0});
            assert_non_null(o);
            assert_int_equal(run_row(o, steps[i].input, steps[i].outcome, answer), steps[i].before);
            must_close(o);
            struct slice file = read_file(results);
            assert_non_null(memmem(file.p, file.n, steps[i].there, strlen(steps[i].there)));
            assert_null(memmem(file.p, file.n, steps[i].gone, strlen(steps[i].gone)));
            assert_ptr_equal(memchr(file.p, '\n', file.n), file.p + file.n - 1);
        }
    }
}

static void formats_that_do_not_tell_go_by_the_id(void **state) {
    (void)state;
    for (int f = OUTPUT_ANTHROPIC; f <= OUTPUT_GEMINI; f++) {
        struct output_options options = {.path = results,
                                         .line = {.format = (enum output_format)f}};
        static const enum row_before before[] = {ROW_NEW, ROW_DONE};
        static const char *const inputs[] = {"{\"prompt\":\"x\"}", "{\"prompt\":\"y\"}"};
        write_file(results, SLICE(""));
        for (int i = 0; i < 2; i++) {
            struct output *o = output_open(&options, &(struct error){0});
            assert_non_null(o);
            assert_int_equal(run_row(o, inputs[i], OUTCOME_OK, "\"A\""), before[i]);
            must_close(o);
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_row_that_changed_runs_again),
        TEST(formats_that_do_not_tell_go_by_the_id),
    };
    QUIET_RUN(tests);
}
