// How often each request body has been seen, so that the k-th time the same is asked the same happens.
//
// A table of hashes with a ceiling (16 MiB); when it is full it starts afresh. One thread.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_SIMULATE_SEEN_H
#define RUNNER_SIMULATE_SEEN_H

#include <stddef.h>
#include <stdint.h>

struct seen_entry {
    uint64_t hash; // 0: free
    uint64_t times;
};

// Zeroed memory is an empty one.
struct seen {
    struct seen_entry *entries;
    size_t size; // a power of two, or 0
    size_t count;
};

// Counts one more of this hash; returns how often it had been seen before.
uint64_t seen_add(struct seen *seen, uint64_t hash);
// How often it has been seen.
uint64_t seen_times(const struct seen *seen, uint64_t hash);
void seen_free(struct seen *seen); // also empties it

#endif
