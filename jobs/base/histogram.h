// A log-linear histogram of durations: fixed size, about 3 % error, no matter how many are added.
//
// 16 buckets an octave from 1 µs to beyond an hour. One thread adds; merge after it has stopped.
// SPDX-License-Identifier: MIT
#ifndef JOBS_BASE_HISTOGRAM_H
#define JOBS_BASE_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BUCKETS 512

struct histogram {
    uint32_t count[HISTOGRAM_BUCKETS];
    uint64_t total;
    int64_t max; // exact
};

void histogram_add(struct histogram *h, int64_t usec);
void histogram_merge(struct histogram *into, const struct histogram *from);
// The value at or below which share (0 to 1) of what was added lies, in microseconds; 0 when empty.
int64_t histogram_at(const struct histogram *h, double share);

#endif
