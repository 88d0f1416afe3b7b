// A histogram of durations: exact below HISTOGRAM_EXACT values, then log-linear buckets with about 3 %
// error, however many are added.
//
// 16 buckets an octave from 1 µs to beyond an hour. The first values are kept as they are, in memory that
// grows with them and is given back once there are too many. One thread adds; merge after it has stopped.
// Zeroed memory is an empty histogram.
// SPDX-License-Identifier: MIT
#ifndef JOBS_BASE_HISTOGRAM_H
#define JOBS_BASE_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BUCKETS 512
#define HISTOGRAM_EXACT   1000 // from so many values on, buckets answer

struct histogram {
    uint32_t count[HISTOGRAM_BUCKETS];
    uint64_t total;
    int64_t max;     // exact
    int64_t *values; // owned: all that were added, while total < HISTOGRAM_EXACT; else NULL
};

// Gives memory back; the histogram is empty again.
void histogram_free(struct histogram *h);

void histogram_add(struct histogram *h, int64_t usec);
void histogram_merge(struct histogram *into, const struct histogram *from);
// The smallest value at or below which share (0 to 1) of what was added lies (the nearest rank), in
// microseconds; 0 when empty. Sorts a copy of the values kept: not for every request.
int64_t histogram_at(const struct histogram *h, double share);

// The same from the buckets alone, within about 3 %: cheap enough for every event.
int64_t histogram_about(const struct histogram *h, double share);

#endif
