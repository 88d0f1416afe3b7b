// The carriers of a run (runner/carrier.h): how many there may be, which takes the next request, and
// when another one pays. Pure.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_CREW_H
#define RUNNER_CREW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Carriers at most, the loop's own included; with --threads auto.
#define CREW_MOST      16
#define CREW_MOST_AUTO 9

// How many there may be: as many as were asked for, 0 for one on each core; but none without a slot.
size_t crew_size(int64_t asked, size_t cores, size_t slots);

// Which takes the next request, of so many, by what they have under way; the first is the loop's own.
// It takes the first few; of more the smaller share that leaves its thread the time for the loop's
// other work, and where there are five or more none at all.
size_t crew_choose(const size_t *under_way, size_t count);

// How busy the loop's thread is. Starts zeroed.
struct crew_watch {
    int64_t since; // monotonic; 0: not begun
    int64_t cpu;   // microseconds the thread had used up by then
};

// Whether it is time to ask the clock of the thread.
bool crew_is_due(const struct crew_watch *w, int64_t now);

// Whether it was busy, nearly all the time, since it was asked before; and begins anew.
bool crew_is_full(struct crew_watch *w, int64_t now, int64_t cpu);

#endif
