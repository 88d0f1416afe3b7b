// retry_after.c: every form of a wait that signals are known to use, and what only looks like one.
// SPDX-License-Identifier: MIT
#include "pool/limits/retry_after.h"

#include "jobs/base/clock.h"
#include "jobs/base/random.h"
#include "tests/unit/pool/test.h"

#include <time.h>

// 2026-11-21T06:00:00Z
#define NOW  (INT64_C(1795240800) * USEC_PER_SEC)
#define NONE INT64_MIN

static const struct {
    const char *text;
    int64_t usec;
} parsed[] = {
    // seconds
    {"2", 2000000},
    {"0", 0},
    {"0.5", 500000},
    {" 60 ", 60000000},
    {"1.000001", 1000001},
    {"86400", INT64_C(86400000000)},
    {"007", 7000000},
    // Go and protobuf
    {"1s", 1000000},
    {"6m0s", 360000000},
    {"12ms", 12000},
    {"7.66s", 7660000},
    {"2m59.56s", 179560000},
    {"1h2m3s", INT64_C(3723000000)},
    {"26s", 26000000},
    {"26.37s", 26370000},
    {"250us", 250},
    {"1\xc2\xb5s", 1},
    {"1500ns", 2},
    {"24h0m0s", INT64_C(86400000000)},
    {"0s", 0},
    {"1d", INT64_C(86400000000)},
    // HTTP dates: the three forms of RFC 9110
    {"Sat, 21 Nov 2026 06:00:30 GMT", 30000000},
    {"Saturday, 21-Nov-26 06:01:00 GMT", 60000000},
    {"Sat Nov 21 06:00:05 2026", 5000000},
    {"Sun Nov  1 06:00:05 2026", 0},
    {"Sun, 06 Nov 1994 08:49:37 GMT", 0},
    {"Sunday, 06-Nov-94 08:49:37 GMT", 0},
    {"sat, 21 nov 2026 06:00:30 gmt", 30000000},
    {"Sat, 21 Nov 2026 08:00:30 +0200", 30000000},
    // RFC 3339
    {"2026-11-21T06:00:10Z", 10000000},
    {"2026-11-21T06:00:10.25Z", 10250000},
    {"2026-11-21t06:00:10z", 10000000},
    {"2026-11-21 14:00:10+08:00", 10000000},
    {"2026-11-20T22:00:01-08:00", 1000000},
    {"2025-10-25T12:00:00Z", 0},
    {"2028-02-29T00:00:00Z", INT64_C(40154400000000)},
    // unix time
    {"1795240802", 2000000},
    {"1795240800500", 500000},
    {"1795240801.5", 1500000},
    {"1700000000", 0},
    // none
    {"", NONE},
    {"-1", NONE},
    {"-5s", NONE},
    {"abc", NONE},
    {"soon", NONE},
    {"1x", NONE},
    {"1 s", 1000000},
    {"s", NONE},
    {"1.s", NONE},
    {".5", NONE},
    {"1e3", NONE},
    {"0x10", NONE},
    {"inf", NONE},
    {"nan", NONE},
    {"1h-2m", NONE},
    {"99999999999999999999999999", NONE},
    {"99999999999999h", NONE},
    {"2026-13-01T00:00:00Z", NONE},
    {"2026-02-29T00:00:00Z", NONE},
    {"2026-11-21T24:00:00Z", NONE},
    {"2026-11-21T06:00:10", NONE},
    {"2026-11-21", NONE},
    {"2026-11-21T06:00:10Zx", NONE},
    {"Sat, 21 Nov 2026 06:00:30", NONE},
    {"Sat, 32 Nov 2026 06:00:30 GMT", NONE},
    {"Sat, 21 Foo 2026 06:00:30 GMT", NONE},
    {"Sat", NONE},
    {"Sat,", NONE},
    {"2;3", NONE},
    {"1,5", NONE},
};

