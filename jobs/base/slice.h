// A view of bytes that somebody else owns: a pointer and a length, no terminator.
//
// A slice never owns. Whoever hands one out says how long its bytes live. An absent value is
// {NULL, 0}; an empty one has a pointer.
// SPDX-License-Identifier: MIT
#ifndef JOBS_BASE_SLICE_H
#define JOBS_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
    const char *p;
    size_t n;
};

#define SLICE(literal) ((struct slice){"" literal, sizeof(literal) - 1})
#define SLICE_NONE     ((struct slice){NULL, 0})
// For printf: "%.*s", SLICE_ARG(s)
#define SLICE_ARG(s) (int)(s).n, (s).p

static inline struct slice slice_of(const char *p, size_t n) {
    return (struct slice){p, n};
}

static inline struct slice slice_str(const char *text) {
    return text ? (struct slice){text, strlen(text)} : SLICE_NONE;
}

static inline bool slice_eq(struct slice a, struct slice b) {
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool slice_is(struct slice a, const char *text) {
    return slice_eq(a, slice_str(text));
}

static inline bool slice_starts(struct slice a, const char *prefix) {
    size_t n = strlen(prefix);
    return a.n >= n && memcmp(a.p, prefix, n) == 0;
}

// Without ASCII white space (space, tab, CR, LF) at either end.
static inline struct slice slice_trim(struct slice s) {
    while (s.n && strchr(" \t\r\n", s.p[0]) && s.p[0])
        s.p++, s.n--;
    while (s.n && s.p[s.n - 1] && strchr(" \t\r\n", s.p[s.n - 1]))
        s.n--;
    return s;
}

// Takes the next part of a list off its front: what stands before the mark, or all of it. Empty
// parts count. False when nothing is left.
static inline bool slice_next(struct slice *list, char mark, struct slice *part) {
    if (!list->p)
        return false;
    const char *end = list->n ? (const char *)memchr(list->p, mark, list->n) : NULL;
    *part = (struct slice){list->p, end ? (size_t)(end - list->p) : list->n};
    *list = end ? (struct slice){end + 1, list->n - part->n - 1} : SLICE_NONE;
    return true;
}

#endif
