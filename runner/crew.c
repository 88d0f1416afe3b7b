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

// A thread that has nothing to do beside another one changes the share by so much at most: it is about right
// after five looks, and does not jump with what a second brings by chance.
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

// The first two in CPU per thread. Requests that are out stay where they are: with slow answers a change
// takes as long to show, and the more of them are out the smaller is each step.
static double balanced(double share, double own, double others, double turned_over) {
    double more = own > others ? own : others;
    share += STEP * (turned_over < 1 ? turned_over : 1) * (others - own) / more;
    return share < 0 ? 0 : share > 1 ? 1 : share;
}

bool crew_look(struct crew_watch *w, int64_t now, const struct crew_work *work,
               const size_t *under_way, size_t count) {
    double time = (double)(now - w->since), own = (double)(work->own - w->before.own);
    bool begun = w->since;
    if (begun && count > 1) {
        double others = (double)(work->others - w->before.others) / (double)(count - 1);
        size_t out = 1;
        for (size_t i = 0; i < count; i++)
            out += under_way[i];
        double turned_over = (double)(work->returned - w->before.returned) / (double)out;
        if (own > BUSY * time || others > BUSY * time)
            w->share = balanced(w->share, own, others, turned_over);
    }
    w->since = now;
    w->before = *work;
    return begun && own > FULL * time;
}