static void parses(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof parsed / sizeof *parsed; i++) {
        int64_t usec = NONE;
        bool good = retry_after_parse(slice_str(parsed[i].text), NOW, &usec);
        if (good != (parsed[i].usec != NONE) || (good && usec != parsed[i].usec))
            fail_msg("\"%s\": %s %lld, expected %lld", parsed[i].text, good ? "gives" : "refused",
                     (long long)usec, (long long)parsed[i].usec);
    }
}

static const struct {
    const char *text;
    int64_t usec;
} spoken[] = {
    {"Rate limit reached for model X on tokens per minute (TPM): Limit 15000, Used 11972, "
     "Requested "
     "4351. Please try again in 5.289s. Need more tokens?",
     5289000},
    {"Please try again in 6m0s.", 360000000},
    {"please try again in 20ms", 20000},
    {"Please retry in 26.374519s.", 26374519},
    {"Please retry after 2 seconds.", 2000000},
    {"Try again in 1 minute and 30 seconds", 90000000},
    {"Try again in 1 hour, 5 minutes.", INT64_C(3900000000)},
    {"please try again in about 3 minutes", 180000000},
    {"TRY AGAIN IN 20.", 20000000},
    {"please wait 7 s before the next call", 7000000},
    {"Please retry after 86400 seconds. Please go here", INT64_C(86400000000)},
    {"try again in a moment; try again in 4s", 4000000},
    {"", NONE},
    {"try again in", NONE},
    {"try again in a moment", NONE},
    {"try again in 2026-11-21", NONE},
    {"try again in 12:30", NONE},
    {"retry in 5x", NONE},
    {"limit 15000, used 11972", NONE},
    {"wait 5 many", 5000000},
    {"Please try again in 1m2.5s.", 62500000},
    {"Please try again in 12ms.", 12000},
    {"Please try again in 9m38.016s. Need more tokens?", 578016000},
    {"Please try again in 50.597142857s. Visit", 50597143},
    {"retry in 37 seconds", 37000000},
    {"Please retry in 25.465784708s.", 25465785},
    {"try again in 5 days 22 hours 11 minutes.", INT64_C(511860000000)},
    {"try again in 99999999999999999999999999 hours", NONE},
};

static void parses_text(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof spoken / sizeof *spoken; i++) {
        int64_t usec = NONE;
        bool good = retry_after_in_text(slice_str(spoken[i].text), NOW, &usec);
        if (good != (spoken[i].usec != NONE) || (good && usec != spoken[i].usec))
            fail_msg("\"%s\": %s %lld, expected %lld", spoken[i].text, good ? "gives" : "refused",
                     (long long)usec, (long long)spoken[i].usec);
    }
}

static const struct {
    const char *text;
    int64_t usec;
} milliseconds[] = {
    {"1234", 1234000},
    {"0", 0},
    {" 12.5 ", 12500},
    {"504641000", INT64_C(504641000000)}, // gajae-code #1821
    {"1234567890", INT64_C(1234567890000)},
    {"1234ms", 1234000},
    {"2s", 2000000},
    {"Sat, 21 Nov 2026 06:00:30 GMT", 30000000},
    {"", NONE},
    {"-1", NONE},
    {"ms", NONE},
    {"99999999999999999999999999", NONE},
};

static void parses_milliseconds(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof milliseconds / sizeof *milliseconds; i++) {
        int64_t usec = NONE;
        bool good = retry_after_parse_ms(slice_str(milliseconds[i].text), NOW, &usec);
        if (good != (milliseconds[i].usec != NONE) || (good && usec != milliseconds[i].usec))
            fail_msg("\"%s\": %s %lld, expected %lld", milliseconds[i].text,
                     good ? "gives" : "refused", (long long)usec, (long long)milliseconds[i].usec);
    }
}

