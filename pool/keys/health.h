// A key's health: a score from 0 to 100 that failures lower and successes raise.
//
// It starts at 100. What may be the key's or the provider's doing (5xx, a timeout, the network)
// takes 10, a success gives 2. Below 70 a key is degraded; five minutes without a failure bring it
// back to 70. Refusals for rate, money or a bad key are told by the key's state, not here.
// Pure; times are microseconds on one clock.
// SPDX-License-Identifier: MIT
#ifndef POOL_KEYS_HEALTH_H
#define POOL_KEYS_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#define HEALTH_HEALTHY 70 // the lowest score that counts as healthy

// Zeroed memory is full health.
struct health {
    int lost;          // points below 100, as of the last event
    int64_t failed_at; // the last failure
    bool has_passed;   // at least once: before that nobody knows whether the key is good
};

void health_failed(struct health *health, int64_t now);
void health_passed(struct health *health, int64_t now);

int health_score(const struct health *health, int64_t now);
bool health_is_degraded(const struct health *health, int64_t now);

#endif
