// progress.c (test): when something is shown, the rate, and what plain and JSON lines say.
// SPDX-License-Identifier: MIT
#include "runner/screen/progress.h"

#include "jobs/base/clock.h"
#include "jobs/base/json.h"
#include "tests/unit/quiet.h"

#include <fcntl.h>

#define SECOND USEC_PER_SEC

static struct buf out = BUF_INIT(65536);

static struct progress start(enum progress_mode mode) {
    struct progress p;
    progress_init(&p, &(struct progress_settings){.mode = mode}, 0);
    return p;
}

static struct progress_view view_of(int64_t ok, int64_t seconds) {
    return (struct progress_view){
        .ok = ok, .elapsed = seconds * SECOND, .total = -1, .bytes_total = -1};
}

static void the_mode_follows_the_terminal(void **state) {
    (void)state;
    struct progress p;
    progress_init(&p, &(struct progress_settings){.mode = PROGRESS_AUTO, .terminal = true}, 0);
    assert_int_equal(p.mode, PROGRESS_BAR);
    progress_init(&p, &(struct progress_settings){.mode = PROGRESS_AUTO}, 0);
    assert_int_equal(p.mode, PROGRESS_PLAIN);
    progress_init(&p, &(struct progress_settings){.mode = PROGRESS_OFF, .terminal = true}, 0);
    assert_true(progress_due(&p) == TIME_NEVER);
    progress_init(&p, &(struct progress_settings){.mode = PROGRESS_BAR}, 0);
    assert_int_equal(p.mode, PROGRESS_BAR);
}

static void the_environment_decides_colour_and_letters(void **state) {
    (void)state;
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    unsetenv("LC_ALL");
    unsetenv("LC_CTYPE");
    setenv("LANG", "de_DE.UTF-8", 1);
    struct progress_settings s = progress_settings(PROGRESS_AUTO, false);
    assert_true(s.color && s.utf8);
    assert_false(s.terminal); // the tests write to a file
    setenv("LC_ALL", "C", 1);
    setenv("NO_COLOR", "1", 1);
    s = progress_settings(PROGRESS_AUTO, false);
    assert_false(s.color || s.utf8);
    setenv("LC_ALL", "C.utf8", 1);
    setenv("NO_COLOR", "", 1); // empty counts as not set
    setenv("TERM", "dumb", 1);
    s = progress_settings(PROGRESS_AUTO, false);
    assert_true(s.utf8);
    assert_false(s.color);
}

static void a_total_is_known_reckoned_or_neither(void **state) {
    (void)state;
    bool estimate;
    struct progress_view v = view_of(0, 1);
    assert_int_equal(progress_total(&v, &estimate), -1);
    v.rows = 10;
    assert_int_equal(progress_total(&v, &estimate), -1); // a pipe
    v.bytes_total = 1000, v.bytes_done = 100;
    assert_int_equal(progress_total(&v, &estimate), 100);
    assert_true(estimate);
    v.bytes_done = 2000; // the file grows: never fewer than were read
    assert_int_equal(progress_total(&v, &estimate), 10);
    v.bytes_done = 0;
    assert_int_equal(progress_total(&v, &estimate), -1);
    v.bytes_done = 1, v.bytes_total = INT64_MAX, v.rows = INT64_MAX;
    assert_true(progress_total(&v, &estimate) > 0);
    v.total = 77;
    assert_int_equal(progress_total(&v, &estimate), 77);
    assert_false(estimate);
    v.input_ended = true, v.rows = 12;
    assert_int_equal(progress_total(&v, &estimate), 12);
}

static double rate_after(struct progress *p, int from, int to, int per_second, int64_t *ok) {
    struct progress_view v = {0};
    for (int t = from; t < to; t++) {
        *ok += per_second;
        v = view_of(*ok, t + 1);
        progress_sample(p, &v, (t + 1) * SECOND);
    }
    return progress_rate(p, &v);
}

static void the_rate_is_that_of_the_last_seconds(void **state) {
    (void)state;
    struct progress p = start(PROGRESS_BAR);
    int64_t ok = 0;
    assert_float_equal(rate_after(&p, 0, 100, 50, &ok), 50, 0.01);
    assert_float_equal(rate_after(&p, 100, 110, 200, &ok), 200, 0.01);
    // nothing for ten seconds: too few to tell, so the whole run speaks
    assert_float_equal(rate_after(&p, 110, 120, 0, &ok), 7000.0 / 120, 0.01);
}

static void slow_jobs_have_the_rate_of_the_whole_run(void **state) {
    (void)state;
    struct progress p = start(PROGRESS_PLAIN);
    struct progress_view v = view_of(0, 0);
    assert_float_equal(progress_rate(&p, &v), 0, 0.0001);
    for (int t = 1; t <= 100; t++) {
        v = view_of(t / 20, t);
        progress_sample(&p, &v, t * SECOND);
    }
    assert_float_equal(progress_rate(&p, &v), 0.05, 0.0001);
}

static void the_time_left(void **state) {
    (void)state;
    struct progress p = start(PROGRESS_BAR);
    struct progress_view v = view_of(100, 10);
    assert_int_equal(progress_left(&p, &v), -1);
    v.input_ended = true, v.rows = 1200, v.skipped = 1000;
    assert_int_equal(progress_left(&p, &v), 10 * SECOND); // rows done before cost no time
    v.ok = 0;
    assert_int_equal(progress_left(&p, &v), -1);
}

