// Takes words and numbers off the front of a slice. For the readers of waits (retry_after.c).
// SPDX-License-Identifier: MIT
#ifndef POOL_LIMITS_SCAN_H
#define POOL_LIMITS_SCAN_H

#include "jobs/base/slice.h"

#include <strings.h>

static inline bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static inline bool is_letter(char c) {
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static inline void skip(struct slice *s, size_t n) {
    s->p += n;
    s->n -= n;
}

static inline bool take_char(struct slice *s, char c) {
    if (!s->n || *s->p != c)
        return false;
    skip(s, 1);
    return true;
}

static inline bool take_word(struct slice *s, const char *word) {
    size_t n = strlen(word);
    if (s->n < n || strncasecmp(s->p, word, n) != 0)
        return false;
    skip(s, n);
    return true;
}

static inline void skip_spaces(struct slice *s) {
    while (s->n && (*s->p == ' ' || *s->p == '\t'))
        skip(s, 1);
}

// Between min and max digits as a number.
static inline bool take_digits(struct slice *s, int min, int max, int *value) {
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
static inline bool take_number(struct slice *s, double *value) {
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

#endif
