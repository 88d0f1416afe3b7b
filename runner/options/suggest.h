// What a misspelt word was probably meant to be.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_SUGGEST_H
#define RUNNER_SUGGEST_H

#include "jobs/base/slice.h"

// Start with {.word = …}, offer every candidate, then read best.
struct suggest {
    struct slice word;
    const char *best; // the nearest candidate that is near enough, or NULL
    int distance;
};

void suggest_offer(struct suggest *s, const char *candidate);

// Letters to insert, drop, change or swap with a neighbour to make b of a. Words beyond 47 bytes
// are far from everything.
int suggest_distance(struct slice a, struct slice b);

#endif
