// histogram.c: durations in log-linear buckets.
// SPDX-License-Identifier: MIT
#include "jobs/base/histogram.h"

// Values below 16 have a bucket each; above, the four bits after the leading one choose.
static unsigned bucket_of(int64_t usec) {
    uint64_t v = usec < 0 ? 0 : (uint64_t)usec;
    if (v < 16)
        return (unsigned)v;
    unsigned shift = 59 - (unsigned)__builtin_clzll(v); // v >> shift is 16 to 31
    unsigned bucket = shift * 16 + (unsigned)(v >> shift);
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

// The middle of a bucket.
static int64_t value_of(unsigned bucket) {
    if (bucket < 32)
        return bucket;
    unsigned shift = bucket / 16 - 1;
    int64_t low = (int64_t)(bucket % 16 + 16) << shift;
    return low + ((INT64_C(1) << shift) >> 1);
}

void histogram_add(struct histogram *h, int64_t usec) {
    h->count[bucket_of(usec)]++;
    h->total++;
    if (usec > h->max)
        h->max = usec;
}

void histogram_merge(struct histogram *into, const struct histogram *from) {
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        into->count[i] += from->count[i];
    into->total += from->total;
    if (from->max > into->max)
        into->max = from->max;
}

int64_t histogram_at(const struct histogram *h, double share) {
    uint64_t rank = (uint64_t)(share * (double)h->total + 0.5), seen = 0;
    if (!h->total)
        return 0;
    if (rank < 1)
        rank = 1;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->count[i];
        if (seen >= rank) {
            int64_t value = value_of(i);
            return value < h->max ? value : h->max;
        }
    }
    return h->max;
}
