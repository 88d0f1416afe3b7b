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

// Which takes the next request, of so many, by what they have under way; the first is the loop's own. It
// takes the first few; of more it gets `share` for each that another one gets.
size_t crew_choose(const size_t *under_way, size_t count, double share);

// What the threads have done by a moment, in all.
struct crew_work {
    int64_t own, others; // CPU in microseconds: of the loop's thread, of all others together
    int64_t returned;    // requests that are back
};

// How busy the threads are, and what follows from it. Starts as CREW_WATCH_BEGIN.
struct crew_watch {
    int64_t since; // monotonic; 0: not begun
    struct crew_work before;
    double share; // the loop's own, 0 to 1: see crew_choose()
};

// Over plain HTTP two threads are equally busy at 0.3 (answers come at once) to 0.9 (hundreds are out).
#define CREW_WATCH_BEGIN ((struct crew_watch){.share = 0.5})

// Whether it is time for another look, once a second.
bool crew_is_due(const struct crew_watch *w, int64_t now);

// Looks at what `count` threads have done since the last time; says whether the loop's was busy nearly all
// of it. Shifts requests from the busier to the others: the loop's thread has other work too, and how
// much that is beside the requests' own depends on what they are.
bool crew_look(struct crew_watch *w, int64_t now, const struct crew_work *work,
               const size_t *under_way, size_t count);

#endif
