// reasons.c (test): counts by class, and an example that belongs to what is said.
// SPDX-License-Identifier: MIT
#include "runner/reasons.h"

#include "tests/unit/quiet.h"

static struct job *failed_job(const char *id, enum outcome outcome, const char *message) {
    struct job *job = job_new(1000, 1000);
    job->id = slice_str(id);
    job->result.key = "k-1";
    job_fail(job, outcome, "%s", message);
    return job;
}

static void attempts_and_rows_by_class(void **state) {
    (void)state;
    static struct reasons r;
    struct job *one = failed_job("one", OUTCOME_SERVER, "down");
    struct job *two = failed_job("two", OUTCOME_SERVER, "still down");
    reasons_add_attempt(&r, one, OUTCOME_SERVER, "down at first");
    reasons_add_attempt(&r, two, OUTCOME_SERVER, "down too");
    assert_string_equal(r.of[OUTCOME_SERVER].example_id, "one");
    assert_string_equal(r.of[OUTCOME_SERVER].message, "down at first");
    reasons_add_attempt(&r, two, OUTCOME_TIMEOUT, "late");
    reasons_add_row(&r, two); // a row that failed is the better example, and the first one stays
    reasons_add_row(&r, one);
    reasons_add_attempt(&r, one, OUTCOME_SERVER, "once more");
    const struct reason *server = &r.of[OUTCOME_SERVER];
    assert_int_equal(server->rows, 2);
    assert_int_equal(server->attempts, 3);
    assert_string_equal(server->example_id, "two");
    assert_string_equal(server->message, "still down");
    assert_string_equal(server->key, "k-1");
    assert_int_equal(r.of[OUTCOME_TIMEOUT].rows, 0);
    assert_int_equal(r.of[OUTCOME_TIMEOUT].attempts, 1);
    job_free(one);
    job_free(two);
}

static void sums_keep_the_better_example(void **state) {
    (void)state;
    static struct reasons loop, reader, empty;
    struct job *tried = failed_job("tried", OUTCOME_BAD_INPUT, "cannot be asked");
    struct job *bad = failed_job("bad", OUTCOME_BAD_INPUT, "not JSON");
    reasons_add_attempt(&loop, tried, OUTCOME_BAD_INPUT, "cannot be asked");
    reasons_add_row(&reader, bad);
    reasons_merge(&loop, &reader);
    reasons_merge(&loop, &empty);
    assert_int_equal(loop.of[OUTCOME_BAD_INPUT].rows, 1);
    assert_int_equal(loop.of[OUTCOME_BAD_INPUT].attempts, 1);
    assert_string_equal(loop.of[OUTCOME_BAD_INPUT].example_id, "bad");
    reasons_merge(&empty, &loop);
    assert_string_equal(empty.of[OUTCOME_BAD_INPUT].message, "not JSON");
    job_free(tried);
    job_free(bad);
}

static void long_ids_are_cut_between_letters(void **state) {
    (void)state;
    static struct reasons r;
    char id[401];
    for (int i = 0; i < 200; i++)
        memcpy(id + 2 * i, "\xc3\xa4", 2);
    id[400] = '\0';
    struct job *job = failed_job(id, OUTCOME_MODEL, "none such");
    reasons_add_row(&r, job);
    size_t n = strlen(r.of[OUTCOME_MODEL].example_id);
    assert_int_equal(n, (REASON_ID_MAX - 1) / 2 * 2);
    job_free(job);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attempts_and_rows_by_class),
        cmocka_unit_test(sums_keep_the_better_example),
        cmocka_unit_test(long_ids_are_cut_between_letters),
    };
    QUIET_RUN(tests);
}
