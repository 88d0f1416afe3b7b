// The pipeline: reader thread ──▶ loop thread ──▶ writer thread, and the main thread that watches.
//
//   row ──credit──▶ to_loop ──▶ pool, wire, transfer ──▶ to_writer ──▶ line ──credit back──▶ row
//
// A thread sleeps in three places only: the reader for credits (or a pipe), the loop for events, the
// writer for results. With --threads the loop has helpers, which sleep for events too
// (runner/carrier.h). No thread ever holds two locks.
//
// Stopping goes one step further with every signal, and never back:
//   STOP_NO     everything goes on
//   STOP_DRAIN  no new input and no new requests; what is in flight finishes and is written
//   STOP_ABORT  what is in flight is broken off; what is finished is written
// and once more ends the process where it stands: an output that takes nothing cannot hold it.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_PIPELINE_H
#define RUNNER_PIPELINE_H

#include "jobs/in/source.h"
#include "jobs/out/output.h"
#include "pool/memory.h"
#include "pool/pool.h"
#include "pool/transfer/engine.h"
#include "runner/budget.h"
#include "runner/credits.h"
#include "runner/plan.h"
#include "runner/queue.h"
#include "runner/reasons.h"
#include "runner/run_settings.h"
#include "runner/stats.h"
#include "runner/why.h"

#include <stdatomic.h>

enum stop_mode { STOP_NO, STOP_DRAIN, STOP_ABORT };

// Why a run ended before its last row, if it did.
enum stop_cause {
    CAUSE_NONE,
    CAUSE_SIGNAL,
    CAUSE_NO_KEY, // no usable key left
    CAUSE_OUTAGE, // a provider failed for longer than --outage-patience
    CAUSE_BUDGET, // what the run may spend is spent, or too many rows failed: see budget.reached
    CAUSE_INPUT,  // the input could not be read further, or --strict met a bad row
    CAUSE_OUTPUT, // the results could not be written
};

struct pipeline {
    const struct plan *plan;
    struct pool *pool;
    struct memory *memory; // the loop's, once it runs; NULL: nothing is remembered
    struct source *source;
    struct output *output;
    struct run_settings settings;    // what all rows ask for
    struct secret_set *secrets;      // all there are, to be masked in what comes back
    struct engine_options transport; // how requests are sent
    struct engine *engine;           // the loop's, once it runs
    struct stats stats; // rows, skipped and bad_rows counted by the reader, the rest by the loop
    struct run_budget budget; // the loop's; read after the joins
    struct reasons reasons;   // the loop's; likewise
    struct reasons bad_rows;  // the reader's; likewise

    struct why why; // what the loop waits for

    struct credits credits;
    struct queue to_loop;
    struct queue to_writer;
    int loop_fd;   // wakes the loop
    int reader_fd; // wakes a reader that waits for a pipe
    int done_fd;   // wakes the main thread: the writer has ended

    atomic_size_t slots_freed; // jobs with pipeline_keeps_slot() that the writer has written
    atomic_bool slot_wanted;   // the loop waits for the next of them

    int64_t elapsed;             // microseconds the run took
    _Atomic int64_t count_until; // monotonic: a reader that counts what is left ends then
    atomic_bool input_ended;     // the reader has seen the last row
    atomic_int stop;             // enum stop_mode
    atomic_int cause;            // enum stop_cause, the first one
    struct error err; // of that cause; written by the thread that sets it, read after the joins
};

// Opens source and output and allocates the rest. False with err filled: nothing was sent.
bool pipeline_open(struct pipeline *p, const struct plan *plan, struct error *err);

// Runs it to its end. Takes SIGINT and SIGTERM meanwhile, and SIGHUP unless it is ignored (nohup).
// Returns the exit code of contract section 7; what went wrong was said.
int pipeline_run(struct pipeline *p);

void pipeline_close(struct pipeline *p);

// Any thread: go at least as far as mode, for this cause. err is NULL or says what happened. STOP_NO
// notes the cause and lets the run go on.
void pipeline_stop(struct pipeline *p, enum stop_mode mode, enum stop_cause cause,
                   const struct error *err);

static inline enum stop_mode pipeline_stopping(struct pipeline *p) {
    return (enum stop_mode)atomic_load_explicit(&p->stop, memory_order_acquire);
}

// Whether a finished job keeps its slot until its line is written. So a kill can repeat no more calls
// than there are slots: answered ones that are not written yet are among them. Quick answers, which only
// a server close by gives, do not: waiting for the writer would cost a share of their time.
static inline bool pipeline_keeps_slot(const struct job *job) {
    return job->result.attempts && job->result.latency >= 50 * USEC_PER_MS;
}

// The threads; each takes the pipeline and returns NULL.
void *reader_main(void *pipeline);
void *loop_main(void *pipeline);
void *writer_main(void *pipeline);

// Options of the input as source_open() wants them.
struct source_options pipeline_source_options(const struct plan *plan, int wake_fd);

// The same of the results, for output_open(); jobs_most: see there.
struct output_options pipeline_output_options(const struct plan *plan, const struct source *source,
                                              size_t jobs_most);

#endif
