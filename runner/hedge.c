// hedge.c: says when a request is slow enough to be sent twice. Pure.
// SPDX-License-Identifier: MIT
#include "runner/hedge.h"

#include "jobs/base/clock.h"

#define SLOW_BEYOND 0.95 // of the answers

bool hedge_is_near_end(const struct hedge *h, int64_t rows, int64_t under_way) {
    int64_t most = (int64_t)(h->share * (double)rows);
    return under_way > 0 && under_way <= most && h->sent < most;
}

int64_t hedge_due(const struct hedge *h, const struct histogram *latency, int64_t started) {
    if (latency->total < HEDGE_ANSWERS_LEAST)
        return TIME_NEVER;
    int64_t due = started + histogram_about(latency, SLOW_BEYOND);
    int64_t calm = h->refused_at ? h->refused_at + HEDGE_CALM : 0;
    return due > calm ? due : calm;
}
