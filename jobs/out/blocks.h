// A results file in blocks of whole lines. One thread at a time.
// SPDX-License-Identifier: MIT
#ifndef JOBS_OUT_BLOCKS_H
#define JOBS_OUT_BLOCKS_H

#include "jobs/base/buf.h"

// A longer line is neither written nor read.
#define RESULT_LINE_MAX ((size_t)1 << 30)

#define BLOCKS_BYTES ((size_t)256 * 1024)

// For what blocks_next() fills.
#define BLOCKS_BUF BUF_INIT(RESULT_LINE_MAX + BLOCKS_BYTES)

struct blocks {
    int fd;
    struct buf rest; // the beginning of the line that comes next
    bool any;        // whole lines were handed out
};

enum blocks_status {
    BLOCKS_LINES,      // whole lines, at least one
    BLOCKS_TORN,       // the last: a piece of a line
    BLOCKS_END,        // nothing
    BLOCKS_TOO_LONG,   // a line that cannot be a result
    BLOCKS_UNREADABLE, // errno says why
};

// From this byte on, where a line starts. False: the file cannot be read from there.
bool blocks_open(struct blocks *b, int fd, int64_t from);
enum blocks_status blocks_next(struct blocks *b, struct buf *lines);
void blocks_free(struct blocks *b); // errno stays

// Takes the first line, with its newline, off whole lines. False: there is none left.
static inline bool blocks_line(struct slice *lines, struct slice *line) {
    const char *newline = lines->n ? memchr(lines->p, '\n', lines->n) : NULL;
    if (!newline)
        return false;
    size_t n = (size_t)(newline + 1 - lines->p);
    *line = slice_of(lines->p, n);
    *lines = slice_of(lines->p + n, lines->n - n);
    return true;
}

#endif
