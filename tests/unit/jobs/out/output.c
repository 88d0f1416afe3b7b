// output.c (test): gathering, resuming, and what a failing or dying disk leaves behind.
// SPDX-License-Identifier: MIT
#include "jobs/out/output.h"

#include "tests/unit/jobs/out/files.h"

static void jobs_become_lines(void **state) {
    (void)state;
    struct error err = {0};
    struct output *o = must_open();
    assert_true(add_job(o, "a", OUTCOME_OK, &err));
    assert_true(add_job(o, "b", OUTCOME_SERVER, &err));
    assert_file(results, ""); // gathered
    assert_true(output_flush(o, &err));
    assert_file(results, lines_of("ok:a failed:b"));
    assert_true(add_job(o, "c", OUTCOME_OK, &err));
    must_close(o);
    assert_file(results, lines_of("ok:a failed:b ok:c"));
    assert_true(output_close(NULL, &err));
}

static void lines_are_written_in_large_pieces(void **state) {
    (void)state;
    struct error err = {0};
    struct output *o = must_open();
    set_fault(FAULT_NONE, 0, 0, 0);
    for (int i = 0; i < 20000; i++)
        assert_true(add_job(o, "x", OUTCOME_OK, &err));
    int writes = fault.calls;
    size_t written = read_file(results).n;
    assert_true(writes >= 10 && (size_t)writes <= written / (256 * 1024));
    must_close(o);
    struct slice all = read_file(results);
    assert_int_equal(all.n, 20000 * strlen(lines_of("ok:x")));
}

// Whether the file says that this row needs no other line.
static bool is_done(struct output *o, const char *id) {
    struct job *job = job_new(1024, 1024);
    job->id = slice_str(id);
    bool done = output_look(o, job) == ROW_DONE;
    assert_true(!done || !job->replaces);
    job_free(job);
    return done;
}

static void a_failed_line_stays_until_another_has_its_place(void **state) {
    (void)state;
    struct error err = {0};
    write_file(results, slice_str(lines_of("ok:a failed:b ok:d failed:e")));
    struct output *o = must_open();
    assert_true(is_done(o, "a") && is_done(o, "d"));
    assert_false(is_done(o, "b"));
    assert_int_equal(output_unseen(o), 1);
    assert_int_equal(output_kept_failed(o), 0);
    assert_true(add_job(o, "b", OUTCOME_OK, &err) && output_flush(o, &err));
    assert_file(results, lines_of("ok:a failed:b ok:d failed:e ok:b"));
    must_close(o);
    assert_file(results, lines_of("ok:a ok:d failed:e ok:b"));
    assert_int_equal(folder_count(), 1);
}

// Two lines of one row, and one of a row that was no good: what a killed run leaves is put right even
// if there is nothing to add.
static void closing_takes_out_what_has_no_place(void **state) {
    (void)state;
    write_file(results, slice_str(lines_of("ok:a failed:b bad:c ok:b")));
    must_close(must_open());
    assert_file(results, lines_of("ok:a ok:b"));
    assert_int_equal(folder_count(), 1);
}

static void failed_lines_stay_if_asked_for(void **state) {
    (void)state;
    struct error err = {0};
    struct stat before, after;
    write_file(results, slice_str(lines_of("ok:a failed:b")));
    stat(results, &before);
    struct output *o =
        output_open(&(struct output_options){.path = results, .no_retry_failed = true}, &err);
    assert_true(is_done(o, "b"));
    assert_int_equal(output_kept_failed(o), 1);
    must_close(o);
    stat(results, &after);
    assert_int_equal(before.st_ino, after.st_ino); // nothing to drop: appended to in place
    assert_file(results, lines_of("ok:a failed:b"));
}

static void overwriting_starts_afresh(void **state) {
    (void)state;
    struct error err = {0};
    write_file(results, SLICE("whatever it was"));
    struct output *o = output_open(
        &(struct output_options){.path = results, .line = {.no_input = true}, .overwrite = true},
        &err);
    assert_non_null(o);
    assert_false(is_done(o, "a"));
    assert_true(add_job(o, "a", OUTCOME_OK, &err));
    must_close(o);
    assert_file(results, lines_of("ok:a"));
}

