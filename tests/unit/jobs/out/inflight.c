// inflight.c (test): rows in doubt are found again after any end, and nobody else's file is touched.
// SPDX-License-Identifier: MIT
#include "jobs/out/inflight.h"

#include "tests/unit/jobs/out/inflight_file.h"

#define RECORD 256

static void doubt_begins_with_sending_and_ends_with_the_line(void **state) {
    (void)state;
    struct inflight *f = must_open_at(beside);
    assert_int_equal(left_by_a_kill(), 0);
    struct job *a = sent_job(f, "a"), *b = sent_job(f, "b");
    assert_int_equal(left_by_a_kill(), 2);
    inflight_written(f, a);
    assert_int_equal(left_by_a_kill(), 1);
    inflight_answered(f, b, false);
    assert_int_equal(left_by_a_kill(), 0);
    send_job(f, b);
    assert_int_equal(left_by_a_kill(), 1);
    inflight_written(f, b);
    close_for_good(f);
    job_free(a);
    job_free(b);
}

// A lost answer stays in doubt, whatever comes of the next attempt but a line.
static void a_lost_answer_stays_in_doubt(void **state) {
    (void)state;
    struct inflight *f = must_open_at(beside);
    struct job *job = sent_job(f, "a");
    send_job(f, job);
    inflight_answered(f, job, false);
    assert_int_equal(job->notes.in_doubt, 1);
    assert_int_equal(left_by_a_kill(), 1);
    send_job(f, job);
    inflight_answered(f, job, true); // a useless answer, perhaps paid
    assert_int_equal(job->notes.in_doubt, 2);
    job_clear(job); // dropped: the job is used again, and must not touch what it leaves behind
    job->id = SLICE("b");
    send_job(f, job);
    assert_int_equal(left_by_a_kill(), 2);
    inflight_written(f, job);
    assert_int_equal(left_by_a_kill(), 1);
    inflight_close(f);
    assert_true(is_there());
    job_free(job);
}

static void a_job_keeps_its_record(void **state) {
    (void)state;
    struct inflight *f = must_open_at(beside);
    struct job *job = new_job("a");
    for (int i = 0; i < 10000; i++) {
        send_job(f, job);
        inflight_written(f, job);
        job_clear(job);
        job->id = SLICE("b");
    }
    assert_int_equal(read_file(beside).n, 64 * RECORD);
    struct job *more[300];
    for (int i = 0; i < 300; i++)
        more[i] = sent_job(f, "c");
    assert_true(read_file(beside).n <= 1001 * RECORD);
    finish_jobs(f, more, 300);
    close_for_good(f);
    job_free(job);
}

static void more_jobs_than_were_promised_are_not_remembered(void **state) {
    (void)state;
    struct error err = {0};
    struct inflight *f =
        inflight_open(&(struct inflight_options){.path = beside, .jobs_most = 2}, &err);
    struct job *jobs[3] = {sent_job(f, "a"), sent_job(f, "b"), sent_job(f, "c")};
    assert_int_equal(left_by_a_kill(), 2);
    finish_jobs(f, jobs, 3);
    close_for_good(f);
}

static void a_second_crash_forgets_nothing(void **state) {
    (void)state;
    struct inflight *f = must_open_at(beside);
    struct job *a = sent_job(f, "a"), *b = sent_job(f, "b"), *c = sent_job(f, "c");
    inflight_close(f);
    f = must_open_at(beside);
    assert_int_equal(inflight_found(f), 3);
    job_clear(a);
    a->notes.number = 0; // as a job of the next process
    a->id = SLICE("b");
    inflight_find(f, a);
    assert_int_equal(a->notes.in_doubt, 1);
    send_job(f, a);
    assert_int_equal(left_by_a_kill(), 3);
    struct job *d = sent_job(f, "d");
    assert_int_equal(left_by_a_kill(), 4);
    inflight_written(f, a);
    inflight_written(f, d);
    assert_int_equal(left_by_a_kill(), 2);
    inflight_close(f);
    f = must_open_at(beside);
    assert_int_equal(inflight_found(f), 2);
    inflight_forget_rest(f);
    close_for_good(f);
    job_free(a);
    job_free(b);
    job_free(c);
    job_free(d);
}

