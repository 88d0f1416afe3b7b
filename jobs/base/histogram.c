// histogram.c: durations in log-linear buckets.
// SPDX-License-Identifier: MIT
#include "jobs/base/histogram.h"

#include "jobs/base/die.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

void histogram_free(struct histogram *h) {
    free(h->values);
    *h = (struct histogram){.values = NULL};
}

static void forget_values(struct histogram *h) {
    free(h->values);
    h->values = NULL;
}

// Room for one more: 16, 32, 64 … of them.
static void keep_value(struct histogram *h, int64_t usec) {
    uint64_t n = h->total;
    if (n + 1 >= HISTOGRAM_EXACT) {
        forget_values(h);
        return;
    }
    if (n == 0 || (n >= 16 && (n & (n - 1)) == 0))
        h->values = mem_resize(h->values, (n < 16 ? 16 : 2 * n) * sizeof *h->values);
    h->values[n] = usec;
}

void histogram_add(struct histogram *h, int64_t usec) {
    if (h->values || !h->total)
        keep_value(h, usec);
    h->count[bucket_of(usec)]++;
    h->total++;
    if (usec > h->max)
        h->max = usec;
}

static void merge_values(struct histogram *into, const struct histogram *from) {
    uint64_t n = into->total, more = from->total;
    if (!more)
        return;
    if (n + more >= HISTOGRAM_EXACT || (n && !into->values) || !from->values) {
        forget_values(into);
        return;
    }
    uint64_t room = 16;
    while (room < n + more)
        room *= 2;
    into->values = mem_resize(into->values, room * sizeof *into->values);
    memcpy(into->values + n, from->values, more * sizeof *into->values);
}

void histogram_merge(struct histogram *into, const struct histogram *from) {
    merge_values(into, from);
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        into->count[i] += from->count[i];
    into->total += from->total;
    if (from->max > into->max)
        into->max = from->max;
}

static int by_size(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t exact_at(const struct histogram *h, uint64_t rank) {
    int64_t *sorted = mem_new(h->total * sizeof *sorted);
    memcpy(sorted, h->values, h->total * sizeof *sorted);
    qsort(sorted, h->total, sizeof *sorted, by_size);
    int64_t value = sorted[rank - 1];
    free(sorted);
    return value < 0 ? 0 : value;
}

// The middle of the bucket that the rank lies in.
static int64_t bucket_at(const struct histogram *h, uint64_t rank) {
    uint64_t seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->count[i];
        if (seen >= rank) {
            int64_t value = value_of(i);
            return value < h->max ? value : h->max;
        }
    }
    return h->max;
}

// 0.95 of 100 is 95, although it is a little more in binary.
static uint64_t rank_of(const struct histogram *h, double share) {
    double rank = ceil(share * (double)h->total - 1e-6);
    return rank < 1 ? 1 : rank > (double)h->total ? h->total : (uint64_t)rank;
}

int64_t histogram_at(const struct histogram *h, double share) {
    if (!h->total)
        return 0;
    return h->values ? exact_at(h, rank_of(h, share)) : bucket_at(h, rank_of(h, share));
}

int64_t histogram_about(const struct histogram *h, double share) {
    return h->total ? bucket_at(h, rank_of(h, share)) : 0;
}
