// output_ordered.c (test): results in the order of the input: while they come, after kills and
// failures, and in files that were there before.
// SPDX-License-Identifier: MIT
#include "jobs/out/output.h"

#include "jobs/base/random.h"
#include "tests/unit/jobs/out/files.h"

static char side[80], other_side[80];

static int make_names(void **state) {
    int failed = make_folder(state);
    snprintf(side, sizeof side, "%s.ahead", results);
    snprintf(other_side, sizeof other_side, "%s.ahead2", results);
    return failed;
}

static struct output *open_as(const struct output_options *options) {
    struct error err = {0};
    struct output *o = output_open(options, &err);
    if (!o)
        fail_msg("%s", err.text);
    return o;
}

static const struct output_options ordered = {
    .path = results, .line = {.no_input = true}, .ordered = true, .sync = OUTPUT_SYNC_NONE};

static struct output *open_ordered(void) {
    return open_as(&ordered);
}

// A row as the reader meets it: its id is "r" and its index. NULL when it is done.
static struct job *meet(struct output *o, int64_t index, int64_t *sequence) {
    static char ids[4][24];
    static unsigned turn;
    char *id = ids[turn++ % 4];
    struct job *job = job_new(1024, 1024);
    snprintf(id, sizeof ids[0], "r%lld", (long long)index);
    job->id = slice_str(id);
    job->index = index;
    if (output_look(o, job) == ROW_DONE) {
        job_free(job);
        return NULL;
    }
    job->sequence = (*sequence)++;
    return job;
}

static bool finish(struct output *o, struct job *job, enum outcome outcome, struct error *err) {
    char id[24];
    snprintf(id, sizeof id, "r%lld", (long long)job->index);
    job->id = slice_str(id);
    if (outcome != OUTCOME_OK)
        job_fail(job, outcome, "failed");
    job->result.outcome = outcome;
    job->result.reply.text = outcome == OUTCOME_OK ? SLICE("\"\"") : SLICE_NONE;
    bool good = true;
    if (outcome == OUTCOME_NONE)
        output_pass(o, job);
    else
        good = output_add(o, job, err);
    job_free(job);
    return good;
}

// Rows [first, end), read in order, answered in the order of `script`, offsets from first; those that
// it does not name get no line.
static bool run_script(struct output *o, int64_t first, int64_t end, const char *script,
                       struct error *err) {
    struct job *jobs[16] = {NULL};
    int64_t sequence = 0;
    bool good = true;
    for (int64_t i = first; i < end; i++)
        jobs[i - first] = meet(o, i, &sequence);
    for (; *script; script++) {
        struct job **job = &jobs[*script - '0'];
        if (*job)
            good = finish(o, *job, OUTCOME_OK, err) && good;
        *job = NULL;
        good = output_flush(o, err) && good;
    }
    for (size_t i = 0; i < 16; i++)
        if (jobs[i])
            job_free(jobs[i]);
    return good;
}

// The indexes in the file, as "0 1 2".
static const char *order_in(const char *path) {
    static struct buf found = BUF_INIT(1u << 20);
    struct slice file = read_file(path), line;
    buf_clear(&found);
    while (slice_next(&file, '\n', &line) && line.n) {
        const char *id = memmem(line.p, line.n, "\":\"r", 4);
        assert_non_null(id);
        buf_addf(&found, found.n ? " %d" : "%d", (int)strtol(id + 4, NULL, 10));
    }
    return buf_cstr(&found);
}

static void a_line_waits_for_those_before_it(void **state) {
    (void)state;
    struct error err = {0};
    struct output *o = open_ordered();
    assert_true(run_script(o, 0, 5, "21", &err));
    assert_string_equal(order_in(results), "");
    assert_string_equal(order_in(side), "2 1"); // whatever happens now
    output_close(o, &err);
    assert_string_equal(order_in(results), "1 2"); // the end leaves gaps
    assert_int_equal(folder_count(), 1);
    assert_int_equal(unlink(results), 0);

    o = open_ordered();
    assert_true(run_script(o, 0, 5, "210", &err));
    assert_string_equal(order_in(results), "0 1 2");
    must_close(o);
    assert_string_equal(order_in(results), "0 1 2");
    assert_int_equal(folder_count(), 1);
}

