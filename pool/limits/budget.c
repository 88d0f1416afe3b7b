// budget.c: a provider's bucket, modelled from what it announces and what was taken. Pure.
// SPDX-License-Identifier: MIT
#include "pool/limits/budget.h"

#include "jobs/base/clock.h"

#include <math.h>
#include <string.h>

// A reset in whole seconds may be off by one of them, any other by its last digit; what is missing
// may be off by one.
#define STEP_WHOLE USEC_PER_SEC
#define STEP_FINE  (10 * USEC_PER_MS)

// Clocks differ: a refill that is this near to limit / period is that.
#define NEAR 1.25

// How far apart two announcements must be to show a slope.
#define SLOPE_LEAST 5
#define SLOPE_STEPS 4

// How fast a difference between announcements and our count becomes the use that others make of the
// account: in half the period. They leave us a little, for we would not hear of it otherwise.
#define OTHERS_GAIN 2.0
#define OTHERS_MOST 0.9

static double at_least(double value, double least) {
    return value < least ? least : value;
}

static double at_most(double value, double most) {
    return value > most ? most : value;
}

// What its refill leaves us, a microsecond.
static double ours(const struct budget *b) {
    return b->rate - at_most(b->others, b->rate * OTHERS_MOST);
}

static double capacity(const struct budget *b) {
    return b->holds > 0 ? b->holds : (double)b->limit;
}

static double level_at(const struct budget *b, int64_t now) {
    double refill = now > b->at ? (double)(now - b->at) * ours(b) : 0;
    return at_most(b->level + refill, capacity(b));
}

static void advance(struct budget *b, int64_t now) {
    b->level = level_at(b, now);
    if (now > b->at)
        b->at = now;
}

static bool is_forgotten(const struct budget *b, int64_t now) {
    return b->limit <= 0 || now - b->heard_at >= BUDGET_FORGOTTEN_AFTER;
}

// The refill a microsecond that an announcement shows: as stated, unless it contradicts that.
// 0: it shows nothing.
static double shown_rate(const struct announced_limit *said, double stated) {
    double missing = (double)(said->limit - said->remaining), reset = (double)said->reset;
    double step = said->reset % USEC_PER_SEC ? STEP_FINE : STEP_WHOLE;
    if (said->remaining < 0 || missing < 1 || reset <= 0)
        return 0;
    double least = (missing - 1) / (reset + step) / NEAR;
    double most = (missing + 1) / at_least(reset - step, 1) * NEAR;
    return stated >= least && stated <= most ? stated : missing / reset;
}

// The middle one of the last three, so that one odd header changes nothing; until there are three,
// the least.
static double settled_rate(const double *m) {
    if (m[2] <= 0)
        return m[1] > 0 ? fmin(m[0], m[1]) : m[0];
    return fmax(fmin(m[0], m[1]), fmin(fmax(m[0], m[1]), m[2]));
}

// What two announcements show together does not depend on how much the bucket holds: less is left,
// and so much longer it takes to fill. 0: they are too near to each other.
static double slope_of(const struct budget *b, const struct announced_limit *said, double stated) {
    double fewer = (double)(b->fullest.remaining - said->remaining);
    double longer = (double)(said->reset - b->fullest.reset);
    double step =
        said->reset % USEC_PER_SEC || b->fullest.reset % USEC_PER_SEC ? STEP_FINE : STEP_WHOLE;
    if (fewer < SLOPE_LEAST || longer < SLOPE_STEPS * step)
        return 0;
    bool is_stated = stated >= (fewer - 1) / (longer + 2 * step) / NEAR &&
                     stated <= (fewer + 1) / (longer - 2 * step) * NEAR;
    return is_stated ? stated : fewer / longer;
}

static void remember_fullest(struct budget *b, const struct announced_limit *said) {
    if (said->remaining >= 0 && said->reset >= 0 && said->remaining >= b->fullest.remaining)
        b->fullest = *said;
}

