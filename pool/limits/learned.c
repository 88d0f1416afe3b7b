// learned.c: the six budgets a provider may announce, each with its unit and period. Pure.
// SPDX-License-Identifier: MIT
#include "pool/limits/learned.h"

#include "jobs/base/clock.h"

#include <stddef.h>

#define MINUTE (60 * USEC_PER_SEC)
#define DAY    (86400 * USEC_PER_SEC)

// What was sent less than this before a request may reach the provider after it: a new connection
// takes that long.
#define OVERTAKING (250 * USEC_PER_MS)

static const struct kind {
    size_t offset; // in struct announced
    int64_t period;
    int requests, input, output; // what of a spend it counts: 1 or 0
} kinds[LEARNED_BUDGETS] = {
    {offsetof(struct announced, requests_minute), MINUTE, 1, 0, 0},
    {offsetof(struct announced, requests_day), DAY, 1, 0, 0},
    {offsetof(struct announced, tokens_minute), MINUTE, 0, 1, 1},
    {offsetof(struct announced, tokens_day), DAY, 0, 1, 1},
    {offsetof(struct announced, input_tokens_minute), MINUTE, 0, 1, 0},
    {offsetof(struct announced, output_tokens_minute), MINUTE, 0, 0, 1},
};

static int64_t amount_of(const struct kind *kind, const struct spend *spend) {
    return kind->requests * spend->requests + kind->input * spend->input_tokens +
           kind->output * spend->output_tokens;
}

int64_t learned_ready_at(const struct learned *l, const struct spend *spend, int64_t now) {
    int64_t latest = now;
    for (int i = 0; i < LEARNED_BUDGETS; i++) {
        int64_t at = budget_ready_at(&l->budgets[i], amount_of(&kinds[i], spend), now);
        if (at > latest)
            latest = at;
    }
    return latest;
}

static void take(struct learned *l, const struct spend *spend, int64_t now) {
    for (int i = 0; i < LEARNED_BUDGETS; i++)
        budget_take(&l->budgets[i], amount_of(&kinds[i], spend), now);
}

// Remembers what had been taken when: marks[1] is then at least OVERTAKING old.
static void mark(struct learned *l, int64_t now) {
    if (now - l->marked_at < OVERTAKING)
        return;
    l->marks[1] = l->marks[0];
    l->marks[0] = l->taken;
    l->marked_at = now;
}

void learned_take(struct learned *l, struct charge *charge) {
    mark(l, charge->at);
    charge->before = l->marks[1];
    spend_add(&l->taken, &charge->spend);
    take(l, &charge->spend, charge->at);
}

static int64_t excess(int64_t real, int64_t estimated) {
    return real > estimated ? real - estimated : 0;
}

void learned_settle(struct learned *l, const struct charge *charge, const struct spend *real,
                    int64_t now) {
    const struct spend *estimated = &charge->spend;
    struct spend more = {excess(real->requests, estimated->requests),
                         excess(real->input_tokens, estimated->input_tokens),
                         excess(real->output_tokens, estimated->output_tokens)};
    take(l, &more, now);
}

// `taken` keeps it: what is counted too much there only makes the next announcement's lower bound
// weaker.
void learned_return(struct learned *l, const struct charge *charge, int64_t now) {
    const struct spend *taken = &charge->spend;
    struct spend back = {-taken->requests, -taken->input_tokens, -taken->output_tokens};
    take(l, &back, now);
}

void learned_observe(struct learned *l, const struct announced *announced,
                     const struct charge *charge, int64_t now) {
    for (int i = 0; i < LEARNED_BUDGETS; i++) {
        const struct kind *kind = &kinds[i];
        struct sight sight = {
            .said = (const struct announced_limit *)((const char *)announced + kind->offset),
            .period = kind->period,
            .sent_at = charge->at,
            .taken_since = amount_of(kind, &l->taken) - amount_of(kind, &charge->before) -
                           amount_of(kind, &charge->spend),
        };
        budget_observe(&l->budgets[i], &sight, now);
    }
}
