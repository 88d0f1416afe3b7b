// How long the simulator takes to answer: a number or a distribution.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_SIMULATE_LATENCY_H
#define RUNNER_SIMULATE_LATENCY_H

#include "jobs/base/error.h"
#include "jobs/base/random.h"

#define LATENCY_MAX (INT64_C(3600) * 1000000) // no draw goes beyond an hour

enum latency_kind { LATENCY_FIXED, LATENCY_UNIFORM, LATENCY_LOGNORMAL };

struct latency {
    enum latency_kind kind;
    int64_t low;  // fixed: the value; lognormal: the median; microseconds
    int64_t high; // uniform
    double sigma; // lognormal: of the logarithm
};

// "20" or "20ms" (a bare number is milliseconds), "fixed:20ms", "uniform:10ms-50ms",
// "lognormal:200ms,0.5" (median, sigma). NULL or "": none. False with err filled.
bool latency_parse(const char *text, struct latency *latency, struct error *err);

// Microseconds.
int64_t latency_draw(const struct latency *latency, struct random *random);

#endif
