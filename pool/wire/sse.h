// Server-sent events (WHATWG HTML, "Server-sent events") read as their bytes come in.
//
// Feed bytes in pieces of any size; how they are cut changes nothing. LF, CR and CRLF end lines, a
// BOM at the start and comments are passed over, several data lines are one event, id and retry mean
// nothing here. A line or an event beyond the ceiling fails for good.
// SPDX-License-Identifier: MIT
#ifndef POOL_WIRE_SSE_H
#define POOL_WIRE_SSE_H

#include "jobs/base/buf.h"

struct sse {
    struct buf line;       // what has come of the line that is not at its end
    struct buf name, data; // of the event that is not at its end
    bool has_data;         // it has data, be it empty
    bool given;            // it is at its end and was handed out
    bool started;          // the first line is read
    bool after_cr;         // an LF here belongs to the CR before it
    bool failed;
};

struct sse_event {
    struct slice name; // "" unless the event has one
    struct slice data;
};

void sse_init(struct sse *s, size_t max);
void sse_free(struct sse *s);
// Forgets what came, for the next stream.
void sse_clear(struct sse *s);

// Takes bytes from the front of *bytes until an event is whole: true, and its slices are good until
// the next call. False when the bytes are used up, or with s->failed.
bool sse_next(struct sse *s, struct slice *bytes, struct sse_event *event);

// At the end of the stream: an event that only lacks its blank line, which not every server sends.
bool sse_end(struct sse *s, struct sse_event *event);

#endif