// Forms of headers and words of messages that were seen besides.
static const struct {
    const char *text;
    int64_t usec; // NONE: refused
} other_forms[] =
    {
        {"3, 3", 3000000},
        {"3, 5", 5000000},
        {"3,", 3000000},
        {"3, x", NONE},
        {"Sat, 21 Nov 2026 06:00:30 GMT, Sat, 21 Nov 2026 06:00:30 GMT", 30000000},
        {"\"3\"", 3000000},
        {"3 seconds", 3000000},
        {"1 minute", 60000000},
        {"3 seconds or so", NONE},
        {"PT3S", 3000000},
        {"pt1m30.5s", 90500000},
        {"P1DT2H", INT64_C(93600000000)},
        {"P1W", INT64_C(604800000000)},
        {"PT", NONE},
        {"P", NONE},
        {"PT3", NONE},
        {"P3S", NONE},
        {"PT3S4M", NONE},
        {"0", 0},
        {"-5", NONE},
        {"99999999999999999999", NONE},
        {"1795240803", 3000000},
        {"1795240803000", 3000000},
},
  other_words[] = {
      {"请在20秒后重试", 20000000},
      {"请在 1.5 分钟之后重试", 90000000},
      {"1小时30分钟后再试", INT64_C(5400000000)},
      {"500毫秒后重试", 500000},
      {"1分钟内最多请求10次", NONE},
      {"Try again in an hour", INT64_C(3600000000)},
      {"please try again in a minute.", 60000000},
      {"Please try again in 1m2.5s.", 62500000},
      {"Please retry after 20 seconds", 20000000},
      {"please try again in 2 hours", INT64_C(7200000000)},
      {"Please retry in 26.37s", 26370000},
      {"retry-after: 7", 7000000},
      {"\"retry_after\": 12", 12000000},
      {"Please wait 73564 seconds before retrying", INT64_C(73564000000)},
      {"wait at least 5s", 5000000},
      {"Your limit resets in 3 hours, 2 minutes", INT64_C(10920000000)},
      {"try again at 2026-11-21T06:00:30Z", 30000000},
      {"Limit resets at: 2026-11-21 06:01:00 UTC", 60000000},
      {"The quota resets at 06:05 UTC.", INT64_C(300000000)},
      {"The quota resets at 05:00 UTC.", INT64_C(82800000000)},
      {"resets at 14:05 somewhere", NONE},
      {"try again after 2026-11-21 06:00:10", 10000000},
      {"try again later", NONE},
      {"in 2 minutes of silence", NONE},
};

static void reads_other_forms_and_words(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof other_forms / sizeof *other_forms; i++) {
        int64_t usec = NONE;
        bool good = retry_after_parse(slice_str(other_forms[i].text), NOW, &usec);
        if (good != (other_forms[i].usec != NONE) || (good && usec != other_forms[i].usec))
            fail_msg("\"%s\" gives %lld", other_forms[i].text, good ? (long long)usec : -1LL);
    }
    for (size_t i = 0; i < sizeof other_words / sizeof *other_words; i++) {
        int64_t usec = NONE;
        bool good = retry_after_in_text(slice_str(other_words[i].text), NOW, &usec);
        if (good != (other_words[i].usec != NONE) || (good && usec != other_words[i].usec))
            fail_msg("\"%s\" gives %lld", other_words[i].text, good ? (long long)usec : -1LL);
    }
}

static void believes_the_servers_clock(void **state) {
    (void)state;
    const int64_t hour = 3600 * USEC_PER_SEC;
    assert_int_equal(retry_after_clock(SLICE("Sat, 21 Nov 2026 07:00:00 GMT"), NOW), NOW + hour);
    assert_int_equal(retry_after_clock(SLICE("Sat, 21 Nov 2026 05:00:00 GMT"), NOW), NOW - hour);
    // as good as ours: the finer one counts
    assert_int_equal(retry_after_clock(SLICE("Sat, 21 Nov 2026 06:00:00 GMT"), NOW + 900000),
                     NOW + 900000);
    assert_int_equal(retry_after_clock(SLICE("yesterday"), NOW), NOW);
    assert_int_equal(retry_after_clock(SLICE("5"), NOW), NOW);
    assert_int_equal(retry_after_clock(SLICE_NONE, NOW), NOW);
}

