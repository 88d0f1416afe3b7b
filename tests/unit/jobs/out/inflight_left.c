// Tests jobs/out/inflight.c: what an earlier run left in doubt, and how much there may be of it.
// SPDX-License-Identifier: MIT
#include "tests/unit/jobs/out/inflight_file.h"

// So many jobs with ids of their own, at most 1000 and once in a test.
static void send_many(struct inflight *f, struct job **jobs, int count) {
    static char ids[1000][8];
    for (int i = 0; i < count; i++) {
        snprintf(ids[i], sizeof ids[i], "r%d", i);
        jobs[i] = sent_job(f, ids[i]);
    }
}

// The file grows with what is in flight: whoever is not in it is sent again without a word.
static void as_many_as_were_promised_are_remembered(void **state) {
    (void)state;
    struct inflight *f = must_open_at(beside);
    struct job *jobs[1000];
    send_many(f, jobs, 1000);
    assert_int_equal(left_by_a_kill(), 1000);
    finish_jobs(f, jobs, 1000);
    close_for_good(f);
}

// A row that an earlier run left and this one sends, again and again, has one record, its own: it is
// neither given to others nor forgotten with those that the input no longer has.
static void a_row_taken_over_keeps_its_record(void **state) {
    (void)state;
    struct inflight *f = must_open_at(beside);
    struct job *a = sent_job(f, "a"), *gone = sent_job(f, "gone");
    inflight_close(f);
    f = must_open_at(beside);
    struct job *again = new_job("a");
    inflight_find(f, again);
    send_job(f, again);
    inflight_forget_rest(f); // the input is read: "gone" is not in it
    assert_int_equal(left_by_a_kill(), 1);
    send_job(f, again);
    send_job(f, again);
    struct job *more[3] = {sent_job(f, "b"), sent_job(f, "c"), sent_job(f, "d")};
    assert_int_equal(left_by_a_kill(), 4);
    finish_jobs(f, more, 3);
    assert_int_equal(left_by_a_kill(), 1);
    inflight_written(f, again);
    close_for_good(f);
    job_free(a);
    job_free(gone);
    job_free(again);
}

// More rows than this run has jobs for: the earlier one had more slots.
static void a_smaller_run_takes_up_what_a_larger_one_left(void **state) {
    (void)state;
    struct error err = {0};
    struct inflight *f = must_open_at(beside);
    struct job *jobs[300];
    send_many(f, jobs, 300);
    inflight_close(f);
    f = inflight_open(&(struct inflight_options){.path = beside, .jobs_most = 2}, &err);
    assert_int_equal(inflight_found(f), 300);
    struct job *b = sent_job(f, "b"), *c = sent_job(f, "c");
    assert_int_equal(left_by_a_kill(), 302);
    inflight_written(f, b);
    inflight_written(f, c);
    inflight_forget_rest(f);
    close_for_good(f);
    for (int i = 0; i < 300; i++)
        job_free(jobs[i]);
    job_free(b);
    job_free(c);
}

// What was answered before the crash is not in doubt after it.
static void only_what_is_unanswered_is_in_doubt_after_a_crash(void **state) {
    (void)state;
    struct inflight *f = must_open_at(beside);
    struct job *a = sent_job(f, "a");
    send_job(f, a);
    inflight_answered(f, a, false); // one of the two
    inflight_close(f);
    f = must_open_at(beside);
    struct job *again = new_job("a");
    inflight_find(f, again);
    assert_int_equal(again->notes.in_doubt, 1);
    inflight_written(f, again);
    close_for_good(f);
    job_free(a);
    job_free(again);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(as_many_as_were_promised_are_remembered),
        TEST(a_row_taken_over_keeps_its_record),
        TEST(a_smaller_run_takes_up_what_a_larger_one_left),
        TEST(only_what_is_unanswered_is_in_doubt_after_a_crash),
    };
    QUIET_RUN(tests);
}
