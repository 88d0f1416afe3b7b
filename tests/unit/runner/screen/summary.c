// summary.c (test): the table, which keys it shows, and what it tells the user to do next.
// SPDX-License-Identifier: MIT
#include "runner/screen/summary.h"

#include "tests/unit/quiet.h"

static struct buf out = BUF_INIT(1 << 20);

static const struct summary_key three[] = {
    {"bigmodel-1", "bigmodel", "bae6****RLh1", "healthy", 98, 440, 439, 1, 0, 1200, 3400, 0, 812000,
     1240000, 1, 0, NULL},
    {"bigmodel-2", "bigmodel", "bae6****RLh2", "rate_limited", 60, 440, 400, 0, 40, 100000, 0, 0,
     800, 75000000, 1, 9, "429: 1302"},
    {"bigmodel-10", "bigmodel", "bae6****RLh3", "unavailable", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
     "the key is not \033[2Jaccepted (401)"},
};

static struct summary some_run(void) {
    return (struct summary){.total = 100,
                            .ok = 90,
                            .failed = 3,
                            .skipped = 7,
                            .bad_rows = 1,
                            .attempts = 880,
                            .rate_limited = 40,
                            .elapsed = 12300000,
                            .input_tokens = 101200,
                            .output_tokens = 3400,
                            .latency = {812000, 1000000, 1240000, 1300000, 75000000},
                            .keys = three,
                            .key_count = 3,
                            .output = "in.results.jsonl"};
}

static const char *table(const struct summary *s) {
    buf_clear(&out);
    summary_table(s, &out);
    assert_false(out.failed);
    return buf_cstr(&out);
}

static void the_whole_of_it(void **state) {
    (void)state;
    struct summary s = some_run();
    assert_string_equal(
        table(&s),
        "key          state         requests   ok  failed  429s  tokens in  tokens out     p50     "
        "p95  share\n"
        "bigmodel-1   healthy            440  439       1     0      1,200       3,400  812 ms  "
        "1.24 s  50.0%\n"
        "bigmodel-2   rate_limited       440  400       0    40    100,000           0  0.8 ms  "
        "75.0 s  50.0%\n"
        "bigmodel-10  unavailable          0    0       0     0          0           0       -     "
        "  "
        "-   0.0%\n"
        "bigmodel-2: rate_limited: 429: 1302\n"
        "bigmodel-10: unavailable: the key is not ?[2Jaccepted (401)\n"
        "\n"
        "jobs: 90 ok, 3 failed, 7 done before\n"
        "requests: 880 in 12s (71.5/s), 40 rate limited; tokens: 101,200 in, 3,400 out\n"
        "latency: p50 812 ms, p90 1.00 s, p95 1.24 s, p99 1.30 s, max 75.0 s\n"
        "results: in.results.jsonl\n"
        "2 failed: run the same command again to retry them\n"
        "1 row is no good: its error.message says why; mend it and run again\n");
}

static void first_tokens_have_a_line(void **state) {
    (void)state;
    struct summary s = some_run();
    s.ttft = (struct summary_times){101000, 200000, 300000, 400000, 1500000};
    assert_non_null(strstr(table(&s),
                           "max 75.0 s\nfirst token: p50 101 ms, p90 200 ms, p95 300 ms, "
                           "p99 400 ms, max 1.50 s\nresults: "));
}

static void cached_tokens_where_there_are_some(void **state) {
    (void)state;
    struct summary s = some_run();
    s.cached_tokens = 1100;
    assert_non_null(strstr(table(&s), "tokens: 101,200 in, 3,400 out, 1,100 cached\n"));
}

static void a_run_without_anything(void **state) {
    (void)state;
    struct summary s = {.output = "r.jsonl"};
    assert_string_equal(table(&s), "jobs: 0 ok, 0 failed\nrequests: 0 in 0.0s (0.0/s), 0 rate "
                                   "limited\nresults: r.jsonl\n");
}

static void what_to_do_next(void **state) {
    (void)state;
    struct summary s = some_run();
    s.failed = s.bad_rows = 0;
    assert_null(strstr(table(&s), "again"));
    s.stopped = true, s.total = 150;
    assert_non_null(strstr(table(&s), ", 53 not done\n"));
    assert_non_null(strstr(table(&s), "run the same command again to go on"));
    s.output = "-";
    assert_null(strstr(table(&s), "results:"));
    assert_null(strstr(table(&s), "again"));
    assert_non_null(strstr(table(&s), "-o FILE"));
    s.stopped = false;
    assert_null(strstr(table(&s), "-o FILE"));
    s = some_run();
    s.failed = s.bad_rows = 5;
    assert_null(strstr(table(&s), "failed: run"));
    assert_non_null(strstr(table(&s), "5 rows are no good"));
}

static int lines(const char *text) {
    int count = 0;
    for (; *text && *text != ' '; text = strchr(text, '\n') + 1) // up to the empty line
        if (*text == '\n')
            break;
        else
            count++;
    return count;
}

static struct summary_key *many_keys(size_t count, char (*names)[32]) {
    struct summary_key *keys = calloc(count, sizeof *keys);
    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], 32, "k-%zu", i);
        keys[i] =
            (struct summary_key){.name = names[i], .state = "healthy", .requests = (int64_t)i};
    }
    return keys;
}

static void fifty_keys_all_have_a_row(void **state) {
    (void)state;
    char names[50][32];
    struct summary s = {.attempts = 1225, .key_count = 50};
    s.keys = many_keys(50, names);
    assert_int_equal(lines(table(&s)), 51);
    assert_null(strstr(table(&s), "more)"));
    free((void *)s.keys);
}

static void of_more_the_busiest_and_the_unhealthy(void **state) {
    (void)state;
    enum { KEYS = 1000 };
    static char names[KEYS][32];
    struct summary_key *keys = many_keys(KEYS, names);
    keys[3].state = "unavailable"; // hardly used, but unhealthy
    keys[3].reason = "401";
    keys[999].state = "degraded"; // unhealthy and busiest: one row
    struct summary s = {.attempts = 499500, .key_count = KEYS, .keys = keys};
    const char *text = table(&s);
    assert_int_equal(lines(text), 1 + 20 + 1 + 1 + 1); // heading, busiest, unhealthy, rest, reason
    assert_non_null(strstr(text, "\nk-3 "));
    assert_non_null(strstr(text, "\nk-999 "));
    assert_non_null(strstr(text, "\nk-980 "));
    assert_null(strstr(text, "\nk-979 "));
    assert_non_null(strstr(text, "\nk-3: unavailable: 401\n"));
    // the sum of 0 … 979 without key 3
    assert_non_null(strstr(text, "\n(979 more) "));
    assert_non_null(strstr(text, " 479,707 "));
    for (int i = 0; i < 500; i++)
        keys[i].state = "unavailable";
    assert_int_equal(lines(table(&s)), 1 + 20 + 20 + 1);
    free(keys);
}

static int free_out(void **state) {
    (void)state;
    buf_free(&out);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_of_it),
        cmocka_unit_test(first_tokens_have_a_line),
        cmocka_unit_test(cached_tokens_where_there_are_some),
        cmocka_unit_test(a_run_without_anything),
        cmocka_unit_test(what_to_do_next),
        cmocka_unit_test(fifty_keys_all_have_a_row),
        cmocka_unit_test_teardown(of_more_the_busiest_and_the_unhealthy, free_out),
    };
    QUIET_RUN(tests);
}
