// cost.c: what a request took from limits and budgets, from usage, estimate and how it ended. Pure.
// SPDX-License-Identifier: MIT
#include "pool/limits/cost.h"

#include <stdbool.h>

static int64_t cost_tokens(int64_t estimated, int64_t told, enum request_end end) {
    if (told > TOKENS_MOST)
        told = TOKENS_MOST;
    switch (end) {
    case REQUEST_UNSENT: return 0;
    case REQUEST_REFUSED: return told > 0 ? told : 0;
    case REQUEST_LOST: return told > estimated ? told : estimated;
    case REQUEST_ANSWERED: break;
    }
    return told >= 0 ? told : estimated;
}

// Only a total is told: the split does not matter, the sum does.
static struct spend cost_of_total(const struct spend *estimate, int64_t total) {
    int64_t input = estimate->input_tokens < total ? estimate->input_tokens : total;
    return (struct spend){1, input, total - input};
}

struct spend cost_of(const struct spend *estimate, const struct usage *usage,
                     enum request_end end) {
    int64_t total = usage->total_tokens < TOKENS_MOST ? usage->total_tokens : TOKENS_MOST;
    bool parts_told = usage->input_tokens >= 0 || usage->output_tokens >= 0;
    if (end == REQUEST_ANSWERED && !parts_told && total >= 0)
        return cost_of_total(estimate, total);
    struct spend cost = {end != REQUEST_UNSENT,
                         cost_tokens(estimate->input_tokens, usage->input_tokens, end),
                         cost_tokens(estimate->output_tokens, usage->output_tokens, end)};
    int64_t missing = total - cost.input_tokens - cost.output_tokens;
    if (missing > 0 && end != REQUEST_UNSENT) // tokens that count, but are not shown
        cost.output_tokens += missing;
    return cost;
}
