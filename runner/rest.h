// A long rest: all keys wait, for minutes or until tomorrow, and nothing is in flight.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_REST_H
#define RUNNER_REST_H

#include <stdbool.h>
#include <stdint.h>

#define REST_LONG INT64_C(60000000) // microseconds

struct rest {
    bool is_said; // and since then nothing was sent
};

// When to wake up to go on at `until` (monotonic, TIME_NEVER: only events end it). A sleeping thread
// does not notice that the machine slept too, nor a wall clock that was set, by which days end: so a
// long rest is slept in pieces. A run that stands still should not look as if it
// hung: a long rest with nothing in flight (idle) is said once.
int64_t rest_wake_at(struct rest *r, bool idle, int64_t now, int64_t until);

#endif
