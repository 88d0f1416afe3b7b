// A set of row ids in 16 bytes an entry plus slack (below 24 bytes a row from a few thousand rows
// on), whatever the ids' length: 88 bits of a keyed hash and a 40-bit number (a line, for
// instance).
//
// Two different ids are taken for one with probability n²/2^89: 10^-13 at ten million rows. One
// thread at a time. Takes its memory straight from the system in whole pages, none before the first
// id, and grows where it stands: there is never an old table beside a new one.
// SPDX-License-Identifier: MIT
#ifndef JOBS_IDS_H
#define JOBS_IDS_H

#include "jobs/base/slice.h"

#include <stdint.h>

struct ids;

struct ids *ids_new(void);
void ids_free(struct ids *ids); // NULL is fine

// Adds id with a number of 1 to 2^40-1. Returns 0, or the number it was added with before (then
// nothing changes).
int64_t ids_add(struct ids *ids, struct slice id, int64_t number);

// The number id was added with, or 0.
int64_t ids_find(const struct ids *ids, struct slice id);

int64_t ids_count(const struct ids *ids);
// What it occupies, for the tests that hold it to its promise.
size_t ids_bytes(const struct ids *ids);

#endif