static void a_plain_line(void **state) {
    (void)state;
    struct progress p = start(PROGRESS_PLAIN);
    struct progress_view v = view_of(410, 5);
    v.failed = 2, v.rows = 500, v.in_flight = 24, v.rate_limited = 4;
    v.bytes_done = 500, v.bytes_total = 1319;
    v.key_states[PROGRESS_KEY_BUSY] = 3, v.key_states[PROGRESS_KEY_COOLING] = 1;
    progress_plain(&p, &v, &out);
    assert_string_equal(buf_cstr(&out), "412 of ~1,319 (31%) done, 2 failed, 82.4/s, 24 in flight, "
                                        "4 rate limited, ETA 11s; keys: 3 busy, 1 cooling\n");
    buf_clear(&out);
    v = view_of(0, 0);
    v.draining = true;
    progress_plain(&p, &v, &out);
    assert_string_equal(buf_cstr(&out),
                        "0 done, 0 failed, 0.0/s, 0 in flight, 0 rate limited, stopping\n");
    buf_clear(&out);
}

static void no_time_is_told_while_nothing_moves(void **state) {
    (void)state;
    struct progress p = start(PROGRESS_PLAIN);
    struct progress_view v = view_of(50, 5);
    v.input_ended = true, v.rows = 100;
    assert_int_equal(progress_left(&p, &v), 5 * SECOND);
    v.why = "openai: HTTP 503 since 40 s";
    assert_int_equal(progress_left(&p, &v), -1);
    progress_plain(&p, &v, &out);
    assert_non_null(strstr(buf_cstr(&out), "0 rate limited, openai: HTTP 503 since 40 s\n"));
    assert_null(strstr(buf_cstr(&out), "ETA"));
    buf_clear(&out);
    progress_json(&p, &v, false, &out);
    assert_true(slice_is(json_get(buf_slice(&out), "waiting"), "\"openai: HTTP 503 since 40 s\""));
    assert_true(slice_is(json_get(buf_slice(&out), "eta_s"), "null"));
    buf_clear(&out);
    v = view_of(PROGRESS_ROWS_TOLD - 1, 1); // nor before enough is known
    v.input_ended = true, v.rows = 100;
    assert_int_equal(progress_left(&p, &v), -1);
}

static void a_json_line(void **state) {
    (void)state;
    struct progress p = start(PROGRESS_JSON);
    struct progress_view v = view_of(10, 4);
    progress_json(&p, &v, false, &out);
    assert_string_equal(buf_cstr(&out),
                        "{\"event\":\"progress\",\"elapsed_s\":4,\"done\":10,\"total\":null,"
                        "\"total_is_estimate\":false,\"ok\":10,\"failed\":0,\"skipped\":0,"
                        "\"in_flight\":0,\"rate_limited\":0,\"jobs_per_s\":2.5,\"eta_s\":null,"
                        "\"keys\":{\"idle\":0,\"busy\":0,\"cooling\":0,\"out\":0},"
                        "\"draining\":false}\n");
    buf_clear(&out);
    v.input_ended = true, v.rows = 15;
    progress_json(&p, &v, true, &out);
    assert_true(json_check(buf_slice(&out), NULL));
    assert_true(slice_is(json_get(buf_slice(&out), "event"), "\"end\""));
    assert_true(slice_is(json_get(buf_slice(&out), "total"), "15"));
    assert_true(slice_is(json_get(buf_slice(&out), "eta_s"), "2"));
    buf_clear(&out);
}

// What a mode writes to stderr over `seconds`, ticked every 100 ms whether it is due or not.
static struct slice written(enum progress_mode mode, int seconds) {
    static char text[1 << 20];
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    struct progress p = start(mode);
    struct progress_view v = view_of(0, 0);
    for (int t = 1; t <= seconds * 10; t++) {
        v.ok = t, v.elapsed = t * SECOND / 10;
        progress_tick(&p, &v, t * SECOND / 10);
    }
    progress_end(&p, &v, seconds * SECOND);
    dup2(saved, STDERR_FILENO);
    close(saved);
    ssize_t n = pread(fileno(file), text, sizeof text, 0);
    fclose(file);
    return slice_of(text, n > 0 ? (size_t)n : 0);
}

static int count(struct slice text, char c) {
    int found = 0;
    for (size_t i = 0; i < text.n; i++)
        found += text.p[i] == c;
    return found;
}

static void each_mode_speaks_in_its_time(void **state) {
    (void)state;
    assert_int_equal(written(PROGRESS_OFF, 100).n, 0);
    assert_int_equal(count(written(PROGRESS_PLAIN, 4), '\n'), 0);
    // at 5, 15, 30, 50, 75, 105, then every 30 seconds
    assert_int_equal(count(written(PROGRESS_PLAIN, 106), '\n'), 6);
    assert_int_equal(count(written(PROGRESS_PLAIN, 106 + 300), '\n'), 16);
    assert_int_equal(count(written(PROGRESS_JSON, 20), '\n'), 21);
    struct slice bar = written(PROGRESS_BAR, 10);
    assert_int_equal(count(bar, '\n'), 0);
    assert_int_equal(count(bar, '\r'), 101);
    assert_memory_equal(bar.p + bar.n - 4, "\r\033[K", 4); // and the line is gone at the end
}

static int free_out(void **state) {
    (void)state;
    buf_free(&out);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mode_follows_the_terminal),
        cmocka_unit_test(the_environment_decides_colour_and_letters),
        cmocka_unit_test(a_total_is_known_reckoned_or_neither),
        cmocka_unit_test(the_rate_is_that_of_the_last_seconds),
        cmocka_unit_test(slow_jobs_have_the_rate_of_the_whole_run),
        cmocka_unit_test(the_time_left),
        cmocka_unit_test(a_plain_line),
        cmocka_unit_test(no_time_is_told_while_nothing_moves),
        cmocka_unit_test(a_json_line),
        cmocka_unit_test_teardown(each_mode_speaks_in_its_time, free_out),
    };
    QUIET_RUN(tests);
}
