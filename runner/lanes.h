// Lanes: jobs that wait for a key, in one line for all that the same providers may serve with the
// same model, so that nobody waits behind a row whose model or provider is not to be had just now.
//
// Within a lane jobs keep the order they came in; of several lanes the one whose first job came
// first goes first. Loop thread.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_LANES_H
#define RUNNER_LANES_H

#include "jobs/job.h"
#include "pool/pool.h"
#include "runner/plan.h"

// Further models of the rows' own share one lane for each set of providers.
#define LANES_MAX 64

// With --affinity the next is found among so many that wait, and no row is passed over more often.
#define LANE_LOOK_AHEAD 64

struct job_lane {
    route_set routes; // who may serve it: bit i is plan->routes[i], lower ones are preferred
    struct slice
        model;         // string token, owned: the rows' own model; SLICE_NONE: each route's default
    bool mixed;        // models of all kinds
    bool dead;         // nobody can serve it any more: its jobs stay undone
    route_set resting; // routes that fall back to the next until one of their keys is ready again
    int64_t refused_since[ROUTES_MAX]; // as plan->routes: since then no row of it was answered
                                       // there, but refused; 0: it is not so
    enum pool_answer answer; // of this round; POOL_LEASED: not asked yet, or more may be had
    struct list waiting;
    size_t rows; // that were added and are not finished, wherever they are now
    struct channel *channels[ROUTES_MAX]; // as plan->routes; those of a mixed lane vary
    int passed_over;                      // how often the first job was, one after the other
    struct need need;                     // of the job with this index
    int64_t need_of;
};

struct lanes {
    const struct plan *plan;
    struct pool *pool;
    struct job_lane **list;
    size_t count;
    size_t models; // lanes that have a model of their own
};

void lanes_init(struct lanes *lanes, const struct plan *plan, struct pool *pool);
void lanes_free(struct lanes *lanes); // nobody waits any longer

// The lane a job belongs to, made on first use; NULL when nobody may serve it.
struct job_lane *lanes_for(struct lanes *lanes, const struct job *job);

// Puts a new job at the end of its lane. False: nobody may serve it.
bool lanes_add(struct lanes *lanes, struct job *job);

// A new round: every lane may be asked again.
void lanes_begin(struct lanes *lanes);

// The lane whose first job came first, of those that still may start one; NULL: none.
struct job_lane *lanes_next(const struct lanes *lanes);

// The first job, or NULL.
struct job *lane_first(const struct job_lane *lane);

// The job of a lane with jobs that is to be next: as a rule the first.
struct job *lane_choose(struct job_lane *lane);

// A job of the lane is finished or dropped.
void lane_done(const struct job *job);

// Out of the lane: it was served.
void lane_take(struct job_lane *lane, struct job *job);

// Whether any job waits; whether any does but the first of this lane.
bool lanes_wait(const struct lanes *lanes);
bool lanes_wait_beside(const struct lanes *lanes, const struct job_lane *lane);

// What a job of the lane is expected to take.
const struct need *lane_need(struct lanes *lanes, struct job_lane *lane, const struct job *job);

// Puts a job that waited before among the others, by the order they came in.
void lane_return(struct job_lane *lane, struct job *job);

// A key for a job, and whose it is.
struct grant {
    const struct route *route;
    struct lease lease;
    int64_t tokens;     // that the run's budget reserves for it
    int64_t not_before; // when to come again if there is none; TIME_NEVER: with the next release
};

// Asks the providers in order. The next one is asked when one cannot serve for longer than
// --fallback-after, or not at all, or not this row; one whose keys are merely busy is waited for. POOL_NONE: no
// provider is left; POOL_NO_MODEL: those that are left have not the model.
enum pool_answer lane_acquire(struct lanes *lanes, struct job_lane *lane, const struct job *job,
                              int64_t now, struct grant *grant);

// What came of a request for this job. A provider that has done nothing but refuse for longer than
// --fallback-after is not waited for, however short each of its pauses.
void lanes_heard(struct lanes *lanes, const struct job *job, const struct route *route,
                 enum outcome outcome, int64_t now);

#endif
