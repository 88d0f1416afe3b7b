// rowid.c: ids that are unique whatever the rows say, and rows without ids that take no memory.
// SPDX-License-Identifier: MIT
#include "jobs/in/rowid.h"

#include "jobs/base/random.h"
#include "tests/unit/jobs/in/feed.h"

static void rows_without_ids_take_nothing(void **state) {
    (void)state;
    struct rowids r = {.set = ids_new()};
    struct job *job = job_new(1000, 0);
    size_t empty = ids_bytes(r.set);
    for (int64_t i = 0; i < 100000; i++) {
        job_clear(job);
        job->index = i;
        rowid_assign(&r, job, SLICE_NONE);
    }
    assert_slice(job->id, "100000");
    assert_int_equal(ids_bytes(r.set), empty);
    assert_int_equal(r.plain, 100000);
    ids_free(r.set);
    job_free(job);
}

static void second_use_is_bad(void **state) {
    (void)state;
    struct feed f = feed_jsonl(SLICE("{\"id\":\"a\",\"prompt\":\"p\"}\n\n"
                                     "{\"id\":\"b\",\"prompt\":\"p\"}\n"
                                     "{\"id\":\"a\",\"prompt\":\"p\"}\n"
                                     "{\"id\":\"\\u0061\",\"prompt\":\"p\"}\n"
                                     "{\"id\":\"a#2\",\"prompt\":\"p\"}\n"
                                     "{\"id\":\"A\",\"prompt\":\"p\"}\n"));
    assert_slice(feed_good(&f)->id, "a");
    assert_slice(feed_good(&f)->id, "b");
    assert_slice(feed_bad(&f, "id \"a\" was already used on line 1 (--allow-duplicate-ids")->id,
                 "a#2");
    assert_slice(f.job->input, "{\"id\":\"a\",\"prompt\":\"p\"}");
    assert_slice(feed_bad(&f, "already used on line 1")->id, "a#3");
    assert_slice(feed_bad(&f, "\"a#2\" was already used on line 4")->id, "a#2#2");
    assert_slice(feed_good(&f)->id, "A");
    feed_ends(&f);
}

static void second_use_is_numbered(void **state) {
    (void)state;
    struct feed f = feed_open(SLICE("{\"id\":\"a#2\",\"prompt\":\"p\"}\n"
                                    "{\"id\":\"a\",\"prompt\":\"p\"}\n"
                                    "{\"id\":\"a\",\"prompt\":\"p\"}\n"
                                    "{\"id\":\"a\",\"prompt\":\"p\"}\n"),
                              OPTIONS(.format = INPUT_JSONL, .allow_duplicate_ids = true));
    assert_slice(feed_good(&f)->id, "a#2");
    assert_slice(feed_good(&f)->id, "a");
    assert_slice(feed_good(&f)->id, "a#3");
    assert_slice(feed_good(&f)->id, "a#4");
    feed_ends(&f);
}

// A row's number and a row's own id are ids alike, in both orders.
static void numbers_collide_with_own_ids(void **state) {
    (void)state;
    struct feed f = feed_jsonl(SLICE("\"p\"\n\"p\"\n"
                                     "{\"id\":2,\"prompt\":\"p\"}\n"
                                     "{\"id\":\"02\",\"prompt\":\"p\"}\n"
                                     "{\"id\":\"6\",\"prompt\":\"p\"}\n"
                                     "\"p\"\n"
                                     "{\"id\":\"7\",\"prompt\":\"p\"}\n"
                                     "\"p\"\n"));
    assert_slice(feed_good(&f)->id, "1");
    assert_slice(feed_good(&f)->id, "2");
    assert_slice(feed_bad(&f, "id \"2\" is already that of row 2, which has none of its own")->id,
                 "2#2");
    assert_slice(feed_good(&f)->id, "02");
    assert_slice(feed_good(&f)->id, "6");
    assert_slice(feed_bad(&f, "its number 6 was already used as one on line 5")->id, "6#2");
    assert_slice(feed_good(&f)->id, "7");
    assert_slice(feed_good(&f)->id, "8");
    feed_ends(&f);
}

