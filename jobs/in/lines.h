// Lines from a file or pipe, as slices of one buffer, in memory bounded by the longest line
// allowed.
//
// The caller takes one line after the other with lines_next(); a record that goes on over several
// lines (quoted CSV) is taken with lines_next() and then lines_more(), and lines_back() undoes the
// latter. Slices are good until the next call. Reader thread only.
//
// Input that begins as gzip or zstd is unpacked on the way, UTF-16 with a byte order mark and text of
// another encoding are put into UTF-8; a byte that is not valid there becomes one that is not in UTF-8.
//
// A line ends with LF, CRLF or the end of the input. A UTF-8 byte order mark at the start is no
// part of the first line.
// SPDX-License-Identifier: MIT
#ifndef JOBS_IN_LINES_H
#define JOBS_IN_LINES_H

#include "jobs/base/buf.h"
#include "jobs/base/error.h"

#include <stdint.h>

struct unpack;

enum lines_status {
    LINES_LINE,
    LINES_TOO_LONG, // lines_next: the line is longer than max and has been passed over
                    // lines_more: the record would become so; nothing was taken
    LINES_END,
    LINES_STOPPED, // wake_fd was readable
    LINES_FAILED,  // err says why
};

// The caller sets the first four; the rest begins as zero.
struct lines {
    int fd;           // stays the caller's
    int wake_fd;      // readable: stop; -1: none
    const char *name; // of the input, for messages
    size_t max;       // bytes of a record without its last line end

    struct buf data;  // a window of the input
    size_t start;     // in data: the record being read
    size_t first_end; // behind the first line of it
    size_t next;      // behind the last line taken
    int64_t first_no; // 1-based number of the record's first line
    int64_t line_no;  // and of the last line taken
    int64_t dropped;  // bytes of the input before data
    bool began;       // the first bytes were looked at
    bool eof;
    struct unpack *unpack; // of input that is packed or not in UTF-8; NULL: bytes are text
    int64_t taken;         // bytes of the file that went into it
    const char *encoding;  // from the caller: the name of the text's encoding; NULL: UTF-8
};

struct line {
    struct slice text; // without its end
    struct slice raw;  // with it
    int64_t number;
};

void lines_free(struct lines *l);

// What a file that begins like this is, and what to do about it; NULL when it can be read.
const char *lines_unreadable(struct slice head);

// Looks at the first bytes, unless that has happened. LINES_LINE: lines may be read.
enum lines_status lines_begin(struct lines *l, struct error *err);

// Reads more behind the window, whose used part is dropped: l->start becomes 0, places move with it.
enum lines_status lines_fill(struct lines *l, struct error *err);

// The next line begins a new record.
enum lines_status lines_next(struct lines *l, struct line *line, struct error *err);

// One more line of the same record.
enum lines_status lines_more(struct lines *l, struct line *line, struct error *err);

// The line that was read last is read again.
void lines_again(struct lines *l);

// Leaves only the first line in the record; the others will be read again.
void lines_back(struct lines *l);

// The record as it stands in the input, without its last line end.
struct slice lines_record(const struct lines *l);

// Bytes of the input up to the end of the last line taken.
int64_t lines_offset(const struct lines *l);

// Whether a whole record that is not blank has been read already. With quotes, line ends between
// quotation marks do not count.
bool lines_has_record(const struct lines *l, bool quotes);

// Nothing but white space.
bool line_is_blank(struct slice text);

#endif
