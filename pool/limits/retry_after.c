// retry_after.c: reads every form in which a provider says how long to wait. Pure; any thread.
// SPDX-License-Identifier: MIT
#include "pool/limits/retry_after.h"

#include "jobs/base/clock.h"
#include "pool/limits/day.h"
#include "pool/limits/scan.h"

// Waits beyond this are no news to anybody; keeps sums of microseconds far from overflow.
#define WAIT_MAX (INT64_C(200) * 366 * 86400 * USEC_PER_SEC)

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

// "PT3S", "PT1M30.5S", "P1DT2H": ISO 8601, without years and months.
static bool parse_iso(struct slice s, int64_t *usec) {
    static const struct {
        char letter;
        bool in_day;
        double usec;
    } marks[] = {{'W', false, 7 * 86400e6},
                 {'D', false, 86400e6},
                 {'H', true, 3600e6},
                 {'M', true, 60e6},
                 {'S', true, 1e6}};
    double total = 0, number;
    bool in_day = false, any = false;
    if (!take_word(&s, "p"))
        return false;
    for (size_t i = 0; s.n;) {
        if (!in_day && take_word(&s, "t")) {
            in_day = true;
            continue;
        }
        if (!take_number(&s, &number) || !s.n)
            return false;
        while (i < sizeof marks / sizeof *marks &&
               (marks[i].in_day != in_day || (*s.p & ~0x20) != marks[i].letter))
            i++;
        if (i == sizeof marks / sizeof *marks)
            return false;
        total += number * marks[i++].usec;
        skip(&s, 1);
        any = true;
    }
    return any && wait_of(total, usec);
}

static bool parse_spoken(struct slice s, bool whole, int64_t *usec);

static bool parse_one(struct slice text, int64_t now_wall, int64_t *usec) {
    text = slice_trim(text);
    if (text.n > 1 && *text.p == '"' && text.p[text.n - 1] == '"')
        text = slice_trim(slice_of(text.p + 1, text.n - 2));
    if (!text.n)
        return false;
    if (is_letter(*text.p))
        return parse_iso(text, usec) || parse_http_date(text, now_wall, usec);
    return parse_number(text, now_wall, usec) || parse_go(text, usec) ||
           parse_rfc3339(text, now_wall, usec) || parse_spoken(text, true, usec);
}

// Headers that came twice are joined: "3, 3". A date has a comma of its own and ends with its zone.
static struct slice next_joined(struct slice *rest) {
    const char *comma = rest->n ? memchr(rest->p, ',', rest->n) : NULL;
    const char *zone = is_letter(*slice_trim(*rest).p) ? memmem(rest->p, rest->n, "GMT,", 4) : NULL;
    if (zone)
        comma = zone + 3;
    else if (is_letter(*slice_trim(*rest).p))
        comma = NULL;
    bool joins = comma && (comma + 1 == rest->p + rest->n || comma[1] == ' ' || zone); // not "1,5"
    comma = joins ? comma : NULL;
    size_t n = comma ? (size_t)(comma - rest->p) : rest->n;
    struct slice part = slice_of(rest->p, n);
    skip(rest, comma ? n + 1 : n);
    return part;
}

bool retry_after_parse(struct slice text, int64_t now_wall, int64_t *usec) {
    bool any = false;
    text = slice_trim(text);
    while (text.n) {
        int64_t one;
        if (!parse_one(next_joined(&text), now_wall, &one))
            return false;
        if (!any || one > *usec)
            *usec = one;
        any = true;
        text = slice_trim(text);
    }
    return any;
}

int64_t retry_after_clock(struct slice date, int64_t now_wall) {
    int64_t server;
    date = slice_trim(date);
    if (!date.n || !is_letter(*date.p) || !parse_http_date(date, 0, &server))
        return now_wall;
    // a date is a whole second; within two of them our own clock is the finer one
    int64_t apart = now_wall - server;
    return apart > -2 * USEC_PER_SEC && apart < 3 * USEC_PER_SEC ? now_wall : server;
}

bool retry_after_parse_ms(struct slice text, int64_t now_wall, int64_t *usec) {
    struct slice s = text = slice_trim(text);
    double number;
    if (take_number(&s, &number) && !s.n)
        return wait_of(number * 1e3, usec);
    return retry_after_parse(text, now_wall, usec);
}

