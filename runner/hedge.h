// Copies of the slowest requests near the end of a run: which request gets one, and when. Pure; loop
// thread.
//
// The end is near when all rows are read, none waits and at most `share` of them are under way. A
// request that has then been out for longer than nearly all answers took is sent a second time, with
// a key of another account (pool_acquire_other()); the first good answer counts.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_HEDGE_H
#define RUNNER_HEDGE_H

#include "jobs/base/histogram.h"

#include <stdbool.h>
#include <stdint.h>

// Answers before it is known what is slow.
#define HEDGE_ANSWERS_LEAST 20
// For so long after a refusal for rate reasons nothing is sent twice.
#define HEDGE_CALM INT64_C(10000000)
// When to look again if no key could be had, since none says when that changes.
#define HEDGE_AGAIN INT64_C(1000000)

struct hedge {
    double share;       // 0 to 1, of the run's rows; 0: no copies
    int64_t sent;       // copies
    int64_t refused_at; // monotonic, the last refusal; 0: none
};

// Whether copies may be sent in a run of so many rows, of which so many are under way.
bool hedge_is_near_end(const struct hedge *h, int64_t rows, int64_t under_way);

// When a request that was started then may get its copy; TIME_NEVER: too little is known yet.
int64_t hedge_due(const struct hedge *h, const struct histogram *latency, int64_t started);

#endif
