// felt.c: a pace found from refusals, as a bracket that narrows. Pure; loop thread.
// SPDX-License-Identifier: MIT
#include "pool/limits/felt.h"

#include "jobs/base/clock.h"

#include <math.h>

#define BELOW      0.95 // how far below the measure
#define WELL_BELOW 0.8  // below the pace that was refused

// However long it was idle since the last refusal, the pace falls no lower than to this share of the
// most that the limit can be.
#define FALL_MOST 0.25

// What it takes to measure at all, and how far it falls without.
#define MEASURING   5
#define FALL_LITTLE 0.7

// Refused near the same pace twice, with so many passed between: it was near the limit.
#define NEAR       0.9
#define CONFIRMING 10

// The pace after the first refusal is a guess: no slower than this, a microsecond.
#define GUESS_LEAST 1e-6
#define GUESS_OVER  (USEC_PER_SEC / 4) // a few in a moment say little

// Growth with each one that passed, as a share of the pace (towards the ceiling: of the way there).
// So many a second make it grow; more do not make it grow faster.
#define GROWTH_SEARCHING 0.3
#define GROWTH_TOWARDS   0.08
#define GROWTH_BETWEEN   0.01
#define GROWTH_PAST      0.0005
#define GROWTH_FASTER    0.00002 // more with every one since the last refusal
#define GROWING_A_SECOND 5.0
#define RATE_MOST        1.0 // a microsecond: no pace at all

// What is late may catch up with this part of the spacing, not more: a bucket may hold but one.
#define CATCHING_UP 8

// A pace that is about right holds for so many and so long at least, as a rule.
#define HOLDS_PASSES      30
#define HOLDS_TIME        (3 * USEC_PER_SEC)
#define DOUBTS_MOST       3
#define PROVING           20
#define WELL_BELOW_PROVEN 0.8
#define FLOOR_OF_PROVEN   0.75
#define RUN_LEAST         4 // passed without a refusal: shorter runs prove nothing
#define CHANCES           8 // refusals that may be chance and are measured only
#define CHANCES_LIKELY    4
#define NO_CHANCE         3 // one that is none takes back so many
#define PROVING_CHANCE    6
#define DOUBTS_CHANCE     2
#define PROVEN_FADES      0.7 // with every pace that held: limits change
#define QUIET_FIRST       (60 * USEC_PER_SEC)

// Most refusals were followed by a request that passed at once, which a limit does not let happen.
static bool looks_like_chance(const struct felt *f) {
    return f->chances >= CHANCES_LIKELY;
}

static bool is_off(const struct felt *f, int64_t now) {
    return now < f->off_until;
}

static bool is_forgotten(const struct felt *f, int64_t now) {
    return f->was_refused && now - f->refused_at >= FELT_FORGOTTEN_AFTER;
}

int64_t felt_ready_at(const struct felt *f, int64_t now) {
    if (f->rate <= 0 || f->next_at <= now || is_forgotten(f, now) || is_off(f, now))
        return now;
    int64_t forgotten_at = f->refused_at + FELT_FORGOTTEN_AFTER;
    return f->next_at < forgotten_at ? f->next_at : forgotten_at;
}

uint64_t felt_take(struct felt *f, int64_t now) {
    if (f->takes == 0 || is_forgotten(f, now))
        *f = (struct felt){.takes = f->takes, .reached_serial = f->takes, .reached_at = now};
    if (f->rate > 0) {
        int64_t spacing = (int64_t)(1 / f->rate), earliest = now - spacing / CATCHING_UP;
        f->is_pacing = now - f->next_at <= spacing;
        if (f->resuming > 0)
            f->resumed_at = now;
        else if (!f->is_pacing) // idle: the bucket may have been full
            f->paused += now - f->next_at;
        f->resuming -= f->resuming > 0;
        f->next_at = (f->next_at > earliest ? f->next_at : earliest) + spacing;
    }
    if (f->went_on_at == 0) {
        f->went_on_at = now;
        f->idle += f->run_from ? now - f->noted_at : 0;
    }
    return f->takes++;
}