static void rows_that_have_their_line_are_not_told(void **state) {
    (void)state;
    struct inflight *f = must_open_at(beside);
    struct job *a = sent_job(f, "a"), *b = sent_job(f, "b");
    inflight_close(f);
    done_id = "a";
    f = must_open_at(beside);
    assert_int_equal(inflight_found(f), 1);
    done_id = NULL;
    assert_int_equal(left_by_a_kill(), 1);
    inflight_close(f);
    job_free(a);
    job_free(b);
}

// Ids that begin alike are told apart by a hash of the whole.
static void long_ids_are_cut_and_told_apart(void **state) {
    (void)state;
    char one[2 * INFLIGHT_ID_MAX], other[sizeof one];
    memset(one, 'x', sizeof one);
    one[sizeof one - 1] = '\0';
    memcpy(other, one, sizeof one);
    other[sizeof other - 2] = 'y';
    struct inflight *f = must_open_at(beside);
    struct job *a = sent_job(f, one);
    inflight_close(f);
    f = must_open_at(beside);
    assert_int_equal(inflight_found(f), 1);
    struct job *b = new_job(other), *c = new_job(one);
    inflight_find(f, b);
    assert_int_equal(b->notes.in_doubt, 0);
    inflight_find(f, c);
    assert_int_equal(c->notes.in_doubt, 1);
    inflight_written(f, c);
    close_for_good(f);
    job_free(a);
    job_free(b);
    job_free(c);
}

// Whatever bytes a power cut left of a record: it is told that there was one, and no more.
static void a_torn_record_is_known_as_one(void **state) {
    (void)state;
    struct inflight *f = must_open_at(beside);
    struct job *a = sent_job(f, "a");
    struct slice whole = read_file(beside);
    char *bytes = malloc(whole.n);
    memcpy(bytes, whole.p, whole.n);
    inflight_written(f, a);
    inflight_close(f);
    for (size_t i = 0; i <= 112; i++) { // up to the one byte of the id
        bytes[RECORD + i] ^= 0x55;
        write_file(beside, slice_of(bytes, whole.n));
        f = must_open_at(beside);
        assert_int_equal(inflight_found(f), 1);
        struct job *job = new_job("a");
        inflight_find(f, job);
        assert_int_equal(job->notes.in_doubt, 0);
        job_free(job);
        close_for_good(f);
        bytes[RECORD + i] ^= 0x55;
    }
    free(bytes);
    job_free(a);
}

static void what_is_no_such_file_is_left_alone(void **state) {
    (void)state;
    char zeros[20000] = {0};
    const struct slice others[] = {SLICE("dear diary\n"), SLICE("batch-run in flight\n1\0"),
                                   SLICE("batch-run in flight\n2"), slice_of(zeros, sizeof zeros)};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct error err = {0};
        struct inflight_options options = {.path = beside, .jobs_most = 9, .overwrite = i % 2};
        write_file(beside, others[i]);
        assert_null(inflight_open(&options, &err));
        assert_int_equal(err.class, ERROR_USAGE);
        assert_non_null(strstr(err.text, beside));
        struct slice found = read_file(beside);
        assert_true(slice_eq(found, others[i]));
        unlink(beside);
    }
    struct error err = {0};
    assert_int_equal(symlink("elsewhere", beside), 0);
    assert_null(open_at(beside, &err));
    unlink(beside);
    assert_int_equal(mkdir(beside, 0700), 0);
    assert_null(open_at(beside, &err));
}

static void one_that_was_being_made_is_made_again(void **state) {
    (void)state;
    char zeros[64 * RECORD] = {0};
    for (size_t n = 0; n <= sizeof zeros; n += sizeof zeros / 2) {
        write_file(beside, slice_of(zeros, n));
        struct inflight *f = must_open_at(beside);
        struct job *job = sent_job(f, "a");
        assert_int_equal(left_by_a_kill(), 1);
        inflight_written(f, job);
        job_free(job);
        close_for_good(f);
    }
}

static void overwriting_forgets(void **state) {
    (void)state;
    struct error err = {0};
    struct inflight *f = must_open_at(beside);
    struct job *job = sent_job(f, "a");
    inflight_close(f);
    f = inflight_open(&(struct inflight_options){.path = beside, .jobs_most = 9, .overwrite = true},
                      &err);
    assert_int_equal(inflight_found(f), 0);
    close_for_good(f);
    job_free(job);
}

static int no_room(int fd, off_t from, off_t n) {
    return from + n > 64 * RECORD ? ENOSPC : posix_fallocate(fd, from, n);
}

