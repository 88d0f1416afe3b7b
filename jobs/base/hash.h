// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, "SipHash: a fast short-input PRF",
// 2012): a keyed hash, so that ids chosen by a stranger cannot be made to collide.
// SPDX-License-Identifier: MIT
#ifndef JOBS_BASE_HASH_H
#define JOBS_BASE_HASH_H

#include "jobs/base/slice.h"

#include <stdint.h>

struct hash128 {
    uint64_t low;
    uint64_t high;
};

// The key is 16 bytes given as two little-endian numbers. The value is the same on every machine.
struct hash128 hash_bytes(struct slice bytes, const uint64_t key[2]);

#endif
