// why.c (test): what is said of a standstill, on a virtual clock.
// SPDX-License-Identifier: MIT
#include "runner/why.h"

#include "jobs/base/clock.h"
#include "tests/unit/quiet.h"

#include <stdlib.h>
#include <time.h>

#define SEC  USEC_PER_SEC
#define NOW  (1000 * SEC)
#define WALL (INT64_C(1795240800) * SEC) // 2026-11-21 06:00 UTC

static struct buf out = BUF_INIT(4096);

static const char *said(struct why_note note, bool has_ended) {
    buf_clear(&out);
    why_describe(&note, NOW, WALL, has_ended, &out);
    return buf_cstr(&out);
}

static void a_provider_that_fails(void **state) {
    (void)state;
    struct why_note note = {.cause = WHY_PROVIDER,
                            .since = NOW - 40 * SEC,
                            .until = NOW + 5 * SEC,
                            .who = "openai",
                            .http_status = 503,
                            .words = "over\033[2Jloaded"};
    assert_string_equal(said(note, false),
                        "openai: HTTP 503 since 40 s, next try in 5 s (over?[2Jloaded)");
    assert_string_equal(said(note, true), "openai: HTTP 503 since 40 s (over?[2Jloaded)");
    note.http_status = 0, note.until = TIME_NEVER, note.words[0] = '\0';
    note.since = NOW - 200 * SEC;
    assert_string_equal(said(note, false), "openai: no answer since 3m20s");
    note.since = NOW - SEC / 2; // not worth a word
    assert_string_equal(said(note, false), "");
}

static void limits_say_until_when(void **state) {
    (void)state;
    struct why_note note = {
        .cause = WHY_LIMITED, .since = NOW, .until = NOW + 3900 * SEC, .words = "daily quota"};
    assert_string_equal(said(note, false), "all keys are rate limited until 07:05 (daily quota)");
    note.until = NOW + 30 * 3600 * SEC;
    assert_string_equal(said(note, false),
                        "all keys are rate limited until 2026-11-22 12:00 (daily quota)");
    note.until = NOW + 12 * SEC, note.words[0] = '\0', note.cause = WHY_LIMITS;
    assert_string_equal(said(note, false), "the limits of all keys are used up for 12 s");
    note.until = NOW + SEC / 2; // over at once
    assert_string_equal(said(note, false), "");
}

static void the_disk_and_the_input(void **state) {
    (void)state;
    struct why_note note = {.cause = WHY_DISK, .since = NOW - 2 * SEC, .until = TIME_NEVER};
    assert_string_equal(said(note, false), "paused: results wait for the disk");
    note.cause = WHY_INPUT;
    assert_string_equal(said(note, false), "waiting for input");
    note.cause = WHY_NOTHING;
    assert_string_equal(said(note, false), "");
}

static int free_out(void **state) {
    (void)state;
    buf_free(&out);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_provider_that_fails),
        cmocka_unit_test(limits_say_until_when),
        cmocka_unit_test_teardown(the_disk_and_the_input, free_out),
    };
    setenv("TZ", "UTC", 1);
    tzset();
    QUIET_RUN(tests);
}
