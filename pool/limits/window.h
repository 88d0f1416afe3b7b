// A stated limit: at most `limit` in any `period`, wherever that period begins.
//
// What was taken is counted in sub-periods, and each counts until its last microsecond is a whole
// period old: so the limit is never exceeded, and at worst 1/63 of it is given away. Pure: `now` is a
// parameter, and a clock that goes back is taken to stand still.
// SPDX-License-Identifier: MIT
#ifndef POOL_LIMITS_WINDOW_H
#define POOL_LIMITS_WINDOW_H

#include <stdint.h>

#define WINDOW_SLOTS 64

struct window {
    int64_t limit;
    int64_t span;   // microseconds of a sub-period
    int64_t newest; // number of the newest sub-period, counted from time 0
    int64_t used;   // the sum of counts
    uint32_t counts[WINDOW_SLOTS];
};

// Empty. limit above 0 (beyond UINT32_MAX it is that), period in microseconds.
void window_init(struct window *w, int64_t limit, int64_t period);

// now if amount fits, else the earliest time it will. More than the limit fits an empty window: it
// could not go at all otherwise.
int64_t window_ready_at(struct window *w, int64_t amount, int64_t now);

// Counts it, whether it fits or not.
void window_take(struct window *w, int64_t amount, int64_t now);

// What was taken at taken_at turned out to be more (or, negative, less) than was counted then.
void window_change(struct window *w, int64_t taken_at, int64_t difference, int64_t now);

#endif
