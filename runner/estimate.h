// What a run would take, counted row by row without sending anything: for --dry-run. Pure; main thread.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_ESTIMATE_H
#define RUNNER_ESTIMATE_H

#include "jobs/job.h"
#include "runner/plan.h"

// Tokens that an answer is expected to have where the row sets no bound.
#define ESTIMATE_OUTPUT 256
// Models that are told apart; rows of further ones count in the totals only.
#define ESTIMATE_MODELS 64

struct estimate_model {
    const struct route *route;
    struct slice model; // string token, owned
    int64_t rows, input_tokens, output_tokens;
};

struct estimate {
    int64_t rows; // of the input
    int64_t done; // by an earlier run
    int64_t bad;  // nothing is sent for them
    int64_t left; // to be sent
    int64_t input_tokens, output_tokens;
    bool at_least; // the input was not read to its end
    struct estimate_model models[ESTIMATE_MODELS];
    size_t model_count;
};

// Adds a row that would be sent to the first of its routes.
void estimate_add(struct estimate *e, const struct plan *plan, const struct job *job);

// Seconds at the limits that are stated; -1: none is, so it depends on the provider.
double estimate_seconds(const struct estimate *e, const struct plan *plan);

void estimate_free(struct estimate *e);

#endif
