// How many of the last rows failed, and whether that is too many.
//
// The last `window` rows that are done count. So that a few failures at the start end nothing, the
// rate is looked at from a fifth of the window on, but not before ERROR_RATE_LEAST rows (or a whole
// window, if that is smaller). Pure.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_ERROR_RATE_H
#define RUNNER_ERROR_RATE_H

#include "jobs/base/error.h"

#include <stdint.h>

#define ERROR_RATE_WINDOW 100
#define ERROR_RATE_MOST   10000
#define ERROR_RATE_LEAST  10

struct error_rate {
    double share; // 0 to 1; at or above it too many failed
    int window;   // 0: nothing is watched
    int count;    // rows that were noted, at most `window`
    int failed;   // of them
    int next;     // place in the ring
    uint8_t ring[ERROR_RATE_MOST / 8];
};

// "20%" or "0.2", with "/500" behind it another window than 100. False with err filled; NULL watches
// nothing.
bool error_rate_parse(const char *text, struct error_rate *rate, struct error *err);

// One more row is done. True when too many have failed.
bool error_rate_note(struct error_rate *rate, bool failed);

#endif