static void nobody_waits_for_a_row_without_a_line(void **state) {
    (void)state;
    struct error err = {0};
    struct output *o = open_ordered();
    struct job *jobs[4];
    int64_t sequence = 0;
    for (int i = 0; i < 4; i++)
        jobs[i] = meet(o, i, &sequence);
    finish(o, jobs[3], OUTCOME_OK, &err);
    finish(o, jobs[1], OUTCOME_NONE, &err);
    finish(o, jobs[2], OUTCOME_SERVER, &err);
    assert_true(output_flush(o, &err));
    assert_string_equal(order_in(results), "");
    finish(o, jobs[0], OUTCOME_NONE, &err);
    assert_true(output_flush(o, &err));
    assert_string_equal(order_in(results), "2 3");
    must_close(o);
}

// The process that makes this run is killed before its end.
static void run_and_die(int64_t end, const char *script) {
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct output *o = open_ordered();
        run_script(o, 0, end, script, &(struct error){0});
        kill(getpid(), SIGKILL);
    }
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status));
}

static void the_next_run_takes_up_what_was_early(void **state) {
    (void)state;
    for (int again = 0; again < 2; again++) {
        struct error err = {0};
        struct output_options options = ordered;
        int64_t sequence = 0;
        options.ordered = again;
        unlink(results);
        run_and_die(7, "03516");
        assert_string_equal(order_in(results), "0 1");
        assert_string_equal(order_in(side), "3 5 6");
        struct output *o = open_as(&options);
        assert_int_equal(folder_count(),
                         1 + again); // the old ones are gone, an ordered run has its own
        assert_int_equal(output_unseen(o), 5);
        for (int i = 0; i < 7; i++) {
            struct job *job = meet(o, i, &sequence);
            assert_int_equal(!job, i != 2 && i != 4); // what is done is not sent again
            if (job)
                finish(o, job, OUTCOME_OK, &err);
        }
        assert_int_equal(output_unseen(o), 0);
        must_close(o);
        assert_string_equal(order_in(results), again ? "0 1 2 3 4 5 6" : "0 1 3 5 6 2 4");
        assert_int_equal(folder_count(), 1);
    }
}

// A side file that tells again what is in the results: a kill just after it was written there.
static void what_was_taken_over_counts_once(void **state) {
    (void)state;
    write_file(results, slice_str(lines_of("ok:r0 ok:r1 failed:r2")));
    write_file(side, slice_str(lines_of("ok:r1 failed:r2")));
    write_file(other_side, slice_str(lines_of("ok:r0 ok:r3")));
    struct output *o = open_ordered();
    assert_true(run_script(o, 0, 4, "", &(struct error){0}));
    must_close(o);
    assert_string_equal(order_in(results), "0 1 2 3");
    assert_int_equal(folder_count(), 1);
}

static void a_torn_side_file_is_repaired_at_every_byte(void **state) {
    (void)state;
    size_t whole = strlen(lines_of("ok:r3")), all = strlen(lines_of("ok:r3 ok:r2"));
    for (size_t n = 0; n <= all; n++) {
        write_file(results, slice_str(lines_of("ok:r0")));
        write_file(side, slice_of(lines_of("ok:r3 ok:r2"), n));
        struct output *o = open_ordered();
        assert_true(run_script(o, 0, 4, "", &(struct error){0}));
        must_close(o);
        assert_string_equal(order_in(results), n == all ? "0 2 3" : n >= whole ? "0 3" : "0");
        assert_int_equal(folder_count(), 1);
    }
}

static void a_foreign_side_file_is_not_touched(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct error err = {0};
        const char *path = i % 2 ? other_side : side;
        unlink(side);
        write_file(results, slice_str(lines_of("ok:r0")));
        write_file(side, slice_str(lines_of("ok:r1")));
        write_file(path, i < 2 ? SLICE("{\"id\":\"r1\",\"my\":\"notes\"}\n") : SLICE("my notes"));
        assert_null(output_open(&ordered, &err));
        assert_int_equal(err.class, ERROR_USAGE);
        assert_non_null(strstr(err.text, path));
        assert_file(results, lines_of("ok:r0"));
        assert_true(read_file(path).n > 0);
        unlink(other_side);
    }
    unlink(side);
    assert_int_equal(mkdir(side, 0700), 0);
    struct error err = {0};
    assert_null(output_open(&ordered, &err));
    assert_int_equal(err.class, ERROR_USAGE);
}

