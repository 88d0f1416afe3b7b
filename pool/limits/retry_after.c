// retry_after.c: reads every form in which a provider says how long to wait. Pure; any thread.
// SPDX-License-Identifier: MIT
#include "pool/limits/retry_after.h"

#include "jobs/base/clock.h"
#include "pool/limits/day.h"

#include <strings.h>

// Waits beyond this are no news to anybody; keeps sums of microseconds far from overflow.
#define WAIT_MAX (INT64_C(200) * 366 * 86400 * USEC_PER_SEC)

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static void skip(struct slice *s, size_t n) {
    s->p += n;
    s->n -= n;
}

static bool take_char(struct slice *s, char c) {
    if (!s->n || *s->p != c)
        return false;
    skip(s, 1);
    return true;
}

static bool take_word(struct slice *s, const char *word) {
    size_t n = strlen(word);
    if (s->n < n || strncasecmp(s->p, word, n) != 0)
        return false;
    skip(s, n);
    return true;
}

static void skip_spaces(struct slice *s) {
    while (s->n && (*s->p == ' ' || *s->p == '\t'))
        skip(s, 1);
}

// Between min and max digits as a number.
static bool take_digits(struct slice *s, int min, int max, int *value) {
    int n = 0;
    *value = 0;
    while (n < max && s->n && is_digit(*s->p)) {
        *value = *value * 10 + (*s->p - '0');
        skip(s, 1);
        n++;
    }
    return n >= min;
}

// A decimal number, "12" or "0.5"; what is beyond the reach of a double's 53 bits is rounded.
static bool take_number(struct slice *s, double *value) {
    double number = 0, unit = 1;
    if (!s->n || !is_digit(*s->p))
        return false;
    for (; s->n && is_digit(*s->p); skip(s, 1))
        number = number * 10 + (*s->p - '0');
    if (s->n > 1 && *s->p == '.' && is_digit(s->p[1]))
        for (skip(s, 1); s->n && is_digit(*s->p); skip(s, 1))
            number += (*s->p - '0') * (unit /= 10);
    *value = number;
    return true;
}

static bool wait_of(double usec, int64_t *result) {
    if (!(usec >= 0 && usec <= (double)WAIT_MAX))
        return false;
    *result = (int64_t)(usec + 0.5);
    return true;
}

static const struct unit {
    const char *name;
    double usec;
} units[] = {
    // the longest name that fits must stand first
    {"milliseconds", 1e3}, {"millisecond", 1e3}, {"minutes", 60e6},
    {"minute", 60e6},      {"seconds", 1e6},     {"second", 1e6},
    {"hours", 3600e6},     {"hour", 3600e6},     {"days", 86400e6},
    {"day", 86400e6},      {"mins", 60e6},       {"min", 60e6},
    {"secs", 1e6},         {"sec", 1e6},         {"hrs", 3600e6},
    {"hr", 3600e6},        {"ms", 1e3},          {"us", 1},
    {"\xc2\xb5s", 1},      {"\xce\xbcs", 1},     {"ns", 1e-3},
    {"h", 3600e6},         {"m", 60e6},          {"s", 1e6},
    {"d", 86400e6},
};

// A unit that ends where the word ends ("30s", "1m30s"; not the m of "many").
static const struct unit *take_unit(struct slice *s) {
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        struct slice rest = *s;
        if (take_word(&rest, units[i].name) && !(rest.n && is_letter(*rest.p))) {
            *s = rest;
            return &units[i];
        }
    }
    return NULL;
}

// "6m0s", "12ms", "1h2m3s", "7.66s", "26s" (Go, protobuf).
static bool parse_go(struct slice s, int64_t *usec) {
    double total = 0, number;
    while (s.n) {
        const struct unit *unit;
        if (!take_number(&s, &number) || !(unit = take_unit(&s)))
            return false;
        total += number * unit->usec;
    }
    return wait_of(total, usec);
}

