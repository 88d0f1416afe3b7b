// crew.c: says how many carriers a run has, and which of them is next. Pure.
// SPDX-License-Identifier: MIT
#include "runner/crew.h"

#include "jobs/base/clock.h"

// Up to so many are not worth a hand-over; and with few keys, the turns they take would be those of the
// threads.
#define FEW 4

#define LOOK_EVERY USEC_PER_SEC
#define FULL       0.9 // of the time
#define BUSY       0.1 // likewise: with less to do than that it does not matter who does it

// A thread that has nothing to do beside another one changes the share by so much. Requests that are out
// stay where they are, so a change shows only when they are back: larger steps would overshoot.
#define STEP 0.6

size_t crew_size(int64_t asked, size_t cores, size_t slots) {
    size_t most = asked ? CREW_MOST : CREW_MOST_AUTO;
    size_t size = asked ? (size_t)asked : cores;
    if (size > slots)
        size = slots;
    if (size > most)
        size = most;
    return size ? size : 1;
}

size_t crew_choose(const size_t *under_way, size_t count, double share) {
    size_t least = 1, all = under_way[0];
    if (count == 1)
        return 0;
    for (size_t i = 1; i < count; i++) {
        all += under_way[i];
        if (under_way[i] < under_way[least])
            least = i;
    }
    bool own = all < FEW || (double)(under_way[0] + 1) <= (double)(under_way[least] + 1) * share;
    return own ? 0 : least;
}

bool crew_is_due(const struct crew_watch *w, int64_t now) {
    return now - w->since >= LOOK_EVERY;
}

// Both in CPU per thread.
static double balanced(double share, double own, double others) {
    double more = own > others ? own : others;
    share += STEP * (others - own) / more;
    return share < 0 ? 0 : share > 1 ? 1 : share;
}

bool crew_look(struct crew_watch *w, int64_t now, int64_t own, int64_t others, size_t count) {
    double time = (double)(now - w->since), used = (double)(own - w->own);
    double theirs = count > 1 ? (double)(others - w->others) / (double)(count - 1) : 0;
    bool begun = w->since;
    if (begun && count > 1 && (used > BUSY * time || theirs > BUSY * time))
        w->share = balanced(w->share, used, theirs);
    *w = (struct crew_watch){.since = now, .own = own, .others = others, .share = w->share};
    return begun && used > FULL * time;
}