static void a_foreign_file_is_not_touched(void **state) {
    (void)state;
    static const char *const contents[] = {"my notes", "my notes\n",
                                           "{\"prompt\":\"x\"}\n{\"id\":\"1"};
    for (size_t i = 0; i < 3; i++) {
        struct error err = {0};
        struct stat before, after;
        write_file(results, slice_str(contents[i]));
        stat(results, &before);
        assert_null(open_results(&err));
        assert_int_equal(err.class, ERROR_USAGE);
        assert_non_null(strstr(err.text, "r.jsonl:1: "));
        stat(results, &after);
        assert_file(results, contents[i]);
        assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof before.st_mtim);
        assert_int_equal(before.st_ino, after.st_ino);
        assert_int_equal(folder_count(), 1);
    }
}

static void a_torn_last_line_is_repaired_at_every_byte(void **state) {
    (void)state;
    struct buf file = BUF_INIT(1u << 20), expected = BUF_INIT(1u << 20);
    for (int dropping = 0; dropping < 2; dropping++) {
        buf_clear(&file);
        buf_clear(&expected);
        buf_add_str(&file, lines_of(dropping ? "ok:a bad:b" : "ok:a ok:b"));
        size_t whole = file.n;
        buf_add_str(&file, lines_of("ok:last"));
        buf_add_str(&expected, lines_of(dropping ? "ok:a ok:last" : "ok:a ok:b ok:last"));
        for (size_t cut = whole; cut < file.n; cut++) {
            struct error err = {0};
            write_file(results, slice_of(file.p, cut));
            struct output *o = must_open();
            assert_false(is_done(o, "last"));
            assert_true(add_job(o, "last", OUTCOME_OK, &err));
            must_close(o);
            assert_file(results, buf_cstr(&expected));
        }
    }
    buf_free(&file);
    buf_free(&expected);
}

static void a_second_run_is_refused(void **state) {
    (void)state;
    struct error err = {0};
    write_file(results, slice_str(lines_of("ok:a failed:b")));
    struct output *o = must_open();
    assert_null(open_results(&err));
    assert_int_equal(err.class, ERROR_USAGE);
    assert_non_null(strstr(err.text, results));
    assert_null(output_open(&(struct output_options){.path = results, .overwrite = true},
                            &(struct error){0}));
    assert_file(results, lines_of("ok:a failed:b"));
    must_close(o);
}

// Opens, answers x, which failed before, adds d, closes. What happened is told by the file alone.
static bool whole_run(struct error *err) {
    struct output *o = output_open(&(struct output_options){.path = results,
                                                            .line = {.no_input = true},
                                                            .sync = OUTPUT_SYNC_INTERVAL},
                                   err);
    bool good = o && add_job(o, "x", OUTCOME_OK, err) && output_flush(o, err) &&
                output_sync(o, 1, err) && output_sync(o, 1 + OUTPUT_SYNC_AFTER, err) &&
                add_job(o, "d", OUTCOME_OK, err);
    return output_close(o, err) && good;
}

static void assert_ok_lines_are_there(void) {
    struct slice found = read_file(results);
    const char *a = lines_of("ok:a"), *b = lines_of("ok:b");
    assert_non_null(memmem(found.p, found.n, a, strlen(a)));
    assert_non_null(memmem(found.p, found.n, b, strlen(b)));
}

static void assert_whole_lines(void) {
    struct slice found = read_file(results);
    assert_true(found.n == 0 || found.p[found.n - 1] == '\n');
}

// Each system call of a run that drops and appends fails in turn, until a run gets through.
static void any_single_failure_leaves_whole_lines(void **state) {
    (void)state;
    static const int codes[] = {ENOSPC, EIO, EDQUOT};
    bool through = false;
    for (int at = 1; !through; at++)
        for (size_t c = 0; c < 3; c++)
            for (size_t partial = 0; partial < 2; partial++) {
                struct error err = {0};
                write_file(results, slice_str(lines_of("ok:a failed:x ok:b")));
                set_fault(FAULT_ERRNO, at, codes[c], partial * 25);
                bool good = whole_run(&err);
                through = fault.calls < at;
                set_fault(FAULT_NONE, 0, 0, 0);
                assert_int_equal(good, through);
                if (!good)
                    assert_int_equal(err.class, ERROR_OUTPUT);
                if (!good)
                    assert_non_null(strstr(err.text, strerror(codes[c])));
                assert_ok_lines_are_there();
                assert_whole_lines();
                assert_int_equal(folder_count(), 1);
                if (good)
                    assert_file(results, lines_of("ok:a ok:b ok:x ok:d"));
                must_close(must_open()); // and it can be resumed from
                assert_ok_lines_are_there();
            }
}

