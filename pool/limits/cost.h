// What a request is charged with once it has ended: the usage that the provider told, else the estimate.
// SPDX-License-Identifier: MIT
#ifndef POOL_LIMITS_COST_H
#define POOL_LIMITS_COST_H

#include "jobs/reply.h"
#include "pool/limits/spend.h"

// How a request ended, as far as its price is concerned.
enum request_end {
    REQUEST_ANSWERED, // the provider worked on it: what it does not tell counts as estimated
    REQUEST_REFUSED,  // refused before any work: what it does not tell is nothing
    REQUEST_LOST,     // sent, but its answer did not come whole: the estimate at least
    REQUEST_UNSENT,   // nothing of it left this machine: nothing, whatever is told
};

// Larger counts are not believed, so that sums stay within 64 bits.
#define TOKENS_MOST (INT64_C(1) << 40)

// None of the members is negative. input_tokens + output_tokens is at least usage->total_tokens, and at
// least their sum where both are told.
struct spend cost_of(const struct spend *estimate, const struct usage *usage, enum request_end end);

#endif
