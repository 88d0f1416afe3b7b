// Carriers: they take requests out and bring answers home, from building the one to reading the other.
//
// That is most of what a request costs; the rest, which job, which key and what follows from an answer,
// stays with the loop, so that nothing at the pool's door needs a lock. The first carrier is the loop
// thread's own and does its work in the calls below. With --threads there are more: each a thread with
// an engine of its own, to which errands go in one queue and from which they come in another.
//
// The caller (the loop thread, which owns this):
//   1. carriers_send() an errand: it belongs to a carrier until it is back;
//   2. carriers_wait() until something happened or a time has come;
//   3. carriers_next() until NULL: errands that are back, each exactly once, however it ended.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_CARRIER_H
#define RUNNER_CARRIER_H

#include "jobs/out/inflight.h"
#include "pool/answer.h"
#include "runner/crew.h"
#include "runner/plan.h"
#include "runner/queue.h"

#include <stdatomic.h>

enum errand_end {
    ERRAND_ANSWERED, // its transfer is over: see found
    ERRAND_UNSENT,   // it cannot be sent: see what
    ERRAND_STOPPED,  // carriers_stop(): whatever came of it does not count
};

// What an answer means for job and key.
struct finding {
    struct verdict verdict;
    struct announced announced; // if it announces
    bool announces;
};

// A request to be made. While it is out its carrier reads the job's request and notes and writes
// *reply, *scratch and what answer_read() fills of *result; nobody else does.
struct errand {
    // Set by the caller, constant until it is back; all borrowed.
    const struct job *job;
    const struct route *route;
    const struct secret_set *secrets; // of the run
    void *auth;                       // likewise: transfer_auth_new()
    int64_t timeout;                  // microseconds
    int64_t stall_timeout;            // microseconds; 0: any
    bool keyed;                       // carries an idempotency key
    struct buf *reply, *scratch;
    struct result *result;
    struct answer_stream *stream;

    // What came; valid when it is back.
    enum errand_end end;
    const char *what;      // UNSENT: why, static; NULL: the address is none
    struct finding *found; // ANSWERED: until the next carriers_next(); thousands may be out
    enum transfer_status status;
    int http_status;
    bool was_sent;             // something of it may have left this machine
    int64_t started, finished; // monotonic

    atomic_bool begun; // its carrier has started it and reads no more of the job

    // The carriers' own.
    struct list node;      // on its way, there or back
    struct list stop_node; // the same for its being stopped
    bool stopping;
    size_t carrier;
    struct transfer *transfer;
    bool other_path; // see struct wire_out
    int polls;       // how often its answer was asked for, where that is to come later
};

struct carrier;

struct carriers {
    struct engine *engine; // the loop's own
    struct engine_options transport;
    const struct inflight *inflight;
    struct carrier *further[CREW_MOST]; // from 1 on
    size_t under_way[CREW_MOST];
    int64_t returned; // errands that were handed out, ever
    size_t count;     // the loop's own included
    int64_t wall;     // wall clock, when the loop's engine last had a turn
    size_t most;      // that there may be
    bool is_auto;     // another one is started when the loop's thread is full
    struct crew_watch watch;
    struct queue back, stopped; // from the further ones
    struct list arrived, ended; // taken from there
    struct finding own;         // of the loop's own errand that was handed out last
    struct finding *last;       // the same of a further one's; or NULL
};

struct carriers_options {
    struct engine *engine;           // borrowed
    struct engine_options transport; // for the further ones
    const struct inflight *inflight; // borrowed; makes idempotency keys
    int64_t threads;                 // 0: as many as turn out to be of use
    size_t slots;
};

// Starts what is to run from the beginning. A thread that cannot be had is a warning.
void carriers_open(struct carriers *c, const struct carriers_options *options);

// Nothing is out. Ends the threads.
void carriers_close(struct carriers *c);

// Once a second: makes the threads as equally busy as this one's other work lets, and with --threads auto
// starts another one if this one is full.
void carriers_look(struct carriers *c, int64_t now);

void carriers_send(struct carriers *c, struct errand *e);

// Breaks it off; it comes back as STOPPED. Once for each errand, while it is out.
void carriers_stop(struct carriers *c, struct errand *e);

// As engine_wait(): whether anything happened.
bool carriers_wait(struct carriers *c, int64_t until);

// The next one that is back, or NULL.
struct errand *carriers_next(struct carriers *c);

#endif