// The same with the process killed at each call: nothing that was ok is lost, and the next run
// ends.
static void a_kill_at_any_call_loses_nothing(void **state) {
    (void)state;
    bool through = false;
    for (int at = 1; !through; at++) {
        write_file(results, slice_str(lines_of("ok:a failed:x ok:b")));
        through = ends_before_kill_at(at, whole_run);
        assert_ok_lines_are_there();
        must_close(must_open());
        assert_ok_lines_are_there();
        assert_whole_lines();
        if (at > 100)
            fail_msg("a run makes no more than 100 calls");
    }
}

// A write that stops anywhere in the gathered lines: what arrived whole stays, the rest is counted.
static void a_partial_write_is_cut_to_whole_lines(void **state) {
    (void)state;
    size_t line = strlen(lines_of("ok:a"));
    for (size_t partial = 1; partial < 3 * line; partial++) {
        struct error err = {0}, again = {0}, last = {0};
        char count[40];
        write_file(results, SLICE(""));
        struct output *o = must_open();
        for (int i = 0; i < 3; i++)
            assert_true(add_job(o, "a", OUTCOME_OK, &err));
        set_fault(FAULT_ERRNO, 1, ENOSPC, partial);
        fault.at = 1;
        assert_false(output_flush(o, &err));
        set_fault(FAULT_NONE, 0, 0, 0);
        snprintf(count, sizeof count, " %zu result", 3 - partial / line);
        assert_non_null(strstr(err.text, count));
        assert_non_null(strstr(err.text, results));
        assert_non_null(strstr(err.text, strerror(ENOSPC)));
        assert_int_equal(read_file(results).n, partial / line * line);
        // what comes after is counted, not written
        assert_false(add_job(o, "b", OUTCOME_OK, &again));
        assert_false(output_close(o, &last));
        snprintf(count, sizeof count, " %zu result", 4 - partial / line);
        assert_non_null(strstr(again.text, count));
        assert_non_null(strstr(last.text, count));
        assert_int_equal(read_file(results).n, partial / line * line);
    }
}

static void a_full_device_is_reported(void **state) {
    (void)state;
    struct error err = {0};
    struct output *o = output_open(&(struct output_options){.path = "/dev/full"}, &err);
    assert_non_null(o);
    assert_true(add_job(o, "a", OUTCOME_OK, &err));
    assert_false(output_close(o, &err));
    assert_int_equal(err.class, ERROR_OUTPUT);
    assert_non_null(strstr(err.text, "/dev/full: No space left on device: 1 result not saved"));
}

static void a_closed_pipe_is_an_error_not_a_death(void **state) {
    (void)state;
    char fifo[100];
    struct error err = {0};
    signal(SIGPIPE, SIG_IGN);
    snprintf(fifo, sizeof fifo, "%s/fifo", folder);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    int reader = open(fifo, O_RDONLY | O_NONBLOCK);
    struct output *o = output_open(&(struct output_options){.path = fifo}, &err);
    assert_non_null(o);
    assert_true(add_job(o, "a", OUTCOME_OK, &err) && output_flush(o, &err));
    close(reader);
    assert_true(add_job(o, "b", OUTCOME_OK, &err));
    assert_false(output_close(o, &err));
    assert_non_null(strstr(err.text, "1 result not saved"));
}

static struct output *open_synced(enum output_sync sync) {
    struct error err = {0};
    struct output *o = output_open(
        &(struct output_options){.path = results, .line = {.no_input = true}, .sync = sync}, &err);
    assert_non_null(o);
    set_fault(FAULT_NONE, 0, 0, 0);
    synced = 0;
    return o;
}

// One line written, seen by output_sync() at this time.
static void write_at(struct output *o, int64_t now) {
    struct error err = {0};
    assert_true(add_job(o, "a", OUTCOME_OK, &err));
    assert_true(output_flush(o, &err));
    assert_true(output_sync(o, now, &err));
}

