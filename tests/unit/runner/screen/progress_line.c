// progress_line.c (test): what the live line shows, and that it fits any terminal.
// SPDX-License-Identifier: MIT
#include "runner/screen/progress.h"

#include "jobs/base/clock.h"
#include "jobs/base/random.h"
#include "jobs/base/utf8.h"
#include "tests/unit/quiet.h"

static struct buf out = BUF_INIT(65536);

static const unsigned char five_keys[] = {PROGRESS_KEY_BUSY, PROGRESS_KEY_BUSY, PROGRESS_KEY_IDLE,
                                          PROGRESS_KEY_COOLING, PROGRESS_KEY_OUT};

static struct progress_view some_view(void) {
    struct progress_view v = {.ok = 410,
                              .failed = 2,
                              .rows = 1319,
                              .input_ended = true,
                              .elapsed = 5 * USEC_PER_SEC,
                              .in_flight = 24,
                              .rate_limited = 4,
                              .keys = five_keys,
                              .key_states = {1, 2, 1, 1}};
    return v;
}

static const char *line(const struct progress_settings *settings, const struct progress_view *view,
                        int width) {
    struct progress p;
    progress_init(&p, settings, 0);
    buf_clear(&out);
    progress_line(&p, view, width, &out);
    assert_false(out.failed);
    return buf_cstr(&out);
}

static const struct progress_settings simple = {.mode = PROGRESS_BAR};

static void everything_where_there_is_room(void **state) {
    (void)state;
    struct progress_view v = some_view();
    assert_string_equal(line(&simple, &v, 200),
                        "|  [######..............]  412/1319  31%  82.4/s  ETA 11s  24 in flight  "
                        "2 failed  4 429s  keys ++.~x");
    v.input_ended = false, v.total = -1, v.bytes_total = -1, v.failed = v.rate_limited = 0;
    v.draining = true;
    assert_string_equal(line(&simple, &v, 200),
                        "|  410 done  82.0/s  stopping  24 in flight  keys ++.~x");
}

static void the_least_important_goes_first(void **state) {
    (void)state;
    struct progress_view v = some_view();
    assert_string_equal(line(&simple, &v, 79),
                        "|  412/1319  31%  82.4/s  ETA 11s  24 in flight  2 failed  4 429s  "
                        "keys ++.~x");
    assert_string_equal(line(&simple, &v, 40), "412/1319  31%  82.4/s  ETA 11s  2 failed");
    assert_string_equal(line(&simple, &v, 13), "412/1319  31%");
    assert_string_equal(line(&simple, &v, 12), "412/1319");
    assert_string_equal(line(&simple, &v, 4), "412/");
    assert_string_equal(line(&simple, &v, 0), "");
    assert_string_equal(line(&simple, &v, -1), "");
}

static void an_estimate_says_so(void **state) {
    (void)state;
    struct progress_view v = some_view();
    v.input_ended = false, v.total = -1, v.bytes_done = 1, v.bytes_total = 2;
    assert_non_null(strstr(line(&simple, &v, 200), "412/~2638"));
}

static void many_keys_become_counts(void **state) {
    (void)state;
    struct progress_view v = some_view();
    v.key_states[PROGRESS_KEY_BUSY] = 930;
    assert_non_null(strstr(line(&simple, &v, 200), "keys 930 busy, 1 idle, 1 cooling, 1 out"));
    v = some_view();
    memset(v.key_states, 0, sizeof v.key_states);
    assert_null(strstr(line(&simple, &v, 200), "keys"));
}

static void colour_and_braille_only_where_they_are_wanted(void **state) {
    (void)state;
    struct progress_view v = some_view();
    const char *plain = line(&simple, &v, 200);
    assert_null(strchr(plain, '\033'));
    for (; *plain; plain++)
        assert_true((unsigned char)*plain < 0x80);
    const char *rich = line(&(struct progress_settings){PROGRESS_BAR, true, true, true}, &v, 200);
    assert_non_null(strstr(rich, "\033[31m2 failed\033[0m"));
    assert_non_null(strstr(rich, "⣿"));
}

// Columns as a terminal counts them, by other means than the code under test.
static int columns_of(const char *text) {
    int n = 0;
    bool escape = false;
    for (; *text; text++) {
        if (*text == '\033')
            escape = true;
        if (!escape && ((unsigned char)*text < 0x80 || (unsigned char)*text >= 0xc0))
            n++;
        if (escape && *text == 'm')
            escape = false;
    }
    return n;
}

static void it_never_is_wider_than_the_terminal(void **state) {
    (void)state;
    struct random random = {5};
    unsigned char keys[PROGRESS_KEYS_SHOWN];
    for (int i = 0; i < 20000; i++) {
        struct progress_view v = {.keys = keys};
        int count = (int)random_below(&random, PROGRESS_KEYS_SHOWN + 1);
        for (int k = 0; k < count; k++) {
            keys[k] = (unsigned char)random_below(&random, PROGRESS_KEY_STATES);
            v.key_states[keys[k]]++;
        }
        int shift = (int)random_below(&random, 60);
        v.ok = (int64_t)(random_next(&random) >> (4 + shift));
        v.failed = (int64_t)(random_next(&random) >> (4 + shift));
        v.rows = (int64_t)(random_next(&random) >> (1 + shift));
        v.in_flight = (int64_t)(random_next(&random) >> (1 + shift));
        v.rate_limited = (int64_t)(random_next(&random) >> (1 + shift));
        v.elapsed = (int64_t)(random_next(&random) >> (1 + shift));
        v.total = random_below(&random, 2) ? -1 : v.rows;
        v.input_ended = random_below(&random, 2);
        v.draining = random_below(&random, 2);
        v.why = random_below(&random, 2) ? NULL
                                         : "openai: HTTP 503 since 40 s, next try in 5 s "
                                           "(zu viele Anfragen: sp\xc3\xa4ter \xe4\xb8\xad)";
        v.bytes_done = random_below(&random, 1000);
        v.bytes_total = random_below(&random, 1000) - 1;
        struct progress_settings settings = {PROGRESS_BAR, true, random_below(&random, 2),
                                             random_below(&random, 2)};
        int width = (int)random_below(&random, 210);
        const char *text = line(&settings, &v, width);
        assert_true(columns_of(text) <= width);
        assert_true(strlen(text) < 2000); // what the log can hold as its live line
        assert_true(utf8_is_valid(slice_str(text)));
    }
}

static int free_out(void **state) {
    (void)state;
    buf_free(&out);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_where_there_is_room),
        cmocka_unit_test(the_least_important_goes_first),
        cmocka_unit_test(an_estimate_says_so),
        cmocka_unit_test(many_keys_become_counts),
        cmocka_unit_test(colour_and_braille_only_where_they_are_wanted),
        cmocka_unit_test_teardown(it_never_is_wider_than_the_terminal, free_out),
    };
    QUIET_RUN(tests);
}