// The results file was taken from under a run, which has early lines still.
static void side_files_of_a_run_that_goes_on_are_not_touched(void **state) {
    (void)state;
    struct error err = {0};
    struct output *o = open_ordered();
    assert_true(run_script(o, 0, 3, "2", &err));
    unlink(results);
    assert_null(output_open(&ordered, &err));
    assert_int_equal(err.class, ERROR_USAGE);
    assert_non_null(strstr(err.text, "another run is writing to it"));
    assert_string_equal(order_in(side), "2");
    err = (struct error){0};
    assert_false(output_close(o, &err));
    assert_int_equal(err.class, ERROR_OUTPUT);
    assert_non_null(strstr(err.text, "was deleted by another program"));
}

static void overwriting_removes_side_files(void **state) {
    (void)state;
    struct output_options options = ordered;
    options.overwrite = true;
    write_file(side, slice_str(lines_of("ok:r1")));
    write_file(other_side, SLICE("whatever"));
    must_close(open_as(&options));
    assert_file(results, "");
    assert_int_equal(folder_count(), 1);
}

// ---- files that were there before ----

// As an earlier run would have left it that was not ordered.
static void write_unordered(const struct output_options *like, const char *script) {
    struct output_options options = *like;
    options.ordered = false;
    unlink(results);
    struct output *o = open_as(&options);
    assert_true(run_script(o, 0, 10, script, &(struct error){0}));
    must_close(o);
    assert_int_equal(strlen(order_in(results)), strlen(script) ? 2 * strlen(script) - 1 : 0);
}

static void a_file_is_put_in_order_at_the_end(void **state) {
    (void)state;
    static const struct {
        const char *before, *script, *after;
    } cases[] = {
        {"31", "420", "0 1 2 3 4"}, {"012", "34", "0 1 2 3 4"}, {"43210", "", "0 1 2 3 4"},
        {"9180", "", "0 1 9 8"}, // the input has no 8 and 9
        {"90", "12", "0 1 2 9"},    {"", "10", "0 1"},          {"0123", "", "0 1 2 3"},
    };
    for (int f = 0; f < OUTPUT_FORMATS; f++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            struct output_options options = ordered;
            options.line.format = (enum output_format)f;
            write_unordered(&options, cases[i].before);
            struct output *o = open_as(&options);
            assert_true(run_script(o, 0, 5, cases[i].script, &(struct error){0}));
            must_close(o);
            assert_string_equal(order_in(results), cases[i].after);
            assert_int_equal(folder_count(), 1);
        }
}

static void what_is_replaced_goes_while_the_rest_is_sorted(void **state) {
    (void)state;
    write_file(results, slice_str(lines_of("ok:r9 bad:r2 ok:r1 failed:r0 ok:r0 failed:r4")));
    struct output *o = open_ordered();
    assert_true(run_script(o, 0, 5, "43", &(struct error){0}));
    must_close(o);
    assert_string_equal(order_in(results), "0 1 3 4 9");
    struct slice file = read_file(results);
    assert_null(memmem(file.p, file.n, "failed", 6));
}

static void a_file_in_order_is_left_as_it_is(void **state) {
    (void)state;
    struct stat before, after;
    write_file(results, slice_str(lines_of("ok:r0 ok:r1 ok:r3 ok:r9")));
    stat(results, &before);
    struct output *o = open_ordered();
    assert_true(run_script(o, 0, 5, "", &(struct error){0}));
    must_close(o);
    stat(results, &after);
    assert_int_equal(before.st_ino, after.st_ino);
}

#define ROW                                                                                        \
    "{\"id\":\"r%d\",\"index\":%d,\"status\":\"ok\",\"provider\":null,\"key\":null,\"model\":"     \
    "null}\n"

// More lines than the tables keep in memory, shuffled.
static void many_lines_are_sorted(void **state) {
    (void)state;
    enum { ROWS = 300000 };
    struct buf file = BUF_INIT(1u << 30);
    struct random random = {.state = 3};
    int *rows = mem_new(ROWS * sizeof *rows);
    for (int i = 0; i < ROWS; i++) {
        int j = (int)random_below(&random, i + 1);
        rows[i] = rows[j];
        rows[j] = i;
    }
    for (int i = 0; i < ROWS; i++)
        buf_addf(&file, ROW, rows[i], rows[i]);
    write_file(results, buf_slice(&file));
    buf_clear(&file);
    struct output *o = open_ordered();
    int64_t sequence = 0;
    for (int i = 0; i < ROWS; i++) {
        assert_null(meet(o, i, &sequence));
        buf_addf(&file, ROW, i, i);
    }
    must_close(o);
    assert_true(slice_eq(read_file(results), buf_slice(&file)));
    buf_free(&file);
    free(rows);
}