// The limit was reached: what comes next is measured from here.
static void reach(struct felt *f, uint64_t serial, int64_t sent_at) {
    f->reached_serial = serial;
    f->reached_at = sent_at;
    f->not_taken = 0;
    f->passed = 0;
    f->paused = 0;
}

// The first refusal tells little: not faster than so far.
static void guess(struct felt *f, uint64_t serial, int64_t sent_at) {
    double time = fmax((double)(sent_at - f->reached_at - (f->goes_on ? f->idle : 0)), GUESS_OVER);
    f->begun = f->rate = fmax((double)(serial - f->reached_serial) / time, GUESS_LEAST);
}

// The true rate is at least what passed over all the time since the limit was last reached, and less
// than the pace that was refused. Over the time without the pauses, in which the bucket may have been
// full, it is at most what passed; if the pace was never lower than that, so that it was not full
// otherwise.
static void lower(struct felt *f, double passed, double time) {
    double least = fmin(passed / time, f->rate), most = passed / fmax(time - (double)f->paused, 1);
    bool is_near = passed >= CONFIRMING && f->rate > NEAR * f->ceiling && f->ceiling > 0;
    f->refused = f->rate;
    f->ceiling = most <= f->begun ? fmin(most, f->rate) : f->rate;
    f->rate = fmax(BELOW * sqrt(least * f->ceiling), f->ceiling * FALL_MOST);
    if (is_near)
        f->rate = fmax(f->rate, fmin(NEAR * f->ceiling, BELOW * most));
    f->ceiling = fmax(f->ceiling, f->rate);
    f->begun = f->rate;
}

// Too few passed to measure by.
static void lower_a_little(struct felt *f) {
    f->refused = f->ceiling = f->rate;
    f->rate *= FALL_LITTLE;
    f->begun = fmin(f->begun, f->rate);
}

// From one refusal to another, so many apart that a window of the provider's counts for little.
static void prove(struct felt *f, int64_t now) {
    if (f->was_refused && f->known < (looks_like_chance(f) ? PROVING_CHANCE : PROVING))
        return;
    if (f->was_refused && now > f->known_from)
        f->proven = fmax(f->proven, (double)(f->known - 1) / (double)(now - f->known_from));
    f->known = 0;
    f->known_from = now;
    f->known_serial = f->takes;
}

// A run of requests that passed between two refusals, without a pause: the limit is not below their pace.
static void prove_run(struct felt *f, int64_t sent_at) {
    int64_t time = sent_at - f->run_from;
    bool went_on = f->went_on_at - f->run_from <= 2 * time / (f->run + 1);
    if (f->run_from && f->run >= RUN_LEAST && went_on)
        f->proven = fmax(f->proven, (double)(f->run - 1) / (double)time);
}

// The next run is measured from here.
static void note_refusal(struct felt *f, uint64_t serial, int64_t sent_at, int64_t now) {
    prove_run(f, sent_at);
    f->run = 0;
    f->run_from = sent_at;
    f->run_serial = serial;
    f->noted_at = now;
    f->went_on_at = 0;
    f->noted++;
}

// A pause that ended with another refusal was no time in which the bucket filled up. What passed from
// one refusal on shows a pace that the limit is not below: much slower is never of use.
static void pace(struct felt *f, uint64_t serial, int64_t sent_at) {
    int64_t passed = (int64_t)(serial - f->reached_serial - f->not_taken);
    if (passed <= f->passed)
        return;
    f->passed = passed;
    f->paused += f->resumed_at - f->refused_at;
    if (passed >= MEASURING && sent_at > f->reached_at) {
        lower(f, (double)passed, (double)(sent_at - f->reached_at));
        reach(f, serial, sent_at);
    } else {
        lower_a_little(f);
    }
    f->rate = fmax(f->rate, FLOOR_OF_PROVEN * f->proven);
    f->begun = fmin(f->begun, f->rate);
}

