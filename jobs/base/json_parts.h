// What the files of the JSON reader share. Private to jobs/base/json*.c.
// SPDX-License-Identifier: MIT
#ifndef JOBS_BASE_JSON_PARTS_H
#define JOBS_BASE_JSON_PARTS_H

#include "jobs/base/json.h"

struct scan {
    const char *p;
    const char *end;
    const char *fault;
};

// Of no slice at all (a null pointer) not even the end may be computed.
static inline struct scan scan_of(struct slice text) {
    return text.p ? (struct scan){text.p, text.p + text.n, NULL} : (struct scan){"", "", NULL};
}

static inline bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static inline bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static inline void skip_space(struct scan *s) {
    while (s->p < s->end && is_space(*s->p))
        s->p++;
}
static inline int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The four hexadecimal digits at p as a number, or -1.
static inline int hex4(const char *p, const char *end) {
    int value = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}
#endif