// By a clock in China: NOW is 14:00:00 there.
static const struct {
    const char *text;
    int64_t usec;
} moments[] = {
    {"Usage limit reached for 5 hour. Your limit will reset at 2026-11-21 14:00:10", 10000000},
    {"您的限额将在 2026-11-21 18:00:00 重置。", INT64_C(14400000000)},
    {"reset at 2026-11-21 14:00", 0},
    {"reset at 2026-11-21 14:01.", 60000000},
    {"Resets at 2026-11-21T06:00:05Z", 5000000},
    {"Resets at 2026-11-21T06:00:05.5+00:00.", 5500000},
    {"You will regain access on 2026-11-22 at 00:00 UTC.", INT64_C(64800000000)},
    {"reset at 2026-11-21 06:00:30 GMT", 30000000},
    {"[1310][Limit Exhausted. Your limit will reset at 2026-11-28 14:00:00][2026112106000000]",
     INT64_C(604800000000)},
    {"reset at 1795240802", 2000000},
    {"reset at 1795240802500 (milliseconds)", 2500000},
    {"reset at 1700000000", NONE}, // years ago: not a time
    {"2026-02-30 00:00:00, then 2026-11-21 14:00:01", 1000000},
    {"reset at 2026-11-20 14:00:00", 0}, // over
    {"", NONE},
    {"no time at all", NONE},
    {"on 2026-11-22", NONE},
    {"at 18:00:00", NONE},
    {"2026-13-01 00:00:00", NONE},
    {"x1795240802", NONE},
    {"1795240802x", NONE},
    {"17952408021", NONE},
    {"limit 15000, used 11972", NONE},
};

static void finds_moments(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
        int64_t usec = NONE;
        bool good = retry_after_moment(slice_str(moments[i].text), 480, NOW, &usec);
        if (good != (moments[i].usec != NONE) || (good && usec != moments[i].usec))
            fail_msg("\"%s\": %s %lld, expected %lld", moments[i].text, good ? "gives" : "refused",
                     (long long)usec, (long long)moments[i].usec);
    }
}

// Days against the C library's calendar.
static void dates_agree_with_the_library(void **state) {
    (void)state;
    struct random r = {3};
    for (int i = 0; i < 20000; i++) {
        time_t at = (time_t)random_below(&r, INT64_C(8000000000));
        struct tm t;
        char text[64];
        int64_t usec;
        gmtime_r(&at, &t);
        size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &t);
        assert_true(retry_after_parse(slice_of(text, n), 0, &usec));
        assert_int_equal(usec / USEC_PER_SEC, at);
        n = strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &t);
        assert_true(retry_after_parse(slice_of(text, n), 0, &usec));
        assert_int_equal(usec / USEC_PER_SEC, at);
        n = strftime(text, sizeof text, "%a %b %e %H:%M:%S %Y", &t);
        assert_true(retry_after_parse(slice_of(text, n), 0, &usec));
        assert_int_equal(usec / USEC_PER_SEC, at);
    }
}

// Whatever comes: an answer is never negative, and nothing is read beyond the end.
static void takes_any_text(void **state) {
    (void)state;
    static const char letters[] = "0123456789.:-+ smhdTZSatNov,GMTtry again in retry";
    struct random r = {5};
    for (int i = 0; i < 200000; i++) {
        size_t n = (size_t)random_below(&r, 32);
        char *text = malloc(n ? n : 1);
        int64_t usec = 0;
        for (size_t k = 0; k < n; k++)
            text[k] = letters[random_below(&r, sizeof letters - 1)];
        if (retry_after_parse(slice_of(text, n), NOW, &usec) ||
            retry_after_parse_ms(slice_of(text, n), NOW, &usec) ||
            retry_after_moment(slice_of(text, n), 480, NOW, &usec) ||
            retry_after_in_text(slice_of(text, n), NOW, &usec))
            assert_true(usec >= 0);
        free(text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses),
        cmocka_unit_test(parses_text),
        cmocka_unit_test(parses_milliseconds),
        cmocka_unit_test(reads_other_forms_and_words),
        cmocka_unit_test(believes_the_servers_clock),
        cmocka_unit_test(finds_moments),
        cmocka_unit_test(dates_agree_with_the_library),
        cmocka_unit_test(takes_any_text),
    };
    RUN_TESTS(tests);
}
