// Bytes that grow, with a ceiling from birth and a failure that sticks.
//
// Append as many times as needed, check `failed` once at the end: after the first append that would
// cross `max`, nothing more is added and `failed` stays true until buf_clear(). Running out of
// memory ends the program (see die.h); crossing the ceiling is the caller's news to handle.
// The bytes are not terminated; buf_cstr() terminates them without counting the zero.
// SPDX-License-Identifier: MIT
#ifndef JOBS_BASE_BUF_H
#define JOBS_BASE_BUF_H

#include "jobs/base/slice.h"

#include <stdint.h>

struct buf {
    char *p;
    size_t n;
    size_t cap;
    size_t max;
    bool failed;
};

// An empty buffer that may hold up to max bytes. Allocates nothing yet.
#define BUF_INIT(max_bytes) ((struct buf){.max = (max_bytes)})

void buf_free(struct buf *b);

// Empties the buffer and forgives a failure; keeps the memory for the next use.
void buf_clear(struct buf *b);

// As buf_clear(), but gives memory beyond keep bytes back.
void buf_recycle(struct buf *b, size_t keep);

bool buf_grow(struct buf *b, size_t n); // buf_reserve()'s other half

// Makes room for n more bytes. After true, appending n bytes moves nothing: slices into b stay good.
static inline bool buf_reserve(struct buf *b, size_t n) {
    bool has_room = n <= b->max - b->n && b->n + n <= b->cap && !b->failed;
    return has_room || buf_grow(b, n);
}

static inline void buf_add(struct buf *b, const void *p, size_t n) {
    if (n == 0 || !buf_reserve(b, n))
        return;
    memcpy(b->p + b->n, p, n);
    b->n += n;
}

static inline void buf_add_slice(struct buf *b, struct slice s) {
    buf_add(b, s.p, s.n);
}

static inline void buf_add_str(struct buf *b, const char *text) {
    buf_add(b, text, strlen(text));
}

static inline void buf_add_char(struct buf *b, char c) {
    buf_add(b, &c, 1);
}

void buf_add_int(struct buf *b, int64_t value);
__attribute__((format(printf, 2, 3))) void buf_addf(struct buf *b, const char *format, ...);

// The bytes as a C string; valid until the next change of b. Never NULL.
const char *buf_cstr(struct buf *b);

static inline struct slice buf_slice(const struct buf *b) {
    return (struct slice){b->p, b->n};
}

#endif
