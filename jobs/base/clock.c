// clock.c: the two clocks, and durations as people write them.
// SPDX-License-Identifier: MIT
#include "jobs/base/clock.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

static int64_t read_clock(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * USEC_PER_SEC + t.tv_nsec / 1000;
}

// The monotonic clock of Linux stands still while the machine sleeps; rests, limits and deadlines go on.
static int64_t real_now(void) {
    return read_clock(CLOCK_BOOTTIME);
}

static int64_t real_wall(void) {
    return read_clock(CLOCK_REALTIME);
}

int64_t (*clock_now)(void) = real_now;
int64_t (*clock_wall)(void) = real_wall;

// Writes so many digits and what follows them; returns where that ends.
static char *put_digits(char *p, int value, int width, char then) {
    for (int i = width; i-- > 0; value /= 10)
        p[i] = (char)('0' + value % 10);
    p[width] = then;
    return p + width + 1;
}

// Thousands of results begin in the same second.
void clock_add_rfc3339(struct buf *b, int64_t wall) {
    static _Thread_local time_t last;
    static _Thread_local char text[24];
    static const size_t to_fraction = sizeof "2026-01-01T00:00:00." - 1;
    time_t seconds = (time_t)(wall / USEC_PER_SEC);
    if (seconds != last || !text[0]) {
        struct tm t;
        gmtime_r(&seconds, &t);
        char *p = put_digits(text, t.tm_year + 1900, 4, '-');
        p = put_digits(p, t.tm_mon + 1, 2, '-');
        p = put_digits(p, t.tm_mday, 2, 'T');
        p = put_digits(p, t.tm_hour, 2, ':');
        p = put_digits(p, t.tm_min, 2, ':');
        put_digits(p, t.tm_sec, 2, '.');
        last = seconds;
    }
    const char *end = put_digits(text + to_fraction, (int)(wall / USEC_PER_MS % 1000), 3, 'Z');
    buf_add(b, text, (size_t)(end - text));
}

static const struct unit {
    const char *name;
    int64_t usec;
} units[] = {
    {"ms", USEC_PER_MS},      {"s", USEC_PER_SEC},        {"", USEC_PER_SEC},
    {"m", 60 * USEC_PER_SEC}, {"h", 3600 * USEC_PER_SEC}, {"d", 86400 * USEC_PER_SEC},
};

bool duration_parse(struct slice text, int64_t *usec) {
    char copy[32];
    if (text.n == 0 || text.n >= sizeof copy || text.p[0] < '0' || text.p[0] > '9')
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    char *end;
    if (copy[1] == 'x' || copy[1] == 'X') // strtod would read hexadecimal
        return false;
    double number = strtod(copy, &end);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(end, units[i].name) != 0)
            continue;
        double value = number * (double)units[i].usec;
        if (!(value >= 0 && value <= 36525.0 * 86400e6))
            return false;
        *usec = (int64_t)llround(value);
        return true;
    }
    return false;
}

void duration_add(struct buf *b, int64_t usec) {
    static const struct unit shown[] = {{"h", 3600 * USEC_PER_SEC},
                                        {"m", 60 * USEC_PER_SEC},
                                        {"s", USEC_PER_SEC},
                                        {"ms", USEC_PER_MS}};
    if (usec == 0) {
        buf_add_str(b, "0s");
        return;
    }
    for (size_t i = 0; i < 4; i++) {
        if (i < 3 && usec % shown[i].usec != 0)
            continue;
        buf_add_int(b, usec / shown[i].usec);
        buf_add_str(b, shown[i].name);
        return;
    }
}
