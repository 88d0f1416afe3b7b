// One stage between the bytes of a file and its text: gzip, zstd, or another encoding than UTF-8.
//
// The caller puts bytes in and takes text out, piece by piece; nothing is held but one block and what
// the format itself needs. Reader thread only.
// SPDX-License-Identifier: MIT
#ifndef JOBS_IN_UNPACK_H
#define JOBS_IN_UNPACK_H

#include "jobs/base/buf.h"

enum unpack_kind { UNPACK_GZIP, UNPACK_ZSTD, UNPACK_TEXT };

enum unpack_status {
    UNPACK_GAVE,      // bytes were written, or more can be asked for at once
    UNPACK_WANTS,     // all bytes are used up
    UNPACK_FAULT,     // the bytes are not what they should be
    UNPACK_TOO_LARGE, // the zstd window is larger than 128 MiB
};

struct unpack;

// encoding: a name that iconv knows, for UNPACK_TEXT. NULL when it knows none of that name.
struct unpack *unpack_new(enum unpack_kind kind, const char *encoding);
void unpack_free(struct unpack *u); // also the stage before it; NULL is fine

// Feeds `u` with what `from` gives, and `from` with the file; u owns it. What was put into `u` before
// comes first. from may be NULL and has no stage before it.
void unpack_after(struct unpack *u, struct unpack *from);

// Adds bytes of the file.
void unpack_put(struct unpack *u, struct slice bytes);

// Writes at most room bytes to `to`; *n is how many. room is at least 16.
enum unpack_status unpack_take(struct unpack *u, char *to, size_t room, size_t *n);

// No more bytes will come: whether what came is whole.
bool unpack_is_whole(const struct unpack *u);

#endif