static int days_in_month(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

struct moment {
    int year, month, day, hour, minute, second;
    int64_t fraction; // microseconds
    int offset;       // minutes east of UTC
};

static bool wait_until(const struct moment *m, int64_t now_wall, int64_t *usec) {
    bool sane = m->year >= 1970 && m->year <= 9999 && m->month >= 1 && m->month <= 12 &&
                m->day >= 1 && m->day <= days_in_month(m->year, m->month) && m->hour < 24 &&
                m->minute < 60 && m->second <= 60;
    if (!sane)
        return false;
    int64_t minutes = (day_number(m->year, m->month, m->day) * 24 + m->hour) * 60 + m->minute;
    int64_t at = ((minutes - m->offset) * 60 + m->second) * USEC_PER_SEC + m->fraction;
    *usec = at > now_wall ? at - now_wall : 0;
    return true;
}

static bool take_clock(struct slice *s, struct moment *m) {
    return take_digits(s, 2, 2, &m->hour) && take_char(s, ':') &&
           take_digits(s, 2, 2, &m->minute) && take_char(s, ':') &&
           take_digits(s, 2, 2, &m->second);
}

static void take_fraction(struct slice *s, struct moment *m) {
    int64_t unit = USEC_PER_SEC;
    if (s->n < 2 || *s->p != '.' || !is_digit(s->p[1]))
        return;
    for (skip(s, 1); s->n && is_digit(*s->p); skip(s, 1))
        m->fraction += (*s->p - '0') * (unit /= 10);
}

// Z, +08:00, -0330
static bool take_zone(struct slice *s, struct moment *m) {
    int hours, minutes;
    if (take_word(s, "z"))
        return true;
    if (!s->n || (*s->p != '+' && *s->p != '-'))
        return false;
    int sign = *s->p == '-' ? -1 : 1;
    skip(s, 1);
    if (!take_digits(s, 2, 2, &hours))
        return false;
    take_char(s, ':');
    if (!take_digits(s, 2, 2, &minutes))
        return false;
    m->offset = sign * (hours * 60 + minutes);
    return hours < 24 && minutes < 60;
}

// 2026-11-21
static bool take_date(struct slice *s, struct moment *m) {
    return take_digits(s, 4, 4, &m->year) && take_char(s, '-') && take_digits(s, 2, 2, &m->month) &&
           take_char(s, '-') && take_digits(s, 2, 2, &m->day);
}

// 2026-11-21T06:00:00.5Z
static bool parse_rfc3339(struct slice s, int64_t now_wall, int64_t *usec) {
    struct moment m = {0};
    if (!take_date(&s, &m))
        return false;
    if (!take_word(&s, "t") && !take_char(&s, ' '))
        return false;
    if (!take_clock(&s, &m))
        return false;
    take_fraction(&s, &m);
    return take_zone(&s, &m) && !s.n && wait_until(&m, now_wall, usec);
}

static bool take_month(struct slice *s, int *month) {
    static const char *const names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    for (int i = 0; i < 12; i++)
        if (take_word(s, names[i])) {
            *month = i + 1;
            return true;
        }
    return false;
}

// RFC 9110: a two-digit year more than 50 years ahead is one of the past.
static int full_year(int two_digits, int64_t now_wall) {
    int now = 1970 + (int)(now_wall / USEC_PER_SEC / 31556952);
    int year = now / 100 * 100 + two_digits;
    return year > now + 50 ? year - 100 : year;
}

// "21 Nov 2026 06:00:00 GMT" and "21-Nov-26 06:00:00 GMT", behind the weekday and its comma.
static bool parse_day_first(struct slice s, int64_t now_wall, int64_t *usec) {
    struct moment m = {0};
    if (!take_digits(&s, 1, 2, &m.day))
        return false;
    bool old = s.n && *s.p == '-';
    char between = old ? '-' : ' ';
    if (!take_char(&s, between) || !take_month(&s, &m.month) || !take_char(&s, between) ||
        !take_digits(&s, old ? 2 : 4, old ? 2 : 4, &m.year) || !take_char(&s, ' ') ||
        !take_clock(&s, &m) || !take_char(&s, ' '))
        return false;
    if (old)
        m.year = full_year(m.year, now_wall);
    bool utc = take_word(&s, "GMT") || take_word(&s, "UTC") || take_zone(&s, &m);
    return utc && !s.n && wait_until(&m, now_wall, usec);
}

// "Nov  6 08:49:37 1994", behind the weekday (asctime).
static bool parse_month_first(struct slice s, int64_t now_wall, int64_t *usec) {
    struct moment m = {0};
    if (!take_month(&s, &m.month))
        return false;
    skip_spaces(&s);
    if (!take_digits(&s, 1, 2, &m.day) || !take_char(&s, ' ') || !take_clock(&s, &m) ||
        !take_char(&s, ' ') || !take_digits(&s, 4, 4, &m.year))
        return false;
    return !s.n && wait_until(&m, now_wall, usec);
}

static bool parse_http_date(struct slice s, int64_t now_wall, int64_t *usec) {
    size_t letters = 0;
    while (letters < s.n && is_letter(s.p[letters]))
        letters++;
    if (letters < 3)
        return false;
    skip(&s, letters);
    bool comma = take_char(&s, ',');
    skip_spaces(&s);
    return comma ? parse_day_first(s, now_wall, usec) : parse_month_first(s, now_wall, usec);
}

// A bare number: seconds to wait; from 10^9 on no wait but a time since 1970, in seconds, from
// 10^11 on in milliseconds.
static bool parse_number(struct slice s, int64_t now_wall, int64_t *usec) {
    double number;
    if (!take_number(&s, &number) || s.n)
        return false;
    if (number < 1e9)
        return wait_of(number * 1e6, usec);
    double at = number < 1e11 ? number * 1e6 : number * 1e3;
    if (at > 1e18)
        return false;
    double wait = at - (double)now_wall;
    return wait_of(wait > 0 ? wait : 0, usec);
}

bool retry_after_parse(struct slice text, int64_t now_wall, int64_t *usec) {
    text = slice_trim(text);
    if (!text.n)
        return false;
    if (is_letter(*text.p))
        return parse_http_date(text, now_wall, usec);
    return parse_number(text, now_wall, usec) || parse_go(text, usec) ||
           parse_rfc3339(text, now_wall, usec);
}

bool retry_after_parse_ms(struct slice text, int64_t now_wall, int64_t *usec) {
    struct slice s = text = slice_trim(text);
    double number;
    if (take_number(&s, &number) && !s.n)
        return wait_of(number * 1e3, usec);
    return retry_after_parse(text, now_wall, usec);
}

// "5.289s", "1m30s", "2 seconds", "1 minute and 30 seconds", "20" at the start of s.
static bool parse_spoken(struct slice s, int64_t *usec) {
    double total = 0, number;
    for (int parts = 0; take_number(&s, &number); parts++) {
        struct slice behind = s;
        skip_spaces(&s);
        const struct unit *unit = take_unit(&s);
        if (!unit) { // a bare number is seconds, if it is no part of a date or a word
            bool bare = parts == 0 && !(behind.n && strchr("-:/%", *behind.p)) &&
                        !(behind.n && (is_letter(*behind.p) || (*behind.p & 0x80)));
            return bare && wait_of(number * 1e6, usec);
        }
        total += number * unit->usec;
        struct slice more = s;
        skip_spaces(&more);
        take_char(&more, ',');
        skip_spaces(&more);
        if (take_word(&more, "and"))
            skip_spaces(&more);
        if (!more.n || !is_digit(*more.p))
            return wait_of(total, usec);
        s = more;
    }
    return false;
}

bool retry_after_in_text(struct slice text, int64_t *usec) {
    static const char *const phrases[] = {"try again in ",    "retry in ",    "retry after ",
                                          "try again after ", "reset after ", "resets in ",
                                          "retrying in ",     "wait "};
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++) {
        for (struct slice s = text; s.n; skip(&s, 1)) {
            struct slice rest = s;
            if ((*s.p | 0x20) != *phrases[i] || !take_word(&rest, phrases[i]))
                continue;
            skip_spaces(&rest);
            if (take_word(&rest, "about ") || take_word(&rest, "approximately "))
                skip_spaces(&rest);
            if (parse_spoken(rest, usec))
                return true;
        }
    }
    return false;
}

