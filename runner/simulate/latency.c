// latency.c: reads and draws the simulator's latencies. Pure.
// SPDX-License-Identifier: MIT
#include "runner/simulate/latency.h"

#include "jobs/base/clock.h"

#include <math.h>
#include <stdlib.h>

static bool is_plain_number(struct slice text) {
    for (size_t i = 0; i < text.n; i++)
        if (!(text.p[i] >= '0' && text.p[i] <= '9') && text.p[i] != '.')
            return false;
    return text.n > 0;
}

// A duration of at most LATENCY_MAX; a bare number is milliseconds.
static bool parse_time(struct slice text, int64_t *usec) {
    bool plain = is_plain_number(text), has_unit = text.n && text.p[text.n - 1] > '9';
    if ((!plain && !has_unit) || !duration_parse(text, usec))
        return false;
    if (plain)
        *usec /= 1000;
    return *usec <= LATENCY_MAX;
}

// Splits at the first `mark`; false when there is none.
static bool split(struct slice text, char mark, struct slice *first, struct slice *second) {
    const char *at = text.n ? memchr(text.p, mark, text.n) : NULL;
    if (!at)
        return false;
    *first = slice_of(text.p, (size_t)(at - text.p));
    *second = slice_of(at + 1, (size_t)(text.p + text.n - at - 1));
    return true;
}

static bool parse_fixed(struct slice text, struct latency *l) {
    l->kind = LATENCY_FIXED;
    return parse_time(text, &l->low);
}

static bool parse_uniform(struct slice text, struct latency *l) {
    struct slice low, high;
    l->kind = LATENCY_UNIFORM;
    return split(text, '-', &low, &high) && parse_time(low, &l->low) &&
           parse_time(high, &l->high) && l->low <= l->high;
}

static bool parse_lognormal(struct slice text, struct latency *l) {
    struct slice median, sigma;
    char copy[32], *end;
    l->kind = LATENCY_LOGNORMAL;
    if (!split(text, ',', &median, &sigma) || !parse_time(median, &l->low))
        return false;
    if (!is_plain_number(sigma) || sigma.n >= sizeof copy)
        return false;
    memcpy(copy, sigma.p, sigma.n);
    copy[sigma.n] = '\0';
    l->sigma = strtod(copy, &end);
    return *end == '\0' && l->sigma <= 10;
}

static const struct form {
    const char *prefix;
    bool (*parse)(struct slice text, struct latency *latency);
} forms[] = {
    {"fixed:", parse_fixed},
    {"uniform:", parse_uniform},
    {"lognormal:", parse_lognormal},
    {"", parse_fixed},
};

bool latency_parse(const char *text, struct latency *latency, struct error *err) {
    struct slice all = slice_trim(slice_str(text));
    *latency = (struct latency){0};
    if (!all.n)
        return true;
    const struct form *form = forms;
    while (!slice_starts(all, form->prefix))
        form++;
    size_t skip = strlen(form->prefix);
    if (form->parse(slice_of(all.p + skip, all.n - skip), latency))
        return true;
    return error_set(err, ERROR_USAGE,
                     "--latency %s: expected a time of at most 1h such as 20ms, or "
                     "uniform:10ms-50ms, or lognormal:200ms,0.5 (median, sigma)",
                     text);
}

// Standard normal (Box and Muller 1958); the first unit is moved off zero.
static double normal(struct random *random) {
    double u = 1.0 - random_unit(random), v = random_unit(random);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

int64_t latency_draw(const struct latency *l, struct random *random) {
    switch (l->kind) {
    case LATENCY_UNIFORM: return l->low + random_below(random, l->high - l->low + 1);
    case LATENCY_LOGNORMAL: {
        double drawn = (double)l->low * exp(l->sigma * normal(random));
        return drawn < (double)LATENCY_MAX ? (int64_t)drawn : LATENCY_MAX;
    }
    default: return l->low;
    }
}
