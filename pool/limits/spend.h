// What one request takes from the limits of its account.
// SPDX-License-Identifier: MIT
#ifndef POOL_LIMITS_SPEND_H
#define POOL_LIMITS_SPEND_H

#include <stdint.h>

// None is negative.
struct spend {
    int64_t requests;
    int64_t input_tokens, output_tokens; // estimated until the answer tells
};

static inline void spend_add(struct spend *to, const struct spend *more) {
    to->requests += more->requests;
    to->input_tokens += more->input_tokens;
    to->output_tokens += more->output_tokens;
}

// Kept with a request from its take until it is settled or returned.
struct charge {
    int64_t at;          // when it was taken, monotonic microseconds
    struct spend spend;  // what was taken, as estimated
    struct spend before; // all that had been taken some time before; learned_take() fills it
};

#endif