// A date and time of day at the start of s, as people write them; what follows does not matter.
static bool parse_written(struct slice s, int offset, int64_t now_wall, int64_t *usec) {
    struct moment m = {0};
    if (!take_date(&s, &m) || !(take_word(&s, "t") || take_word(&s, " at ") || take_char(&s, ' ')))
        return false;
    if (!take_digits(&s, 2, 2, &m.hour) || !take_char(&s, ':') || !take_digits(&s, 2, 2, &m.minute))
        return false;
    if (take_char(&s, ':') && !take_digits(&s, 2, 2, &m.second))
        return false;
    take_fraction(&s, &m);
    if (!take_zone(&s, &m) && !take_word(&s, " utc") && !take_word(&s, " gmt"))
        m.offset = offset;
    return wait_until(&m, now_wall, usec);
}

// Ten or thirteen digits; further than two years away they are some other number.
static bool parse_epoch(struct slice s, int64_t now_wall, int64_t *usec) {
    size_t n = 0;
    int64_t at = 0;
    for (; n < s.n && n < 14 && is_digit(s.p[n]); n++)
        at = at * 10 + (s.p[n] - '0');
    if ((n != 10 && n != 13) || (n < s.n && is_letter(s.p[n])))
        return false;
    int64_t wait = at * (n == 10 ? USEC_PER_SEC : USEC_PER_MS) - now_wall;
    const int64_t two_years = 2 * 366 * INT64_C(86400) * USEC_PER_SEC;
    if (wait > two_years || wait < -two_years)
        return false;
    *usec = wait > 0 ? wait : 0;
    return true;
}

bool retry_after_moment(struct slice text, int offset, int64_t now_wall, int64_t *usec) {
    char before = ' ';
    for (struct slice s = text; s.n; before = *s.p, skip(&s, 1)) {
        bool starts = is_digit(*s.p) && !is_digit(before) && !is_letter(before);
        if (starts && (parse_written(s, offset, now_wall, usec) || parse_epoch(s, now_wall, usec)))
            return true;
    }
    return false;
}
