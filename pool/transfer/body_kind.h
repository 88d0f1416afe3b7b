// Whether an answer's body is server-sent events or something else, told by its first bytes: not every
// server names the type of what it sends, or names it rightly.
// SPDX-License-Identifier: MIT
#ifndef POOL_TRANSFER_BODY_KIND_H
#define POOL_TRANSFER_BODY_KIND_H

#include "jobs/base/slice.h"

enum body_kind {
    BODY_UNKNOWN, // more bytes are needed
    BODY_EVENTS,
    BODY_PLAIN,
};

// start: the bytes so far. named_events: the Content-Type is text/event-stream, which counts unless JSON
// comes. A byte order mark and white space in front mean nothing. Pure.
enum body_kind body_kind_of(struct slice start, bool named_events);

enum packing { PACKING_NONE, PACKING_ZLIB, PACKING_RAW };

// Whether a body that begins so is compressed (gzip, or deflate with and without its header), whatever was
// asked for. encoding: the value of Content-Encoding, or SLICE_NONE.
enum packing body_packing(struct slice start, struct slice encoding);

#endif
