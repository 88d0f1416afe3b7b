// summary.c (test): the table, which keys it shows, and what it tells the user to do next.
// SPDX-License-Identifier: MIT
#include "runner/screen/summary.h"

#include "tests/unit/quiet.h"

static struct buf out = BUF_INIT(1 << 20);

static const struct summary_key three[] = {
    {"bigmodel-1", "bigmodel", "bae6****RLh1", "healthy", 98, 440, 439, 1, 0, 1200, 3400, 0, 812000,
     1240000, 1, 0, NULL, 0},
    {"bigmodel-2", "bigmodel", "bae6****RLh2", "rate_limited", 60, 440, 400, 0, 40, 100000, 0, 0,
     800, 75000000, 1, 9, "429: 1302", 0},
    {"bigmodel-10", "bigmodel", "bae6****RLh3", "unavailable", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
     "the key is not \033[2Jaccepted (401)", 0},
};

static const struct summary_error two_errors[] = {
    {"bad_input", 1, 0, "not JSON", "r3", NULL},
    {"invalid_request", 2, 3, "max_tokens is too \033[2Jlarge", "r17", NULL},
    {"rate_limited", 0, 40, "slow down", "r5", "bigmodel-2"},
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
                            .errors = two_errors,
                            .error_count = 3,
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
        "2 rows failed: invalid_request, for example row r17: max_tokens is too ?[2Jlarge\n"
        "    the provider refuses the request itself: change the row or its parameters, it fails "
        "again as it is\n"
        "1 row failed: bad_input, row r3: not JSON\n"
        "    nothing was sent: correct these rows in the input (error.message says what is wrong)\n"
        "results: in.results.jsonl\n");
}

static void first_tokens_have_a_line(void **state) {
    (void)state;
    struct summary s = some_run();
    s.error_count = 0;
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
    s.failed = s.bad_rows = 0, s.error_count = 0;
    assert_null(strstr(table(&s), "again"));
    s.stopped = true, s.total = 150;
    assert_non_null(strstr(table(&s), ", 53 not done\n"));
    assert_non_null(strstr(table(&s), "run the same command again to go on"));
    s.stopped_by = "no-key";
    assert_null(strstr(table(&s), "again to go on"));
    assert_non_null(strstr(table(&s), "once a key can be used again"));
    s.output = "-";
    assert_null(strstr(table(&s), "results:"));
    assert_null(strstr(table(&s), "again"));
    assert_non_null(strstr(table(&s), "-o FILE"));
    s.stopped = false;
    assert_null(strstr(table(&s), "-o FILE"));
}

static void a_total_that_is_not_sure(void **state) {
    (void)state;
    struct summary s = some_run();
    s.at_least = true, s.stopped = true;
    assert_non_null(strstr(table(&s), ", at least 0 not done\n"));
}

// "Run again" is said of failures that may pass, and of no other.
static void advice_fits_the_class(void **state) {
    static const struct {
        const char *class;
        bool again;
        const char *text;
    } rows[] = {
        {"bad_input", false, "correct these rows"},
        {"invalid_request", false, "change the row"},
        {"content_filter", false, "change the row"},
        {"auth", false, "check that the key"},
        {"quota", false, "top up"},
        {"model", false, "--model"},
        {"no_key", false, "add a key"},
        {"too_large", false, "shorten the row"},
        {"rate_limited", true, "--rpm"},
        {"server", true, "later"},
        {"timeout", true, "--timeout"},
        {"network", true, "the address"},
        {"bad_response", true, "the address"},
        {"deadline", true, "--deadline"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct summary_error error = {rows[i].class, 5, 5, "words", "r1", "openai-1"};
        struct summary s = {.output = "r.jsonl", .failed = 5, .errors = &error, .error_count = 1};
        assert_non_null(strstr(table(&s), rows[i].text));
        assert_int_equal(strstr(table(&s), "run the same command again") != NULL, rows[i].again);
        assert_non_null(strstr(table(&s), ": words\n"));
    }
    struct summary_error error = {"auth", 1, 1, "bad key", "r1", "openai-1"};
    struct summary s = {.errors = &error, .error_count = 1};
    assert_non_null(strstr(table(&s), "provider: openai-1\n"));
    error = (struct summary_error){"too_large", 1,   1, "larger than 9 bytes (--max-reply-bytes)",
                                   "r1",        NULL};
    assert_non_null(strstr(table(&s), "    raise --max-reply-bytes"));
}

static void the_three_commonest_reasons(void **state) {
    static const struct summary_error many[] = {
        {"server", 3, 9, "down", "a", NULL},        {"auth", 0, 900, "refused", "b", NULL},
        {"model", 7, 7, "none such", "c", NULL},    {"timeout", 1, 6, "too late", "d", NULL},
        {"network", 20, 40, "no route", "e", NULL},
    };
    (void)state;
    struct summary s = {.failed = 31, .errors = many, .error_count = 5};
    const char *text = table(&s), *first = strstr(text, "20 rows failed: network");
    assert_non_null(first);
    assert_non_null(strstr(first, "7 rows failed: model"));
    assert_non_null(strstr(strstr(first, "7 rows failed: model"), "3 rows failed: server"));
    assert_null(strstr(text, "timeout"));
    assert_null(strstr(text, "auth"));
    assert_non_null(strstr(text, "1 further kind of failure"));
    struct summary_error refused = many[1];
    s = (struct summary){.stopped = true, .errors = &refused, .error_count = 1};
    assert_non_null(strstr(table(&s), "900 attempts failed: auth, for example row b: refused\n"));
    s.stopped = false; // all went well in the end
    assert_null(strstr(table(&s), "attempts failed"));
}

static int columns_of(const char *text, size_t n) {
    int count = 0;
    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

static void no_line_is_wider_than_the_terminal(void **state) {
    (void)state;
    struct summary_key keys[3];
    memcpy(keys, three, sizeof keys);
    keys[0].name = "openai-the-key-of-a-project-with-a-long-name-1";
    for (int width = 30; width <= 130; width++) {
        struct summary s = some_run();
        s.keys = keys, s.width = width, s.output = "r.jsonl";
        for (const char *line = table(&s), *end; *line; line = end + 1) {
            end = strchr(line, '\n');
            if (columns_of(line, (size_t)(end - line)) > width)
                fail_msg("%d columns: '%.*s'", width, (int)(end - line), line);
        }
        assert_non_null(strstr(table(&s), "state"));
    }
    struct summary s = some_run();
    s.keys = keys, s.width = 60;
    const char *text = table(&s);
    assert_non_null(strstr(text, "\xe2\x80\xa6g-name-1  healthy"));
    assert_memory_equal(text, "key ", 4);
    assert_non_null(strstr(text, "failed"));
    assert_null(strstr(text, "share"));
    assert_null(strstr(text, "tokens out"));
}

static void a_pool_that_might_do_more(void **state) {
    (void)state;
    struct summary s = some_run();
    assert_null(strstr(table(&s), "--slots-per-key"));
    s.may_be_faster = true;
    assert_non_null(strstr(table(&s), "--slots-per-key auto may be faster\n"));
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
        cmocka_unit_test(a_total_that_is_not_sure),
        cmocka_unit_test(advice_fits_the_class),
        cmocka_unit_test(the_three_commonest_reasons),
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
        cmocka_unit_test(a_pool_that_might_do_more),
        cmocka_unit_test(fifty_keys_all_have_a_row),
        cmocka_unit_test_teardown(of_more_the_busiest_and_the_unhealthy, free_out),
    };
    QUIET_RUN(tests);
}
