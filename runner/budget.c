// budget.c: keeps a run within its requests and tokens. Pure.
// SPDX-License-Identifier: MIT
#include "runner/budget.h"

#include "runner/need.h"
#include "runner/screen/show.h"

// What a provider's template puts around a prompt.
#define INPUT_MARGIN 64
// An answer without a bound, until one has come, in tokens.
#define OUTPUT_AT_FIRST 1024
// A token holds a byte at least; four are usual.
#define WORST_AT_FIRST 4

static int64_t input_reserve(const struct run_budget *b, int64_t expected) {
    double ratio = b->heard ? b->worst : WORST_AT_FIRST;
    double most = (double)(expected + INPUT_MARGIN) * (ratio > 1 ? ratio : 1);
    return most < (double)NEED_MOST ? (int64_t)most + 1 : NEED_MOST;
}

static int64_t output_reserve(const struct run_budget *b, int64_t bound) {
    if (bound >= 0)
        return bound;
    return b->longest ? 2 * b->longest : OUTPUT_AT_FIRST;
}

int64_t run_budget_estimate(const struct run_budget *b, const struct need *need) {
    int64_t sum = input_reserve(b, need->input_tokens) + output_reserve(b, need->output_tokens);
    return sum < NEED_MOST ? sum : NEED_MOST;
}

static enum budget_answer stop(struct run_budget *b, enum budget_limit limit) {
    if (!b->over)
        b->reached = limit;
    b->over = true;
    return BUDGET_STOP;
}

static enum budget_answer pass(struct run_budget *b) {
    if (b->reached == BUDGET_NONE)
        b->reached = BUDGET_TOKENS;
    b->passed_over++;
    return BUDGET_PASS;
}

static bool has_requests(const struct run_budget *b) {
    return !b->max_requests || b->requests < b->max_requests;
}

static bool has_tokens(const struct run_budget *b, int64_t estimate) {
    return !b->max_tokens || estimate <= b->max_tokens - b->tokens - b->reserved;
}

bool run_budget_has_room(const struct run_budget *b, int64_t estimate) {
    return !b->over && has_requests(b) && has_tokens(b, estimate);
}

enum budget_answer run_budget_may(struct run_budget *b, int64_t estimate) {
    if (b->over)
        return BUDGET_STOP;
    if (!has_requests(b))
        return stop(b, BUDGET_REQUESTS);
    if (has_tokens(b, estimate))
        return BUDGET_GO;
    if (b->in_flight && estimate <= b->max_tokens - b->tokens)
        return BUDGET_WAIT;
    if (b->tokens >= b->max_tokens || b->passed_over >= BUDGET_PASS_MOST)
        return stop(b, BUDGET_TOKENS);
    return pass(b);
}

void run_budget_start(struct run_budget *b, int64_t estimate) {
    b->requests++;
    b->in_flight++;
    b->reserved += estimate;
    b->passed_over = 0;
}

void run_budget_take_back(struct run_budget *b, int64_t estimate) {
    b->requests--;
    b->in_flight--;
    b->reserved -= estimate;
}

// Whatever a provider says, sums stay within 64 bits.
static int64_t told(int64_t tokens) {
    return tokens < NEED_MOST ? tokens : NEED_MOST;
}

static int64_t sum_of(const struct usage *usage) {
    int64_t total = told(usage->total_tokens), sum = -1;
    if (usage->input_tokens >= 0 && usage->output_tokens >= 0)
        sum = told(usage->input_tokens) + told(usage->output_tokens);
    return total > sum ? total : sum;
}

// What is told of a request whose sum is not.
static int64_t least_of(const struct usage *usage) {
    int64_t input = told(usage->input_tokens), output = told(usage->output_tokens);
    return (input > 0 ? input : 0) + (output > 0 ? output : 0);
}

// sum: -1 not told.
static int64_t budget_cost(int64_t sum, int64_t least, int64_t estimate, enum request_end end) {
    switch (end) {
    case REQUEST_UNSENT: return 0;
    case REQUEST_REFUSED: return sum > least ? sum : least;
    case REQUEST_LOST: return sum > estimate ? sum : least > estimate ? least : estimate;
    case REQUEST_ANSWERED: break;
    }
    if (sum >= 0)
        return sum;
    return least > estimate ? least : estimate;
}

static void learn(struct run_budget *b, int64_t input_estimate, const struct usage *usage) {
    double ratio = (double)usage->input_tokens / (double)(input_estimate + INPUT_MARGIN);
    int64_t answer =
        sum_of(usage) - told(usage->input_tokens); // with what was thought and not shown
    if (ratio > b->worst)
        b->worst = ratio;
    if (answer > b->longest)
        b->longest = answer;
    b->heard = true;
}

void run_budget_settle(struct run_budget *b, int64_t estimate, int64_t input_estimate,
                       const struct usage *usage, enum request_end end) {
    int64_t sum = sum_of(usage);
    b->in_flight--;
    b->requests -= end == REQUEST_UNSENT;
    b->reserved -= estimate;
    b->tokens += budget_cost(sum, least_of(usage), estimate, end);
    if (sum > 0 && usage->input_tokens >= 0)
        learn(b, input_estimate, usage);
}

bool run_budget_note(struct run_budget *b, bool failed) {
    if (b->over || !error_rate_note(&b->errors, failed)) // the rate stays as it was when it ended
        return false;
    stop(b, BUDGET_ERRORS);
    return true;
}

void run_budget_describe(const struct run_budget *b, struct buf *out) {
    switch (b->reached) {
    case BUDGET_NONE:
    case BUDGET_REQUESTS:
        buf_addf(out, "--max-requests %lld is reached: %lld request%s made",
                 (long long)b->max_requests, (long long)b->requests, b->requests == 1 ? "" : "s");
        break;
    case BUDGET_TOKENS:
        if (b->requests)
            buf_addf(out,
                     "--max-tokens-total %lld is reached: %lld tokens taken, and no row is sure to "
                     "fit into the rest",
                     (long long)b->max_tokens, (long long)b->tokens);
        else
            buf_addf(out,
                     "--max-tokens-total %lld is too little to send a row: until the first answer "
                     "its bytes count as tokens, and %d more if it sets no max_tokens",
                     (long long)b->max_tokens, OUTPUT_AT_FIRST);
        break;
    case BUDGET_ERRORS:
        buf_addf(out, "--stop-on-error-rate %g%% is reached: %d of the last %d rows failed",
                 100 * b->errors.share, b->errors.failed, b->errors.count);
        break;
    }
}

const char *run_budget_name(enum budget_limit limit) {
    switch (limit) {
    case BUDGET_REQUESTS: return "max-requests";
    case BUDGET_TOKENS: return "max-tokens-total";
    case BUDGET_ERRORS: return "stop-on-error-rate";
    case BUDGET_NONE: break;
    }
    return NULL;
}
