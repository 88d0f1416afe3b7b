// What the loop thread works with, shared by its two halves: loop.c says which job may start and when
// the work is over, attempt.c makes one request of a job and decides what its answer means,
// copies.c has some of them made twice.
//
//   loop.c: queue, lanes ──key──▶ attempt_start() ──▶ carriers ──▶ attempt_settle() ──▶ loop_finish(),
//   loop_wait_again(), or parked
//
// Loop thread only, but for what a carrier does with an errand (runner/carrier.h).
// SPDX-License-Identifier: MIT
#ifndef RUNNER_LOOP_H
#define RUNNER_LOOP_H

#include "jobs/retry.h"
#include "runner/carrier.h"
#include "runner/hedge.h"
#include "runner/lanes.h"
#include "runner/pipeline.h"
#include "runner/rest.h"
#include "runner/standstill.h"

// Where the answer to a copy goes, since the other request's goes to the job.
struct aside {
    struct result result;
    struct buf body, scratch;
};

// A request in flight: what ties an errand to its job and its key.
struct flight {
    struct list node; // in flight, or spare
    struct job *job;
    struct lease lease;
    int64_t tokens; // that the budget reserves for it
    struct errand errand;
    struct flight *twin;   // the other request for the same job that is out too, or NULL
    struct flight *winner; // the same, answered, and waiting for this one to be stopped; or NULL
    bool is_copy;          // sent while another was out
    int64_t since;         // of a copy: when the first one was started, monotonic
    int64_t started_at;    // wall clock
    const char *provider_before, *key_before; // what the result named before, and when, should this
    int64_t started_at_before;                // one turn out not to be sent
    struct aside *aside;                      // NULL until it is a copy
    struct answer_stream stream;
};

struct loop {
    struct pipeline *p;
    struct carriers carriers;
    struct lanes lanes;
    struct list flights, spare;
    struct list finished; // not yet handed to the writer
    size_t finished_count;
    bool held;          // replies wait to be written, too many bytes of them: nothing is started
    bool stretch;       // what credits_may_stretch() was told last
    struct heap parked; // jobs by when they may be tried again
    size_t in_flight;
    size_t slots_kept; // by finished jobs, so far; p->slots_freed of them are free again
    bool starved;      // nothing was started for want of a slot that waits for the writer
    size_t alive;      // jobs in this loop's hands
    int64_t now;
    int64_t wall; // wall clock, when this turn began
    struct rest rest;
    struct standstill standstill;
    int64_t not_before; // when a key is ready again, TIME_NEVER: with the next answer
    struct hedge hedge;
    int64_t memory_due; // when what the pool knows is to be saved
    int64_t hedge_due;  // when copies_send() wants to be called again
    struct retry_policy policy;
    struct random random;
};

// The job is ok or has failed for good, and gets its line. It is in no list.
void loop_finish(struct loop *l, struct job *job);

// The run stops before this job is done: no line, so the next run sends it.
void loop_drop(struct loop *l, struct job *job);

// Back among those that wait for a key.
void loop_wait_again(struct job *job);

// Out of every list, until then.
void loop_park(struct loop *l, struct job *job, int64_t until);

// Its --deadline has passed.
void loop_fail_deadline(struct loop *l, struct job *job);

// Sends the job, which is in no list, with the key that was granted.
void attempt_start(struct loop *l, struct job *job, struct grant *grant);

// Sends the job of a request that is out once more, with the key that was granted. Whichever answers
// first breaks off the other; a failure waits for the other.
void attempt_copy(struct loop *l, struct flight *first, struct grant *grant);

// What came of an errand that is back.
void attempt_settle(struct loop *l, struct errand *e);

// Breaks off all that is in flight; it is over once every errand is back.
void attempt_break_off(struct loop *l);

void attempt_free(struct flight *f);

// Sends copies of requests that take long, once the end of the run is near. Returns when to call it
// again, TIME_NEVER: after the next event.
int64_t copies_send(struct loop *l);

#endif