// Chinese units, with what may follow them.
static bool take_chinese_unit(struct slice *s, double *usec) {
    static const struct unit chinese[] = {
        {"\xe6\xaf\xab\xe7\xa7\x92", 1e3},    // 毫秒
        {"\xe7\xa7\x92", 1e6},                // 秒
        {"\xe5\x88\x86", 60e6},               // 分
        {"\xe5\xb0\x8f\xe6\x97\xb6", 3600e6}, // 小时
        {"\xe5\xa4\xa9", 86400e6},            // 天
    };
    skip_spaces(s);
    for (size_t i = 0; i < sizeof chinese / sizeof *chinese; i++)
        if (take_word(s, chinese[i].name)) {
            take_word(s, "\xe9\x92\x9f"); // 分钟, 秒钟
            *usec = chinese[i].usec;
            return true;
        }
    return false;
}

// "请在 20 秒后重试": a number, a unit, "after".
static bool parse_chinese(struct slice s, int64_t *usec) {
    double total = 0, number, unit;
    bool any = false;
    while (take_number(&s, &number)) {
        if (!take_chinese_unit(&s, &unit))
            return false;
        total += number * unit;
        any = true;
    }
    skip_spaces(&s);
    bool after = take_word(&s, "\xe5\x90\x8e") || take_word(&s, "\xe4\xb9\x8b\xe5\x90\x8e") ||
                 take_word(&s, "\xe4\xbb\xa5\xe5\x90\x8e"); // 后, 之后, 以后
    return any && after && wait_of(total, usec);
}

// "5.289s", "1m30s", "2 seconds", "1 minute and 30 seconds", "an hour", "20" at the start of s, or as
// the whole of it.
static bool parse_spoken(struct slice s, bool whole, int64_t *usec) {
    double total = 0, number;
    if ((take_word(&s, "an ") || take_word(&s, "a ") || take_word(&s, "one "))) {
        const struct unit *unit = take_unit(&s);
        return unit && wait_of(unit->usec, usec);
    }
    for (int parts = 0; take_number(&s, &number); parts++) {
        struct slice behind = s;
        skip_spaces(&s);
        const struct unit *unit = take_unit(&s);
        if (!unit) { // a bare number is seconds, if it is no part of a date or a word
            bool bare = parts == 0 && !whole && !(behind.n && strchr("-:/%", *behind.p)) &&
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
            return (!whole || !s.n) && wait_of(total, usec);
        s = more;
    }
    return false;
}

// "14:05 UTC": the next time it is that late.
static bool parse_clock(struct slice s, int64_t now_wall, int64_t *usec) {
    struct moment m = {0};
    if (!take_digits(&s, 1, 2, &m.hour) || !take_char(&s, ':') ||
        !take_digits(&s, 2, 2, &m.minute) || m.hour > 23 || m.minute > 59)
        return false;
    if (take_char(&s, ':') && !take_digits(&s, 2, 2, &m.second))
        return false;
    skip_spaces(&s);
    if (!take_word(&s, "utc") && !take_word(&s, "gmt") && !take_word(&s, "z"))
        return false;
    const int64_t day = INT64_C(86400) * USEC_PER_SEC;
    int64_t at = ((m.hour * 60 + m.minute) * INT64_C(60) + m.second) * USEC_PER_SEC;
    *usec = ((at - now_wall) % day + day) % day;
    return true;
}

static bool parse_written(struct slice s, int offset, int64_t now_wall, int64_t *usec);

// Words that a wait follows; those in `until` are followed by a moment.
static bool take_phrase(struct slice *s, const char *const *phrases, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (take_word(s, phrases[i])) {
            while (s->n && memchr(" :=\"~", *s->p, 5))
                skip(s, 1);
            if (take_word(s, "about ") || take_word(s, "approximately ") ||
                take_word(s, "at least ") || take_word(s, "for "))
                skip_spaces(s);
            return true;
        }
    return false;
}

bool retry_after_in_text(struct slice text, int64_t now_wall, int64_t *usec) {
    static const char *const phrases[] = {
        "again in ",      "retry in ",     "retry after", "retry-after",   "retry_after",
        "again after ",   "reset after ",  "resets in ",  "reset in ",     "retrying in ",
        "request after ", "available in ", "lifted in ",  "refreshes in ", "wait "};
    static const char *const until[] = {"again at ",     "retry at ",    "resets at",    "reset at",
                                        "available at ", "again after ", "retry after ", "until "};
    char before = ' ';
    for (struct slice s = text; s.n; before = *s.p, skip(&s, 1)) {
        struct slice rest = s, other = s;
        if (is_digit(*s.p) && !is_digit(before) && parse_chinese(s, usec))
            return true;
        if (is_letter(before) || !is_letter(*s.p))
            continue;
        if (take_phrase(&other, until, sizeof until / sizeof *until) &&
            (parse_written(other, 0, now_wall, usec) || parse_clock(other, now_wall, usec)))
            return true;
        if (take_phrase(&rest, phrases, sizeof phrases / sizeof *phrases) &&
            parse_spoken(rest, false, usec))
            return true;
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