// A bucket may hold less than a whole period's limit.
static void follow_capacity(struct budget *b, const struct announced_limit *said, double slope) {
    if (slope <= 0)
        return;
    double holds = (double)said->remaining + (double)said->reset * slope + 1;
    b->holds = at_least(at_most(holds, (double)b->limit), 1);
}

static void follow_rate(struct budget *b, const struct sight *sight) {
    double stated = (double)b->limit / (double)sight->period;
    double slope = slope_of(b, sight->said, stated);
    // once a slope was seen, the reset alone says nothing: the bucket holds less than it seems to
    double shown = slope > 0 || b->has_slope ? slope : shown_rate(sight->said, stated);
    remember_fullest(b, sight->said);
    follow_capacity(b, sight->said, slope);
    if (slope > 0 && !b->has_slope)
        memset(b->rates, 0, sizeof b->rates);
    b->has_slope |= slope > 0;
    if (shown > 0) {
        for (int i = BUDGET_RATES - 1; i > 0; i--)
            b->rates[i] = b->rates[i - 1];
        b->rates[0] = shown;
    }
    b->rate = b->rates[0] > 0 ? settled_rate(b->rates) : stated;
}

// What may be left now. Announced when the request came in, the number knew nothing of what was taken
// and refilled since; announced with the answer, it knew all of that.
struct bounds {
    double least, most;
};

static struct bounds bounds_of(const struct budget *b, const struct sight *sight, int64_t now) {
    double late = (double)sight->said->remaining;
    double early = late - (double)sight->taken_since + (double)(now - sight->sent_at) * ours(b);
    return early < late ? (struct bounds){early, late} : (struct bounds){late, early};
}

// What is less every time than we thought, others took; and what is more, they did not.
static void follow_others(struct budget *b, double missing, int64_t period) {
    b->others = at_least(b->others + missing * OTHERS_GAIN / (double)period, 0);
    b->others = at_most(b->others, b->rate);
}

static void follow_level(struct budget *b, const struct sight *sight, int64_t now) {
    struct bounds bounds = bounds_of(b, sight, now);
    double expected = b->level;
    if (sight->said->remaining > 0) // none left may also be less than none
        b->level = at_least(b->level, bounds.least);
    b->level = at_most(b->level, bounds.most);
    follow_others(b, expected - b->level, sight->period);
}

// At first sight, of it or of another limit, the least is right: what was sent before we knew counts
// against it.
static void begin_level(struct budget *b, const struct sight *sight, int64_t now) {
    if (sight->said->remaining >= 0)
        b->level = bounds_of(b, sight, now).least;
    else
        b->level = (double)(b->limit - sight->taken_since);
}

void budget_observe(struct budget *b, const struct sight *sight, int64_t now) {
    const struct announced_limit *said = sight->said;
    if (said->limit <= 0)
        return;
    bool is_new = is_forgotten(b, now) || said->limit != b->limit;
    if (is_new)
        *b = (struct budget){.limit = said->limit, .at = now, .fullest = {.remaining = -1}};
    advance(b, now);
    b->heard_at = now;
    follow_rate(b, sight);
    if (is_new)
        begin_level(b, sight, now);
    else if (said->remaining >= 0)
        follow_level(b, sight, now);
    b->level = at_most(b->level, (double)b->limit);
}

int64_t budget_ready_at(const struct budget *b, int64_t amount, int64_t now) {
    if (is_forgotten(b, now))
        return now;
    double missing = at_most((double)amount, capacity(b)) - level_at(b, now);
    int64_t forgotten_at = b->heard_at + BUDGET_FORGOTTEN_AFTER;
    if (missing <= 0)
        return now;
    double wait = missing / ours(b);
    return wait < (double)(forgotten_at - now) ? now + (int64_t)ceil(wait) : forgotten_at;
}

void budget_take(struct budget *b, int64_t amount, int64_t now) {
    if (is_forgotten(b, now))
        return;
    advance(b, now);
    b->level = at_least(b->level - (double)amount, -(double)b->limit);
    b->level = at_most(b->level, (double)b->limit);
}
