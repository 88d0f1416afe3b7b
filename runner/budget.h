// What a run may spend: requests and tokens, each with what is in flight reserved.
//
// The caller: run_budget_estimate() a row, ask run_budget_may(); run_budget_start() once its request
// is sent, run_budget_settle() with what it took. Then requests never exceed their most, and tokens
// don't as long as no request takes more than was estimated. Pure; loop thread.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_BUDGET_H
#define RUNNER_BUDGET_H

#include "jobs/base/buf.h"
#include "jobs/reply.h"
#include "pool/pool.h"
#include "runner/error_rate.h"

enum budget_limit { BUDGET_NONE, BUDGET_REQUESTS, BUDGET_TOKENS, BUDGET_ERRORS };

struct run_budget {
    int64_t max_requests; // 0: no such limit
    int64_t max_tokens;   // 0: no such limit
    struct error_rate errors;
    int64_t requests;    // made
    int64_t in_flight;   // of them
    int64_t tokens;      // taken by those that ended
    int64_t reserved;    // tokens, for those in flight
    bool heard;          // a provider has told what a request took
    double worst;        // input tokens told, by those estimated: the largest such ratio
    int64_t longest;     // answer so far, in tokens
    int64_t passed_over; // rows in a row that did not fit
    bool over;           // nothing may start any more
    enum budget_limit
        reached; // what leaves rows undone: the first such limit, or what made it over
};

enum budget_answer {
    BUDGET_GO,
    BUDGET_WAIT, // what is in flight may turn out to take less than was reserved
    BUDGET_PASS, // this row is too large for what is left; another may not be
    BUDGET_STOP, // nothing may start any more
};

// Rows in a row that may be passed over before tokens count as used up.
#define BUDGET_PASS_MOST 100

// The tokens that are reserved for a request. Until a provider has told what one took, every byte
// counts as a token; afterwards the estimate of `need` is raised by the worst that was seen. A row
// that sets no bound to its answer is expected to get one twice as long as the longest so far.
int64_t run_budget_estimate(const struct run_budget *b, const struct need *need);

// Whether a request for which so many tokens are reserved may start now.
enum budget_answer run_budget_may(struct run_budget *b, int64_t estimate);

// Whether it could, without a word on what follows if it cannot.
bool run_budget_has_room(const struct run_budget *b, int64_t estimate);

void run_budget_start(struct run_budget *b, int64_t estimate);

// The request was not sent after all.
void run_budget_take_back(struct run_budget *b, int64_t estimate);

// A request is over. input_estimate: as `need` had it. usage: what the provider told. What it did not
// tell counts by how the request ended.
void run_budget_settle(struct run_budget *b, int64_t estimate, int64_t input_estimate,
                       const struct usage *usage, enum request_end end);

// A row is done for good; bad rows do not count. True when that makes too many failures, once.
bool run_budget_note(struct run_budget *b, bool failed);

// Appends what was reached and what was spent: "--max-requests 100 is reached: 100 requests made".
void run_budget_describe(const struct run_budget *b, struct buf *out);

// The option's name without its dashes, for the summary.
const char *run_budget_name(enum budget_limit limit);

#endif
