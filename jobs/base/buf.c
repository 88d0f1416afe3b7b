// buf.c: the growing byte buffer with a ceiling.
// SPDX-License-Identifier: MIT
#include "jobs/base/buf.h"

#include "jobs/base/die.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_free(struct buf *b) {
    free(b->p);
    *b = BUF_INIT(b->max);
}

void buf_clear(struct buf *b) {
    b->n = 0;
    b->failed = false;
}

void buf_recycle(struct buf *b, size_t keep) {
    if (b->cap > keep)
        buf_free(b);
    buf_clear(b);
}

bool buf_grow(struct buf *b, size_t n) {
    if (b->failed || n > b->max - b->n) {
        b->failed = true;
        return false;
    }
    if (b->n + n <= b->cap)
        return true;
    size_t cap = b->cap ? b->cap : 64;
    while (cap < b->n + n)
        cap += cap / 2 + 64;
    if (cap > b->max)
        cap = b->max;
    b->p = mem_resize(b->p, cap);
    b->cap = cap;
    return true;
}

void buf_add_int(struct buf *b, int64_t value) {
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    char digits[20], *end = digits + sizeof digits, *p = end; // the longest is -2^63
    do
        *--p = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        *--p = '-';
    buf_add(b, p, (size_t)(end - p));
}

// Room for a terminator behind n more bytes that fit already; it may stand beyond the ceiling.
static void room_for_zero(struct buf *b, size_t n) {
    if (b->n + n < b->cap)
        return;
    b->cap = b->n + n + 1;
    b->p = mem_resize(b->p, b->cap);
}

void buf_addf(struct buf *b, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n > 0 && buf_reserve(b, (size_t)n)) {
        room_for_zero(b, (size_t)n);
        vsnprintf(b->p + b->n, (size_t)n + 1, format, again);
        b->n += (size_t)n;
    }
    va_end(again);
}

const char *buf_cstr(struct buf *b) {
    room_for_zero(b, 0);
    b->p[b->n] = '\0';
    return b->p;
}