// A bad row's id has been seen; a row whose id cannot be read goes by its number.
static void bad_rows_count(void **state) {
    (void)state;
    struct feed f = feed_jsonl(SLICE("{\"id\":\"x\"}\n"
                                     "{\"id\":\"x\",\"prompt\":\"p\"}\n"
                                     "nonsense\n"
                                     "{\"id\":\"3\",\"prompt\":\"p\"}\n"
                                     "{\"id\":\"x\"}\n"));
    assert_slice(feed_bad(&f, "no prompt")->id, "x");
    assert_slice(feed_bad(&f, "already used on line 1")->id, "x#2");
    assert_slice(feed_bad(&f, "not JSON")->id, "3");
    assert_slice(feed_bad(&f, "already used on line 3")->id, "3#2");
    assert_slice(feed_bad(&f, "no prompt")->id, "x#3"); // the first fault is told
    feed_ends(&f);
}

static void long_ids_are_cut_in_messages(void **state) {
    (void)state;
    char row[1000], long_id[601];
    memset(long_id, 'y', 600);
    long_id[600] = '\0';
    int n = snprintf(row, sizeof row, "{\"id\":\"%s\",\"prompt\":\"p\"}\n", long_id);
    struct buf text = BUF_INIT(10000);
    buf_add(&text, row, (size_t)n);
    buf_add(&text, row, (size_t)n);
    struct feed f = feed_jsonl(buf_slice(&text));
    assert_int_equal(feed_good(&f)->id.n, 600);
    assert_int_equal(feed_bad(&f, "y…\" was already used on line 1 (--allow")->id.n, 602);
    feed_ends(&f);
    buf_free(&text);
}

// Random rows of few ids: all ids handed out differ, the first use of an id keeps it, and a row
// fails exactly when its id was handed out before.
static void property(void **state) {
    (void)state;
    struct random random = {4};
    for (int round = 0; round < 60; round++) {
        bool number_them = round % 2;
        struct rowids r = {.set = ids_new(), .number_them = number_them};
        struct job *job = job_new(1000, 0);
        static char given[500][32];
        int64_t plain_until = random_below(&random, 300);
        for (int row = 0; row < 500; row++) {
            static const char *const forms[] = {"%lld", "%lld#2", "id%lld", "%lld#3"};
            char own[32] = "", expected[32];
            if (row >= plain_until && random_below(&random, 3))
                snprintf(own, sizeof own, forms[random_below(&random, 4)],
                         (long long)random_below(&random, 600));
            snprintf(expected, sizeof expected, "%d", row + 1);
            if (own[0])
                memcpy(expected, own, sizeof own);
            bool taken = false;
            for (int i = 0; i < row; i++)
                taken |= strcmp(given[i], expected) == 0;
            job_clear(job);
            job->index = row;
            job->line_no = row + 1;
            buf_reserve(&job->line, 500);
            buf_add_str(&job->line, own);
            rowid_assign(&r, job, own[0] ? buf_slice(&job->line) : SLICE_NONE);
            snprintf(given[row], sizeof given[row], "%.*s", SLICE_ARG(job->id));
            assert_int_equal(strcmp(given[row], expected) == 0, !taken);
            assert_int_equal(job->result.outcome == OUTCOME_BAD_INPUT, taken && !number_them);
            for (int i = 0; i < row; i++)
                assert_string_not_equal(given[i], given[row]);
        }
        ids_free(r.set);
        job_free(job);
    }
}

// One id in every row: numbering stays quick and without holes.
static void one_id_for_all(void **state) {
    (void)state;
    struct rowids r = {.set = ids_new(), .number_them = true};
    struct job *job = job_new(1000, 0);
    for (int64_t row = 0; row < 100000; row++) {
        job_clear(job);
        job->index = row;
        job->line_no = row + 1;
        buf_reserve(&job->line, 100);
        buf_add_str(&job->line, "same");
        rowid_assign(&r, job, buf_slice(&job->line));
    }
    assert_slice(job->id, "same#100000");
    ids_free(r.set);
    job_free(job);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_without_ids_take_nothing),
        cmocka_unit_test(second_use_is_bad),
        cmocka_unit_test(second_use_is_numbered),
        cmocka_unit_test(numbers_collide_with_own_ids),
        cmocka_unit_test(bad_rows_count),
        cmocka_unit_test(long_ids_are_cut_in_messages),
        cmocka_unit_test(property),
        cmocka_unit_test(one_id_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
