// day.c: midnights in Pacific time, UTC+8 and UTC, against known ones and the C library's time zones'
// rules, over centuries.
// SPDX-License-Identifier: MIT
#include "pool/limits/day.h"

#include "jobs/base/clock.h"
#include "jobs/base/random.h"
#include "pool/catalogue.h"
#include "tests/unit/pool/test.h"

#include <time.h>

#define HOUR (3600 * USEC_PER_SEC)

static const enum day_zone zones[] = {DAY_UTC, DAY_PACIFIC, DAY_CHINA};

// "2026-11-21T06:00:00Z" as unix microseconds, by the C library.
static int64_t at(const char *text) {
    struct tm t = {0};
    assert_non_null(strptime(text, "%Y-%m-%dT%H:%M:%SZ", &t));
    return (int64_t)timegm(&t) * USEC_PER_SEC;
}

static const struct {
    const char *provider, *now, *end;
} known[] = {
    {"google", "2026-11-21T06:00:00Z", "2026-11-21T08:00:00Z"},
    {"google", "2026-11-21T08:00:00Z", "2026-11-22T08:00:00Z"}, // midnight itself
    {"google", "2026-11-21T07:59:59Z", "2026-11-21T08:00:00Z"},
    {"google", "2026-07-04T12:00:00Z", "2026-07-05T07:00:00Z"}, // summer time
    // 2026-03-08: 23 hours; the clocks go forward at 10:00 UTC
    {"google", "2026-03-08T07:59:59Z", "2026-03-08T08:00:00Z"},
    {"google", "2026-03-08T08:00:00Z", "2026-03-09T07:00:00Z"},
    {"google", "2026-03-08T09:59:59Z", "2026-03-09T07:00:00Z"},
    {"google", "2026-03-08T10:00:00Z", "2026-03-09T07:00:00Z"},
    // 2026-11-01: 25 hours; the clocks go back at 9:00 UTC
    {"google", "2026-11-01T06:59:59Z", "2026-11-01T07:00:00Z"},
    {"google", "2026-11-01T07:00:00Z", "2026-11-02T08:00:00Z"},
    {"google", "2026-11-01T08:59:59Z", "2026-11-02T08:00:00Z"},
    {"google", "2026-11-01T09:00:00Z", "2026-11-02T08:00:00Z"},
    {"google", "2026-11-02T08:00:00Z", "2026-11-03T08:00:00Z"},
    // the first and the last days that the second and the first Sunday can be
    {"google", "2020-03-08T12:00:00Z", "2020-03-09T07:00:00Z"},
    {"google", "2021-03-14T12:00:00Z", "2021-03-15T07:00:00Z"},
    {"google", "2021-11-07T12:00:00Z", "2021-11-08T08:00:00Z"},
    {"google", "2027-01-01T07:00:00Z", "2027-01-01T08:00:00Z"}, // still 2026 there
    {"google", "2028-02-29T08:00:00Z", "2028-03-01T08:00:00Z"},
    {"bigmodel", "2026-11-21T06:00:00Z", "2026-11-21T16:00:00Z"},
    {"bigmodel", "2026-11-21T16:00:00Z", "2026-11-22T16:00:00Z"},
    {"zai", "2026-11-21T15:59:59Z", "2026-11-21T16:00:00Z"},
    {"zai", "2028-02-28T16:00:00Z", "2028-02-29T16:00:00Z"},
    {"groq", "2026-11-21T06:00:00Z", "2026-11-22T00:00:00Z"},
    {"openai", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"},
    {"simulate", "2028-02-28T00:00:00Z", "2028-02-29T00:00:00Z"},
};

static void finds_known_midnights(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const struct provider *provider = catalogue_find(slice_str(known[i].provider));
        assert_non_null(provider);
        int64_t end = day_end(provider, at(known[i].now));
        if (end != at(known[i].end))
            fail_msg("%s at %s: %lld s from the midnight of %s", known[i].provider, known[i].now,
                     (long long)((end - at(known[i].end)) / USEC_PER_SEC), known[i].end);
    }
}

// Later than now, at most 25 hours away, a midnight there, and the same for every moment in between.
static void check_moment(enum day_zone zone, int64_t now, struct random *r) {
    int64_t end = day_zone_end(zone, now);
    assert_true(end > now && end - now <= 25 * HOUR);
    int64_t local = end + day_zone_offset(zone, end) * 60 * USEC_PER_SEC;
    assert_int_equal(local % (24 * HOUR), 0);
    int64_t between = now + random_below(r, end - now);
    assert_int_equal(day_zone_end(zone, between), end);
    assert_true(day_zone_end(zone, end) - end >= 23 * HOUR);
}

static void is_the_next_midnight_always(void **state) {
    (void)state;
    struct random r = {17};
    int64_t first = at("1900-01-01T00:00:00Z"), last = at("2500-01-01T00:00:00Z");
    for (int i = 0; i < 200000; i++) {
        int64_t now = first + random_below(&r, last - first);
        check_moment(zones[i % 3], now, &r);
        check_moment(zones[i % 3], now / HOUR * HOUR, &r);
        check_moment(zones[i % 3], now / HOUR * HOUR - 1, &r);
    }
}

// From midnight to midnight through sixty years: no day is lost, two a year are of odd length.
static void days_follow_each_other(void **state) {
    (void)state;
    int64_t now = at("2007-01-01T08:00:00Z"), end = at("2067-01-01T08:00:00Z");
    int days = 0, shorter = 0, longer = 0;
    for (; now < end; days++) {
        int64_t next = day_zone_end(DAY_PACIFIC, now);
        shorter += next - now == 23 * HOUR;
        longer += next - now == 25 * HOUR;
        now = next;
    }
    assert_int_equal(now, end);
    assert_int_equal(days, 60 * 365 + 15);
    assert_int_equal(shorter, 60);
    assert_int_equal(longer, 60);
}

// The rule as POSIX writes it, applied by the C library.
static void agrees_with_the_library(void **state) {
    (void)state;
    struct random r = {19};
    setenv("TZ", "PST8PDT,M3.2.0,M11.1.0", 1);
    tzset();
    for (int i = 0; i < 50000; i++) {
        time_t when = (time_t)(1167609600 + random_below(&r, INT64_C(5000000000)));
        struct tm t;
        assert_non_null(localtime_r(&when, &t));
        assert_int_equal(day_zone_offset(DAY_PACIFIC, (int64_t)when * USEC_PER_SEC),
                         t.tm_gmtoff / 60);
    }
    unsetenv("TZ");
    tzset();
}

static void counts_days(void **state) {
    (void)state;
    assert_int_equal(day_number(1970, 1, 1), 0);
    assert_int_equal(day_number(1969, 12, 31), -1);
    assert_int_equal(day_number(2000, 2, 29), 11016);
    assert_int_equal(day_number(2000, 3, 1), 11017);
    for (int year = -800; year < 3000; year++) {
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        assert_int_equal(day_number(year + 1, 1, 1) - day_number(year, 1, 1), 365 + leap);
        assert_int_equal(day_number(year, 3, 1) - day_number(year, 2, 28), 1 + leap);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_known_midnights),
        cmocka_unit_test(is_the_next_midnight_always),
        cmocka_unit_test(days_follow_each_other),
        cmocka_unit_test(agrees_with_the_library),
        cmocka_unit_test(counts_days),
    };
    RUN_TESTS(tests);
}
