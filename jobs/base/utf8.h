// UTF-8 (RFC 3629): validity, and making any bytes printable.
// SPDX-License-Identifier: MIT
#ifndef JOBS_BASE_UTF8_H
#define JOBS_BASE_UTF8_H

#include "jobs/base/buf.h"

#include <stdint.h>

// The number of leading bytes of s that are valid UTF-8; s.n when all are. No surrogates, no
// overlong forms, nothing above U+10FFFF.
size_t utf8_valid_prefix(struct slice s);

static inline bool utf8_is_valid(struct slice s) {
    return utf8_valid_prefix(s) == s.n;
}

// Appends one code point (not a surrogate).
void utf8_add(struct buf *b, uint32_t code_point);

// Appends s with each invalid byte replaced by U+FFFD.
void utf8_add_repaired(struct buf *b, struct slice s);

// s cut to at most max bytes without splitting a code point.
struct slice utf8_cut(struct slice s, size_t max);

#endif
