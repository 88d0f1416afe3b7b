// felt.c: a pace found from refusals, as a bracket that narrows. Pure; loop thread.
// SPDX-License-Identifier: MIT
#include "pool/limits/felt.h"

#include "jobs/base/clock.h"

#include <math.h>

#define BELOW 0.95 // how far below the measure

// However badly a refusal is measured, the pace falls no lower than to a quarter at once.
#define FALL_MOST 0.25

// The pace after the first refusal is a guess: no slower than this, a microsecond.
#define GUESS_LEAST 1e-6

// Growth with each one that passed, as a share of the pace (towards the ceiling: of the way there).
// Where a ceiling is known, more than so many a second do not grow it faster.
#define GROWTH_SEARCHING 0.2
#define GROWTH_TOWARDS   0.08
#define GROWTH_PAST      0.001
#define GROWTH_FASTER    0.00015 // more with every one since the last refusal
#define GROWING_A_SECOND 2.0

static bool is_forgotten(const struct felt *f, int64_t now) {
    return !f->was_refused || now - f->refused_at >= FELT_FORGOTTEN_AFTER;
}

int64_t felt_ready_at(const struct felt *f, int64_t now) {
    if (f->rate <= 0 || f->next_at <= now || is_forgotten(f, now))
        return now;
    return f->next_at;
}

uint64_t felt_take(struct felt *f, int64_t now) {
    if (is_forgotten(f, now))
        *f = (struct felt){.takes = f->takes};
    if (!f->was_refused && !f->takes)
        f->reached_at = now;
    if (f->was_refused && !f->resumed_at)
        f->resumed_at = now;
    if (f->rate > 0) {
        int64_t spacing = (int64_t)(1 / f->rate);
        int64_t late = now - f->next_at;
        f->is_pacing = late <= spacing;
        f->next_at += spacing + (late > spacing ? late - spacing : 0); // one may catch up, not more
    }
    return f->takes++;
}

// The limit was reached: what comes next is measured from here.
static void reach(struct felt *f, uint64_t serial, int64_t sent_at) {
    f->reached_serial = serial;
    f->reached_at = sent_at;
    f->not_taken = 0;
    f->grown = 0;
}

// The first refusal tells little: not faster than so far.
static void guess(struct felt *f, uint64_t serial, int64_t sent_at) {
    double time = fmax((double)(sent_at - f->reached_at), USEC_PER_SEC);
    f->rate = fmax((double)serial / time, GUESS_LEAST);
}

// The true rate is at least what passed over all the time since the limit was last reached, and at
// most the same over the time without the pause, in which the bucket may have been full. Nor is it
// more than the pace that was refused.
static void lower(struct felt *f, double passed, int64_t sent_at) {
    double time = (double)(sent_at - f->reached_at);
    double pause = (double)(f->resumed_at - f->refused_at);
    double least = fmin(passed / time, f->rate);
    double most = f->is_pacing ? f->rate : fmax(f->rate, f->ceiling);
    f->ceiling = fmin(passed / fmax(time - pause, 1), most);
    f->rate = fmax(BELOW * sqrt(least * f->ceiling), f->rate * FALL_MOST);
}

void felt_refused(struct felt *f, uint64_t serial, int64_t sent_at, int64_t now) {
    if (f->was_refused && serial > f->reached_serial)
        f->not_taken++;
    if (f->was_refused && serial < f->lowered_serial)
        return;
    int64_t passed = (int64_t)(serial - f->reached_serial - f->not_taken);
    if (!f->was_refused)
        guess(f, serial, sent_at);
    else if (passed > 0 && sent_at > f->reached_at)
        lower(f, (double)passed, sent_at);
    if (!f->was_refused || passed > 0)
        reach(f, serial, sent_at);
    f->next_at = now + (int64_t)(1 / f->rate);
    f->was_refused = true;
    f->refused_at = sent_at;
    f->resumed_at = 0;
    f->lowered_serial = f->takes;
}

void felt_passed(struct felt *f, uint64_t serial, int64_t sent_at, int64_t now) {
    (void)sent_at, (void)now;
    if (f->rate <= 0 || !f->is_pacing || serial < f->lowered_serial)
        return;
    double share = fmin(1, GROWING_A_SECOND / (f->rate * (double)USEC_PER_SEC));
    f->grown += share;
    if (f->ceiling <= 0)
        f->rate += GROWTH_SEARCHING * f->rate;
    else if (f->rate < BELOW * f->ceiling)
        f->rate += GROWTH_TOWARDS * share * (f->ceiling - f->rate);
    else
        f->rate += (GROWTH_PAST + GROWTH_FASTER * f->grown) * share * f->rate;
}

void felt_return(struct felt *f, uint64_t serial) {
    if (f->was_refused && serial > f->reached_serial)
        f->not_taken++;
}
