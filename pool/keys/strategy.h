// Strategies: which of the keys that can serve now is next.
// SPDX-License-Identifier: MIT
#ifndef POOL_KEYS_STRATEGY_H
#define POOL_KEYS_STRATEGY_H

#include "jobs/base/slice.h"

#include <stdbool.h>

enum strategy {
    STRATEGY_ROUND_ROBIN,  // the next in order
    STRATEGY_LEAST_USED,   // the one with the fewest requests so far
    STRATEGY_LEAST_LOADED, // the one with the least requests and tokens in the last minute
    STRATEGY_LRU,          // the one whose last use is longest ago
    STRATEGY_RANDOM,       // any, all alike
    STRATEGY_WEIGHTED,     // in proportion to weight times health
    STRATEGY_PRIORITY,     // the lower number first, in turn among equals
    STRATEGY_COUNT
};

// In the order of the enum, NULL-terminated: "round-robin", "least-used" …
extern const char *const strategy_names[];

// By name; underscores pass for dashes and case does not count, as pool files write them.
bool strategy_find(struct slice name, enum strategy *strategy);

#endif
