// A set of row ids, each with a number: a line, or what a results file says of it (jobs/out/resume.c).
//
// Ids that are what rows without ids of their own get, 1, 2, 3 … in about this order, stand in an array:
// 8 bytes each. All others take 14 bytes and slack, below 17 (jobs/ids_table.h), whatever their
// length; they are known by 67 bits of a keyed hash: two of n are taken for one with probability
// n²/2^68, which is 10^-7 at five million.
//
// One thread at a time.
// SPDX-License-Identifier: MIT
#ifndef JOBS_IDS_H
#define JOBS_IDS_H

#include "jobs/base/slice.h"

#include <stdint.h>

struct ids;

// Numbers are from 1 to 2^59 - 1. The highest bit is set where a results file knows of the id and the
// input has not come to it yet.
#define IDS_NUMBER_BITS 59
#define IDS_RESULT      (INT64_C(1) << (IDS_NUMBER_BITS - 1))

struct ids *ids_new(void);
void ids_free(struct ids *ids); // NULL is fine

// Adds id with a number. Returns 0, or the number it was added with before (then nothing changes).
int64_t ids_add(struct ids *ids, struct slice id, int64_t number);

// The number id was added with, or 0.
int64_t ids_find(const struct ids *ids, struct slice id);

// For more than one call, or for many ids at a time: what an id is known by, and its place on the way
// into the processor's cache while others are looked at.
struct ids_key {
    int64_t plain; // the id is this number as text; 0: it is none
    uint64_t hash, more;
};
struct ids_key ids_key(const struct ids *ids, struct slice id);
void ids_prefetch(const struct ids *ids, struct ids_key key);
int64_t ids_add_key(struct ids *ids, struct ids_key key, int64_t number);
int64_t ids_find_key(const struct ids *ids, struct ids_key key);

// Gives an id that is there another number.
void ids_change(struct ids *ids, struct ids_key key, int64_t number);

// How many ids there will be in all, as far as is known: growing is then a matter of few steps.
void ids_expect(struct ids *ids, int64_t count);

int64_t ids_count(const struct ids *ids);
// What it occupies, for the tests that hold it to its promise.
size_t ids_bytes(const struct ids *ids);

#endif