static int no_room_at_all(int fd, off_t from, off_t n) {
    (void)fd, (void)from, (void)n;
    return ENOSPC;
}

static void without_room_the_run_goes_on(void **state) {
    (void)state;
    io_allocate = no_room_at_all;
    struct inflight *f = must_open_at(beside);
    assert_false(is_there());
    struct job *job = sent_job(f, "a");
    inflight_answered(f, job, false);
    inflight_written(f, job);
    inflight_close(f);
    job_free(job);
    io_allocate = no_room;
    f = must_open_at(beside);
    struct job *jobs[80];
    for (int i = 0; i < 80; i++)
        jobs[i] = sent_job(f, "b");
    assert_int_equal(left_by_a_kill(), 1); // one id, however many
    assert_int_equal(read_file(beside).n, 64 * RECORD);
    finish_jobs(f, jobs, 80);
    close_for_good(f);
}

static void only_its_owner_may_read_it(void **state) {
    (void)state;
    struct stat st;
    struct inflight *f = must_open_at(beside);
    assert_int_equal(stat(beside, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    inflight_close(f);
}

static const char *key_of(const struct inflight *f, const struct job *job, const char *body) {
    static char keys[4][INFLIGHT_KEY_SIZE];
    static unsigned turn;
    char *key = keys[turn++ % 4];
    inflight_key(f, job, slice_str(body), key);
    return key;
}

static void a_key_lasts_until_there_is_an_answer(void **state) {
    (void)state;
    struct inflight *f = must_open_at(beside);
    struct job *job = new_job("a"), *other = new_job("b");
    char first[INFLIGHT_KEY_SIZE], second[INFLIGHT_KEY_SIZE];
    inflight_key(f, job, SLICE("{}"), first);
    assert_int_equal(strlen(first), 36);
    assert_int_equal(first[14], '8');
    assert_non_null(strchr("89ab", first[19]));
    assert_string_not_equal(first, key_of(f, other, "{}"));
    assert_string_not_equal(first, key_of(f, job, "{\"model\":1}"));
    send_job(f, job);
    assert_string_equal(first, key_of(f, job, "{}"));
    inflight_answered(f, job, false);
    inflight_key(f, job, SLICE("{}"), second);
    assert_string_not_equal(first, second);
    send_job(f, job);
    inflight_close(f);

    f = must_open_at(beside); // after a crash
    struct job *again = new_job("a");
    assert_string_not_equal(second, key_of(f, again, "{}"));
    inflight_find(f, again);
    assert_string_equal(second, key_of(f, again, "{}"));
    send_job(f, again);
    inflight_close(f);
    f = must_open_at(beside); // and another
    job_clear(again);
    again->notes.number = 0;
    again->id = SLICE("a");
    inflight_find(f, again);
    assert_int_equal(again->notes.in_doubt, 2);
    assert_string_equal(second, key_of(f, again, "{}"));
    inflight_written(f, again);
    inflight_close(f);
    job_free(job);
    job_free(other);
    job_free(again);
}

static void without_a_file_there_are_keys(void **state) {
    (void)state;
    struct error err = {0};
    struct inflight *f = inflight_open(&(struct inflight_options){.jobs_most = 9}, &err);
    struct job *job = sent_job(f, "a");
    assert_int_equal(strlen(key_of(f, job, "{}")), 36);
    inflight_find(f, job);
    inflight_forget_rest(f);
    inflight_sync(f);
    inflight_written(f, job);
    inflight_close(f);
    inflight_close(NULL);
    job_free(job);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(doubt_begins_with_sending_and_ends_with_the_line),
        TEST(a_lost_answer_stays_in_doubt),
        TEST(a_job_keeps_its_record),
        TEST(more_jobs_than_were_promised_are_not_remembered),
        TEST(a_second_crash_forgets_nothing),
        TEST(rows_that_have_their_line_are_not_told),
        TEST(long_ids_are_cut_and_told_apart),
        TEST(a_torn_record_is_known_as_one),
        TEST(what_is_no_such_file_is_left_alone),
        TEST(one_that_was_being_made_is_made_again),
        TEST(overwriting_forgets),
        TEST(without_room_the_run_goes_on),
        TEST(only_its_owner_may_read_it),
        TEST(a_key_lasts_until_there_is_an_answer),
        TEST(without_a_file_there_are_keys),
    };
    QUIET_RUN(tests);
}