// ---- what goes wrong ----

static void early_lines_are_lost_with_a_pipe_and_counted(void **state) {
    (void)state;
    struct error err = {0};
    struct output *o =
        output_open(&(struct output_options){.path = "/dev/full", .ordered = true}, &err);
    assert_non_null(o);
    assert_true(run_script(o, 0, 5, "4321", &err));
    assert_false(run_script(o, 0, 1, "0", &err));
    assert_non_null(strstr(err.text, "/dev/full: No space left on device: 5 results not saved"));
    assert_false(output_close(o, &err));
}

// A file that was there before and is not in order, an early line, one whose turn has come, a row that
// gets none. Whatever it says is on disk is there for the next run.
static bool whole_run(struct error *err) {
    struct output_options options = ordered;
    options.sync = OUTPUT_SYNC_INTERVAL;
    struct output *o = output_open(&options, err);
    bool good = o && run_script(o, 0, 6, "432", err) && output_sync(o, 1, err) &&
                output_sync(o, 1 + OUTPUT_SYNC_AFTER, err);
    return output_close(o, err) && good;
}

static void set_scene(void) {
    unlink(other_side);
    write_file(results, slice_str(lines_of("ok:r5 ok:r0")));
    write_file(side, slice_str(lines_of("ok:r0 ok:r1")));
}

static void assert_old_lines_are_there(void) {
    struct output *o = open_ordered();
    int64_t sequence = 0;
    for (int i = 0; i < 2; i++)
        assert_null(meet(o, i, &sequence));
    assert_null(meet(o, 5, &sequence));
    must_close(o);
}

static void any_single_failure_loses_no_more_than_it_says(void **state) {
    (void)state;
    bool through = false;
    for (int at = 1; !through; at++)
        for (size_t partial = 0; partial < 2; partial++) {
            struct error err = {0};
            set_scene();
            set_fault(FAULT_ERRNO, at, ENOSPC, partial * 25);
            bool good = whole_run(&err);
            through = fault.calls < at;
            set_fault(FAULT_NONE, 0, 0, 0);
            assert_int_equal(good, through);
            if (good) {
                assert_string_equal(order_in(results), "0 1 2 3 4 5");
                assert_int_equal(folder_count(), 1);
            } else {
                assert_int_equal(err.class, ERROR_OUTPUT);
                assert_non_null(strstr(err.text, strerror(ENOSPC)));
            }
            assert_old_lines_are_there();
            if (at > 200)
                fail_msg("a run makes no more than 200 calls");
        }
}

static void a_kill_at_any_call_loses_nothing(void **state) {
    (void)state;
    bool through = false;
    for (int at = 1; !through; at++) {
        set_scene();
        through = ends_before_kill_at(at, whole_run);
        assert_old_lines_are_there();
        struct error err = {0};
        if (!whole_run(&err))
            fail_msg("%s", err.text);
        assert_string_equal(order_in(results), "0 1 2 3 4 5");
        assert_int_equal(folder_count(), 1);
        if (at > 200)
            fail_msg("a run makes no more than 200 calls");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_names, remove_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_line_waits_for_those_before_it),
        TEST(nobody_waits_for_a_row_without_a_line),
        TEST(the_next_run_takes_up_what_was_early),
        TEST(what_was_taken_over_counts_once),
        TEST(a_torn_side_file_is_repaired_at_every_byte),
        TEST(a_foreign_side_file_is_not_touched),
        TEST(side_files_of_a_run_that_goes_on_are_not_touched),
        TEST(overwriting_removes_side_files),
        TEST(a_file_is_put_in_order_at_the_end),
        TEST(what_is_replaced_goes_while_the_rest_is_sorted),
        TEST(a_file_in_order_is_left_as_it_is),
        TEST(many_lines_are_sorted),
        TEST(early_lines_are_lost_with_a_pipe_and_counted),
        TEST(any_single_failure_loses_no_more_than_it_says),
        TEST(a_kill_at_any_call_loses_nothing),
    };
    QUIET_RUN(tests);
}
