// The limits an account is known to have because the provider announces them with its answers.
//
// Per account and model. The caller: learned_ready_at(), learned_take(), then once per request
// learned_settle() or learned_return(); and learned_observe() after learned_settle(), for every
// answer that announces something, refusals too. Pure; zero-initialised: nothing known, always ready.
// SPDX-License-Identifier: MIT
#ifndef POOL_LIMITS_LEARNED_H
#define POOL_LIMITS_LEARNED_H

#include "pool/limits/announced.h"
#include "pool/limits/budget.h"
#include "pool/limits/spend.h"

#define LEARNED_BUDGETS 6

struct learned {
    struct budget budgets[LEARNED_BUDGETS]; // in the order of struct announced
    struct spend taken;                     // all that was ever taken, as estimated
    struct spend marks[2];                  // the same some time ago, newest first …
    int64_t marked_at;                      // … the newest then
};

int64_t learned_ready_at(const struct learned *l, const struct spend *spend, int64_t now);

// Takes charge->spend at charge->at and fills charge->before.
void learned_take(struct learned *l, struct charge *charge);

// What it really took; -1 input or output tokens: not known, the estimate stands. More than the
// estimate is taken at once; less is given back only when the provider announces that it did so too,
// for some do not.
void learned_settle(struct learned *l, const struct charge *charge, const struct spend *real,
                    int64_t now);

// It was never sent.
void learned_return(struct learned *l, const struct charge *charge, int64_t now);

// What the answer to this request announced.
void learned_observe(struct learned *l, const struct announced *announced,
                     const struct charge *charge, int64_t now);

#endif
