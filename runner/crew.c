// crew.c: says how many carriers a run has, and which of them is next. Pure.
// SPDX-License-Identifier: MIT
#include "runner/crew.h"

#include "jobs/base/clock.h"

// The loop's own work on a request is about one part in so many of all that a request costs.
#define LOOP_PART 5

// Up to so many are not worth a hand-over; and with few keys, the turns they take would be those of the
// threads.
#define FEW 4

#define LOOK_EVERY USEC_PER_SEC
#define FULL       0.9 // of the time

size_t crew_size(int64_t asked, size_t cores, size_t slots) {
    size_t most = asked ? CREW_MOST : CREW_MOST_AUTO;
    size_t size = asked ? (size_t)asked : cores;
    if (size > slots)
        size = slots;
    if (size > most)
        size = most;
    return size ? size : 1;
}

size_t crew_choose(const size_t *under_way, size_t count) {
    size_t least = 1, all = under_way[0];
    if (count == 1)
        return 0;
    for (size_t i = 1; i < count; i++) {
        all += under_way[i];
        if (under_way[i] < under_way[least])
            least = i;
    }
    if (all < FEW)
        return 0;
    // with all threads equally busy, the loop's own carries (PART - count) for PART of any other
    bool own = count < LOOP_PART &&
               (under_way[0] + 1) * LOOP_PART <= (under_way[least] + 1) * (LOOP_PART - count);
    return own ? 0 : least;
}

bool crew_is_due(const struct crew_watch *w, int64_t now) {
    return now - w->since >= LOOK_EVERY;
}

bool crew_is_full(struct crew_watch *w, int64_t now, int64_t cpu) {
    bool full = w->since && (double)(cpu - w->cpu) > FULL * (double)(now - w->since);
    *w = (struct crew_watch){.since = now, .cpu = cpu};
    return full;
}
