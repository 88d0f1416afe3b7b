// A limit over time in exact integers: so many in a period, as a token bucket or in whole periods.
//
// A bucket refills evenly: full, it lets `capacity` through at once, then one every period/limit, as
// the providers that document theirs do. One that refills in steps is full again at the start of each
// period, counted from bucket_init(), as daily quotas are. Pure: time comes in as a parameter.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_SIMULATE_BUCKET_H
#define RUNNER_SIMULATE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#define BUCKET_MINUTE    INT64_C(60000000)
#define BUCKET_LIMIT_MAX INT64_C(100000000000) // a minute; beyond it the arithmetic would overflow
#define BUCKET_NEVER     INT64_MAX

// For a longer period: the most that period × limit may come to.
#define BUCKET_PRODUCT_MAX (BUCKET_MINUTE * BUCKET_LIMIT_MAX)

struct bucket_shape {
    int64_t limit;    // in a period; 0: no limit, everything passes
    int64_t period;   // microseconds
    int64_t capacity; // 0: as much as the limit
    bool in_steps;
};

struct bucket {
    struct bucket_shape shape;
    int64_t level; // in parts of which one request has `period`: a microsecond adds exactly `limit`
    int64_t at;    // when level was right; in steps: when the present period began
};

// Full.
void bucket_init(struct bucket *b, const struct bucket_shape *shape, int64_t now);

// Microseconds until n may be taken: 0 now, BUCKET_NEVER when n is more than it ever holds.
int64_t bucket_wait(struct bucket *b, int64_t n, int64_t now);

// Takes n, which bucket_wait() has just allowed.
void bucket_take(struct bucket *b, int64_t n, int64_t now);

// Whole ones left.
int64_t bucket_left(struct bucket *b, int64_t now);

// Microseconds until it is full.
int64_t bucket_until_full(struct bucket *b, int64_t now);

#endif