// Refused again and again at a pace below what passed before: it is not the pace. Begins anew after a
// quiet time.
static bool is_in_vain(struct felt *f, int64_t sent_at, int64_t now) {
    bool held = f->since >= HOLDS_PASSES && sent_at - f->refused_at >= HOLDS_TIME;
    if (held) {
        f->doubts = f->doubts > 2 ? f->doubts - 2 : 0;
        f->proven *= PROVEN_FADES;
    } else if (f->is_pacing && f->rate < WELL_BELOW_PROVEN * f->proven) {
        f->doubts++;
    }
    f->since = 0;
    if (f->doubts < (looks_like_chance(f) ? DOUBTS_CHANCE : DOUBTS_MOST))
        return false;
    int64_t quiet = f->quiet ? f->quiet * 2 : QUIET_FIRST;
    if (quiet > FELT_FORGOTTEN_AFTER)
        quiet = FELT_FORGOTTEN_AFTER;
    *f = (struct felt){.takes = f->takes,
                       .reached_serial = f->takes,
                       .reached_at = now + quiet,
                       .lowered_serial = f->takes,
                       .quiet = quiet,
                       .off_until = now + quiet};
    return true;
}

static void lower_for(struct felt *f, uint64_t serial, int64_t sent_at, int64_t now) {
    if (f->was_refused && serial > f->reached_serial)
        f->not_taken++;
    note_refusal(f, serial, sent_at, now);
    if (!f->was_refused &&
        serial - f->reached_serial < (uint64_t)f->noted) // all before it were refused
        return;
    if (is_off(f, now) || (f->was_refused && serial < f->lowered_serial))
        return;
    if (f->was_refused && is_in_vain(f, sent_at, now))
        return;
    prove(f, now);
    if (f->was_refused) {
        pace(f, serial, sent_at);
    } else {
        guess(f, serial, sent_at);
        reach(f, serial, sent_at);
    }
    f->next_at = now + (int64_t)(1 / f->rate);
    f->was_refused = true;
    f->refused_at = f->resumed_at = sent_at;
    f->resuming = 2;
    f->lowered_serial = f->takes;
    f->grown = 0;
}

void felt_refused(struct felt *f, uint64_t serial, int64_t sent_at, int64_t now) {
    f->chances = f->chances > NO_CHANCE ? f->chances - NO_CHANCE : 0;
    lower_for(f, serial, sent_at, now);
}

void felt_refused_perhaps(struct felt *f, uint64_t serial, int64_t sent_at, int64_t now) {
    f->chances += f->chances < CHANCES;
    f->goes_on = true;
    if (f->was_refused || f->noted + 1 >= CHANCES)
        lower_for(f, serial, sent_at, now);
    else
        note_refusal(f, serial, sent_at, now);
}

void felt_passed(struct felt *f, uint64_t serial) {
    f->run += serial > f->run_serial;
    f->since += serial >= f->lowered_serial;
    f->known += serial >= f->known_serial;
    if (f->rate <= 0 || !f->is_pacing || serial < f->lowered_serial)
        return;
    double share = fmin(1, GROWING_A_SECOND / (f->rate * (double)USEC_PER_SEC));
    f->grown += share;
    if (f->ceiling <= 0)
        f->rate += GROWTH_SEARCHING * share * f->rate;
    else if (f->rate < BELOW * f->ceiling)
        f->rate += GROWTH_TOWARDS * share * (f->ceiling - f->rate);
    else if (f->rate < WELL_BELOW * f->refused)
        f->rate += GROWTH_BETWEEN * share * f->rate;
    else
        f->rate += (GROWTH_PAST + GROWTH_FASTER * f->grown) * share * f->rate;
    f->rate = fmin(f->rate, RATE_MOST);
}

void felt_return(struct felt *f, uint64_t serial) {
    if (f->rate > 0)
        f->next_at -= (int64_t)(1 / f->rate); // its turn is free again
    if (f->was_refused && serial > f->reached_serial)
        f->not_taken++;
}