static void results_are_synced_within_a_second(void **state) {
    (void)state;
    struct error err = {0};
    struct output *o = open_synced(OUTPUT_SYNC_INTERVAL);
    int64_t began = INT64_C(5000000);
    assert_int_equal(output_sync_due(o), TIME_NEVER);
    assert_true(output_sync(o, began, &err));
    assert_int_equal(output_sync_due(o), TIME_NEVER); // nothing to sync
    write_at(o, began);
    assert_int_equal(output_sync_due(o), began + OUTPUT_SYNC_AFTER);
    write_at(o, began + OUTPUT_SYNC_AFTER - 1); // does not put it off
    assert_int_equal(output_sync_due(o), began + OUTPUT_SYNC_AFTER);
    assert_int_equal(synced, 0);
    assert_true(output_sync(o, began + OUTPUT_SYNC_AFTER, &err));
    assert_int_equal(synced, 1);
    assert_int_equal(output_sync_due(o), TIME_NEVER);
    assert_true(output_sync(o, began + 9 * OUTPUT_SYNC_AFTER, &err));
    assert_int_equal(synced, 1);
    write_at(o, began + 10 * OUTPUT_SYNC_AFTER);
    must_close(o); // and what was not due yet at the end
    assert_int_equal(synced, 2);
}

static void each_write_is_synced_or_none(void **state) {
    (void)state;
    struct output *o = open_synced(OUTPUT_SYNC_EACH);
    for (int i = 1; i <= 3; i++) {
        write_at(o, i);
        assert_int_equal(synced, i);
    }
    must_close(o);
    assert_int_equal(synced, 3);
    o = open_synced(OUTPUT_SYNC_NONE);
    write_at(o, 100 * OUTPUT_SYNC_AFTER);
    must_close(o);
    assert_int_equal(synced, 0);
}

// What a disk has said no to once it may drop without a word: it is not asked again.
static void a_sync_that_fails_ends_the_writing(void **state) {
    (void)state;
    struct error err = {0}, again = {0}, last = {0};
    struct output *o = open_synced(OUTPUT_SYNC_EACH);
    assert_true(add_job(o, "a", OUTCOME_OK, &err) && add_job(o, "b", OUTCOME_OK, &err));
    assert_true(output_flush(o, &err));
    set_fault(FAULT_ERRNO, 1, EIO, 0);
    assert_false(output_sync(o, 1, &err));
    assert_int_equal(err.class, ERROR_OUTPUT);
    assert_non_null(strstr(err.text, strerror(EIO)));
    assert_non_null(strstr(err.text, "the last 2 results may not survive"));
    assert_false(add_job(o, "c", OUTCOME_OK, &again));
    assert_non_null(strstr(again.text, "1 result not saved"));
    assert_false(output_close(o, &last));
    assert_non_null(strstr(last.text, "1 result not saved"));
    assert_file(results, lines_of("ok:a ok:b"));
}

static void standard_output_takes_lines(void **state) {
    (void)state;
    struct error err = {0};
    int saved = dup(STDOUT_FILENO), fd = open(results, O_RDWR | O_CREAT, 0600);
    dup2(fd, STDOUT_FILENO);
    struct output *o =
        output_open(&(struct output_options){.path = "-", .line = {.no_input = true}}, &err);
    bool good = o && !is_done(o, "a") && add_job(o, "a", OUTCOME_OK, &err) && output_close(o, &err);
    bool open_still = fcntl(STDOUT_FILENO, F_GETFD) >= 0;
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(fd);
    assert_true(good && open_still);
    assert_file(results, lines_of("ok:a"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(jobs_become_lines),
        TEST(lines_are_written_in_large_pieces),
        TEST(a_failed_line_stays_until_another_has_its_place),
        TEST(closing_takes_out_what_has_no_place),
        TEST(failed_lines_stay_if_asked_for),
        TEST(overwriting_starts_afresh),
        TEST(a_foreign_file_is_not_touched),
        TEST(a_torn_last_line_is_repaired_at_every_byte),
        TEST(a_second_run_is_refused),
        TEST(any_single_failure_leaves_whole_lines),
        TEST(a_kill_at_any_call_loses_nothing),
        TEST(a_partial_write_is_cut_to_whole_lines),
        TEST(a_full_device_is_reported),
        TEST(a_closed_pipe_is_an_error_not_a_death),
        TEST(results_are_synced_within_a_second),
        TEST(each_write_is_synced_or_none),
        TEST(a_sync_that_fails_ends_the_writing),
        TEST(standard_output_takes_lines),
    };
    QUIET_RUN(tests);
}
