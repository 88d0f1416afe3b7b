// What the files of an answer share: the request on its way, and how it is refused.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_SIMULATE_ANSWER_PARTS_H
#define RUNNER_SIMULATE_ANSWER_PARTS_H

#include "runner/simulate/answer.h"
#include "runner/simulate/route.h"

#define ANSWER_JSON "application/json"

// One request on its way to an answer.
struct task {
    struct answerer *a;
    const struct ask *ask;
    int64_t now;
    struct answer *answer;
    struct buf *out;
    struct route route;
    struct slice secret; // of the client's key
    struct wire_request request;
    uint64_t body_hash;
    uint64_t idempotency; // hash of the request's Idempotency-Key; 0: it has none, or none counts
    bool is_replay;
};

// An error in the dialect's words; message: plain text instead of them, or NULL.
void answer_problem(struct task *t, enum problem problem, const char *message);

// The client's key is not accepted, or there is none.
void answer_bad_key(struct task *t);

// A limit, real or made up, in the dialect's words, with the wait the client is told.
void answer_refusal(struct task *t, const struct refusal *refusal);

// What befalls the answer in t->out, or stands in place of it.
void answer_fault(struct task *t, enum fault fault);

#endif
