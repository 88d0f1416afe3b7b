// How many requests at once: found by trying (--slots-per-key auto), or a fixed number that gives
// way when the provider says it is too many.
//
// Automatic: begins with one and doubles with every round (as many answers as the width) until the
// first sign of too much; from there a little wider with every average of enough answers. A refusal
// takes one off, several at once up to half; the width that was refused is tried again after a quiet
// time only, longer each time. Latency that climbs with the width is a sign too, by averages, as
// single answers of language models differ by factors; when a lower width does not bring it down
// again, the width was not why, and that latency is the new measure.
// Loop thread; pure.
// SPDX-License-Identifier: MIT
#ifndef POOL_LIMITS_WIDTH_H
#define POOL_LIMITS_WIDTH_H

#include <stdbool.h>
#include <stdint.h>

#define WIDTH_MOST 64 // of an automatic width

struct average {
    int count;
    double sum;
};

struct width {
    int width, most;
    bool is_fixed;      // latency does not change it
    bool is_searching;  // doubling: no sign of too much so far
    int too_many;       // the width that was refused; 0 none
    int64_t retry_at;   // when it may be tried again …
    int64_t quiet;      // … and how long it was to wait for that
    int64_t lowered_at; // when it was last lowered …
    int floor;          // … and how low refusals of what was sent before may bring it

    struct average round;  // latencies of answers to what was sent at just this width
    struct average longer; // the same until there are enough to judge by
    double base;           // the least average; 0 none
    bool is_base_sure;     // of enough answers
    double before_fall; // the average that made the width fall, to see whether that helped; 0 none
    int holds;          // averages that were a little too high, one after the other
};

// slots: a fixed number, or 0 for automatic.
void width_init(struct width *w, int slots);

// At least 1.
int width_now(const struct width *w);

// in_flight: how many were under way when it was sent, itself included. latency in microseconds.
void width_passed(struct width *w, int64_t latency, int in_flight, int64_t now);

// Refused for too many at once, or for a reason that may be that. sent_at: when it was sent.
void width_refused(struct width *w, int in_flight, int64_t sent_at, int64_t now);

#endif
