// The tool calls of one answer, put together from the pieces of a stream.
//
// Pieces belong together by id, where a server gives ids; by place where it does not. Not every server's
// places are right: two calls may come with place 0, or with none.
// SPDX-License-Identifier: MIT
#ifndef POOL_WIRE_STREAM_CALLS_H
#define POOL_WIRE_STREAM_CALLS_H

#include "pool/wire/parts.h"

struct stream_call;

// Zeroed memory holds no calls.
struct stream_calls {
    struct stream_call *items; // by place
    size_t count, room;
    size_t last; // the one that the last piece went to
};

void stream_calls_free(struct stream_calls *calls); // and empty again

// The call that this piece belongs to, which may be a new one whose buffers take at most max bytes each.
// NULL when there are too many.
struct stream_call *stream_calls_find(struct stream_calls *calls, const struct wire_call *piece,
                                      size_t max);

// Takes over what the piece holds: id, name and signature where the call has none yet, arguments are
// appended. False when one of its buffers is full.
bool stream_call_add(struct stream_call *call, const struct wire_call *piece);

// Whether there is a call at this place.
bool stream_calls_have(const struct stream_calls *calls, size_t place);

// Appends ,"tool_calls":[…], or nothing when there are none. A call without a name is left out: it is none
// of the caller's tools.
void stream_calls_write(const struct stream_calls *calls, struct buf *out);

#endif
