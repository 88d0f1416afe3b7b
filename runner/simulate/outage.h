// When the simulated provider is down, and how: spans of time with one fault for everybody.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_SIMULATE_OUTAGE_H
#define RUNNER_SIMULATE_OUTAGE_H

#include "runner/simulate/fault.h"

#define OUTAGES_MAX 16

struct outages {
    struct outage {
        int64_t from, until; // microseconds since the first request
        enum fault fault;
    } outage[OUTAGES_MAX];
    int count;
};

// "2s,1s" is 503 for a second, two seconds after the first request; "2s,1s,reset" says which fault;
// more of them follow behind further commas. A number that is a fault's name is one in third place.
// NULL: none. False with err filled.
bool outages_parse(const char *text, struct outages *outages, struct error *err);

// What everybody meets now, that many microseconds after the first request; FAULT_NONE: nothing.
enum fault outages_at(const struct outages *outages, int64_t since);

#endif
