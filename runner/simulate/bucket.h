// A token bucket that holds one minute's worth and refills continuously, in exact integers.
//
// A full bucket lets a minute's worth through at once, then one every 60/limit seconds, as the
// providers that document theirs do. Pure: time comes in as a parameter.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_SIMULATE_BUCKET_H
#define RUNNER_SIMULATE_BUCKET_H

#include <stdint.h>

#define BUCKET_LIMIT_MAX INT64_C(100000000000) // a minute; beyond it the arithmetic would overflow
#define BUCKET_NEVER     INT64_MAX

struct bucket {
    int64_t limit; // a minute; 0: no limit, everything passes
    int64_t level; // in 60-millionths, so that one microsecond adds exactly `limit`
    int64_t at;    // when level was right
};

// Full.
void bucket_init(struct bucket *b, int64_t limit, int64_t now);

// Microseconds until n may be taken: 0 now, BUCKET_NEVER when n is more than it ever holds.
int64_t bucket_wait(struct bucket *b, int64_t n, int64_t now);

// Takes n, which bucket_wait() has just allowed.
void bucket_take(struct bucket *b, int64_t n, int64_t now);

// Whole ones left.
int64_t bucket_left(struct bucket *b, int64_t now);

// Microseconds until it is full.
int64_t bucket_until_full(struct bucket *b, int64_t now);

#endif
