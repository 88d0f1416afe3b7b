// output.c (test): rows that changed between two runs, in each format.
// SPDX-License-Identifier: MIT
#include "jobs/out/output.h"

#include "jobs/in/source.h"
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
                                                {.format = OUTPUT_OPENAI},
                                                {.format = OUTPUT_ANTHROPIC},
                                                {.format = OUTPUT_GEMINI}};
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

// A file of lines that do not say what was sent: of an older version, or somebody took that out.
static void lines_that_do_not_tell_go_by_the_id(void **state) {
    (void)state;
    for (int f = OUTPUT_ANTHROPIC; f <= OUTPUT_GEMINI; f++) {
        struct output_options options = {.path = results,
                                         .line = {.format = (enum output_format)f}};
        write_file(results, SLICE(""));
        struct output *o = output_open(&options, &(struct error){0});
        assert_int_equal(run_row(o, "{\"prompt\":\"x\"}", OUTCOME_OK, "\"A\""), ROW_NEW);
        must_close(o);
        struct slice file = read_file(results);
        const char *told = memmem(file.p, file.n, ",\"input_hash\":", 14);
        assert_non_null(told);
        struct buf without = BUF_INIT(file.n);
        buf_add(&without, file.p, (size_t)(told - file.p));
        buf_add_str(&without, "}\n");
        write_file(results, buf_slice(&without));
        o = output_open(&options, &(struct error){0});
        assert_non_null(o);
        assert_int_equal(run_row(o, "{\"prompt\":\"y\"}", OUTCOME_OK, "\"A\""), ROW_DONE);
        must_close(o);
        buf_free(&without);
    }
}

// As a run resumes: one set tells the rows of the input apart and knows the results, whose ids the
// input has as its own, by its rows' numbers, twice, or not at all.
static void a_set_shared_with_the_input(void **state) {
    (void)state;
    static const char rows[] = "\"p\"\n"                               // 1: done
                               "{\"id\":\"a\",\"prompt\":\"p\"}\n"     // done
                               "\n"                                    //
                               "{\"id\":\"a\",\"prompt\":\"p\"}\n"     // a#2: said again
                               "{\"id\":\"new\",\"prompt\":\"p\"}\n"   // new
                               "{\"id\":\"new\",\"prompt\":\"p\"}\n"   // new#2
                               "{\"id\":7,\"prompt\":\"p\"}\n"         // done
                               "\"p\"\n"                               // its number is taken
                               "{\"id\":\"late\",\"prompt\":\"p\"}\n"; // failed before
    static const struct {
        const char *id;
        enum row_before before;
        const char *message; // NULL: a good row
    } expected[] = {
        {"1", ROW_DONE, NULL},
        {"a", ROW_DONE, NULL},
        {"a#2", ROW_NEW, "already used on line 2 "},
        {"new", ROW_NEW, NULL},
        {"new#2", ROW_NEW, "already used on line 5 "},
        {"7", ROW_DONE, NULL},
        {"7#2", ROW_NEW, "already used as one on line 7 "},
        {"late", ROW_FAILED, NULL},
    };
    char path[80];
    snprintf(path, sizeof path, "%s/in.jsonl", folder);
    write_file(path, slice_str(rows));
    write_file(results, slice_str(lines_of("ok:7 bad:a#2 ok:a ok:1 ok:gone failed:late")));
    struct error err = {0};
    struct source *s = source_open(&(struct source_options){.path = path, .wake_fd = -1}, &err);
    struct output *o = must_open();
    struct job *job = job_new(1 << 16, 0);
    source_share_ids(s, output_share_ids(o));
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        job_clear(job);
        assert_int_equal(source_next(s, job, &err), SOURCE_JOB);
        assert_true(slice_is(job->id, expected[i].id));
        bool bad = job->result.outcome == OUTCOME_BAD_INPUT;
        assert_int_equal(bad, expected[i].message != NULL);
        assert_true(!bad || strstr(job->result.message, expected[i].message));
        assert_int_equal(output_look(o, job), expected[i].before);
    }
    assert_int_equal(output_unseen(o), 1);
    job_free(job);
    source_close(s);
    must_close(o);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_row_that_changed_runs_again),
        TEST(lines_that_do_not_tell_go_by_the_id),
        TEST(a_set_shared_with_the_input),
    };
    QUIET_RUN(tests);
}
