// A set of row ids in 16 bytes an entry plus slack (below 24 bytes a row from a few thousand rows
// on), whatever the ids' length: 128 bits, of which 40 are a number (a line, for instance) unless told
// otherwise, and the rest a keyed hash of the id.
//
// With h bits of hash, two different ids are taken for one with probability n²/2^(h+1): with 88, 10^-13
// at ten million rows. One
// thread at a time. Takes its memory straight from the system in whole pages, none before the first
// id, and grows where it stands: there is never an old table beside a new one.
// SPDX-License-Identifier: MIT
#ifndef JOBS_IDS_H
#define JOBS_IDS_H

#include "jobs/base/slice.h"

#include <stdint.h>

struct ids;

struct ids *ids_new(void);

// With numbers of up to so many bits.
#define IDS_NUMBER_BITS_MOST 62
struct ids *ids_new_wide(unsigned number_bits);
void ids_free(struct ids *ids); // NULL is fine

// Adds id with a number from 1 on. Returns 0, or the number it was added with before (then
// nothing changes).
int64_t ids_add(struct ids *ids, struct slice id, int64_t number);

// The number id was added with, or 0.
int64_t ids_find(const struct ids *ids, struct slice id);

// For many ids at a time: the hash of each first, and its place on the way into the processor's cache
// while the others are hashed.
struct ids_key {
    uint64_t hash, more;
};
struct ids_key ids_key(const struct ids *ids, struct slice id);
void ids_prefetch(const struct ids *ids, struct ids_key key);
int64_t ids_add_key(struct ids *ids, struct ids_key key, int64_t number);

// Gives an id that is there another number.
void ids_change(struct ids *ids, struct ids_key key, int64_t number);

int64_t ids_count(const struct ids *ids);
// What it occupies, for the tests that hold it to its promise.
size_t ids_bytes(const struct ids *ids);

#endif
