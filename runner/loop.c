// loop.c: moves jobs through the pool: takes them from the reader, lets each start when a key is ready
// for it, and hands on those that are finished. Runs on the loop thread, which owns pool and engine.
// SPDX-License-Identifier: MIT
#include "runner/loop.h"

#include "jobs/base/clock.h"
#include "jobs/base/log.h"
#include "jobs/base/random.h"
#include "pool/outage.h"
#include "pool/transfer/blocks.h"
#include "runner/failures.h"

#include <stdio.h>

#define BATCH_MOST 128

// Thousands of connections are begun in several turns: what libcurl needs while one is made is free again
// for the next.
#define STARTS_MOST 32

// Replies up to this size need no credit of their own: their number is bounded by the jobs'.
#define BODY_SMALL (16 * 1024)

static void stop_spending(struct loop *l) {
    struct buf what = BUF_INIT(1024);
    run_budget_describe(&l->p->budget, &what);
    if (l->in_flight)
        log_warn("%s; waiting for %zu request%s in flight", buf_cstr(&what), l->in_flight,
                 l->in_flight == 1 ? "" : "s");
    buf_free(&what);
    pipeline_stop(l->p, STOP_DRAIN, CAUSE_BUDGET, NULL);
}

// Rows that are no good say nothing about the providers.
static void note_end(struct loop *l, const struct job *job) {
    enum outcome outcome = job->result.outcome;
    if (outcome != OUTCOME_BAD_INPUT && run_budget_note(&l->p->budget, outcome != OUTCOME_OK))
        stop_spending(l);
}

void loop_finish(struct loop *l, struct job *job) {
    struct stats *stats = &l->p->stats;
    job->result.wait = l->now - job->accepted_at - job->in_attempts;
    stats_add(job->result.outcome == OUTCOME_OK ? &stats->ok : &stats->failed, 1);
    job_set_state(job, JOB_FINISHED);
    l->alive--;
    lane_done(job);
    if (job->result.outcome != OUTCOME_OK)
        reasons_add_row(&l->p->reasons, job);
    note_end(l, job);
    if (job->body.n > BODY_SMALL)
        l->held = credits_charge_reply(&l->p->credits, job);
    l->slots_kept += pipeline_keeps_slot(job);
    list_push(&l->finished, &job->node);
    l->finished_count++;
}

// Finished jobs go to the writer in batches, since every hand-over may switch threads; but none is
// held back while this thread sleeps.
static void hand_on(struct loop *l) {
    queue_push(&l->p->to_writer, &l->finished);
    l->finished_count = 0;
}

// It gets no line, but goes by the writer all the same: ordered results may wait for it.
void loop_drop(struct loop *l, struct job *job) {
    job->result.outcome = OUTCOME_NONE;
    job_set_state(job, JOB_FINISHED);
    l->alive--;
    lane_done(job);
    list_push(&l->finished, &job->node);
    l->finished_count++;
}

static void accept_job(struct loop *l, struct job *job) {
    const struct request *request = &job->request;
    int64_t deadline = l->p->plan->config->deadline;
    l->alive++;
    stats_add(&l->p->stats.accepted, 1);
    job->accepted_at = l->now;
    if (deadline)
        job->not_after = l->now + deadline;
    if (!lanes_add(&l->lanes, job)) {
        job_fail(job, OUTCOME_NO_KEY, "no key for provider \"%.*s\"", SLICE_ARG(request->provider));
        loop_finish(l, job);
    }
}

// False when no more will come.
static bool take_new(struct loop *l) {
    struct list fresh, *node;
    list_init(&fresh);
    bool more = queue_take(&l->p->to_loop, &fresh);
    while ((node = list_pop(&fresh)))
        accept_job(l, LIST_ENTRY(node, struct job, node));
    return more;
}

void loop_wait_again(struct job *job) {
    job_set_state(job, JOB_WAITING);
    lane_return(job->lane, job);
}

void loop_park(struct loop *l, struct job *job, int64_t until) {
    job_set_state(job, JOB_PARKED);
    heap_set(&l->parked, &job->timer, until < job->not_after ? until : job->not_after);
}

static void unpark(struct loop *l) {
    struct heap_node *node;
    while ((node = heap_pop_due(&l->parked, l->now)))
        loop_wait_again(HEAP_ENTRY(node, struct job, timer));
}

void loop_fail_deadline(struct loop *l, struct job *job) {
    char last[JOB_MESSAGE_MAX];
    snprintf(last, sizeof last, "%s", job->result.message);
    job_fail(job, OUTCOME_DEADLINE, "not answered within --deadline%s%s",
             last[0] ? "; the last attempt: " : "", last);
    loop_finish(l, job);
}

static void drop_lane(struct loop *l, struct job_lane *lane) {
    struct list *node;
    while ((node = list_pop(&lane->waiting)))
        loop_drop(l, LIST_ENTRY(node, struct job, node));
}

// Nobody can serve these rows any more: they stay undone, while others go on as long as there may
// be somebody for them.
static void give_up_lane(struct loop *l, struct job_lane *lane) {
    const struct plan *plan = l->p->plan;
    struct error err = {0};
    struct buf names = BUF_INIT(1024);
    bool any = false;
    for (size_t i = 0; i < plan->route_count; i++) {
        any = any || (!pool_is_spent(l->p->pool, plan->routes[i].provider, l->now) &&
                      !pool_has_given_up(l->p->pool, plan->routes[i].provider));
        if (lane->routes & ROUTE_BIT(i))
            buf_addf(&names, "%s%s", names.n ? ", " : "", plan->routes[i].provider->name);
    }
    if (lane->model.n)
        buf_addf(&names, " with the model %.*s", SLICE_ARG(lane->model));
    struct buf why = BUF_INIT(4096);
    bool outage = failures_describe(l, lane, &why);
    if (outage)
        error_set(&err, ERROR_USAGE, "%s", buf_cstr(&why));
    else
        error_set(&err, ERROR_USAGE, "no usable key is left for %s", buf_cstr(&names));
    buf_free(&why);
    buf_free(&names);
    lane->dead = true;
    drop_lane(l, lane);
    pipeline_stop(l->p, any ? STOP_NO : STOP_DRAIN, outage ? CAUSE_OUTAGE : CAUSE_NO_KEY, &err);
}

// Waiting jobs whose deadline has passed end here. They wait in the order they came, so nobody
// behind the first that is in time has an earlier one.
static void end_late(struct loop *l, struct job_lane *lane) {
    struct job *job;
    while ((job = lane_first(lane)) && job->not_after <= l->now) {
        list_remove(&job->node);
        loop_fail_deadline(l, job);
    }
    if (job && job->not_after < l->not_before)
        l->not_before = job->not_after;
}

// No account of its providers has the model that the job wants.
static void fail_model(struct loop *l, struct job *job, const struct route *route) {
    list_remove(&job->node);
    if (job->result.outcome != OUTCOME_MODEL)
        job_fail(job, OUTCOME_MODEL, "no key of %s has this model", route->provider->name);
    loop_finish(l, job);
}

// The row stays undone; a smaller one may still fit into the budget.
static void pass_over(struct loop *l, struct job *job) {
    list_remove(&job->node);
    loop_drop(l, job);
    pipeline_stop(l->p, STOP_NO, CAUSE_BUDGET, NULL);
}

static bool may_spend(struct loop *l, struct job_lane *lane, struct job *job, int64_t *tokens) {
    struct run_budget *budget = &l->p->budget;
    *tokens = run_budget_estimate(budget, lane_need(&l->lanes, lane, job));
    switch (run_budget_may(budget, *tokens)) {
    case BUDGET_GO: return true;
    case BUDGET_WAIT: lane->answer = POOL_BUSY; break;
    case BUDGET_PASS: pass_over(l, job); break;
    case BUDGET_STOP: stop_spending(l); break;
    }
    return false;
}

// Keys that refused this row serve others: it is the row.
static void fail_refused(struct loop *l, struct job *job) {
    list_remove(&job->node);
    job->result.outcome = job->refused.fails_as;
    loop_finish(l, job);
}

static void start_first(struct loop *l, struct job_lane *lane) {
    struct grant grant;
    struct job *job = lane_choose(lane);
    int64_t tokens;
    if (job->refused.count && pool_blames_row(&job->refused, lanes_wait_beside(&l->lanes, lane))) {
        fail_refused(l, job);
        return;
    }
    if (!may_spend(l, lane, job, &tokens))
        return;
    lane->answer = lane_acquire(&l->lanes, lane, job, l->now, &grant);
    if (lane->answer == POOL_NO_MODEL) {
        fail_model(l, job, grant.route);
        lane->answer = POOL_LEASED; // the next one may want another
    } else if (lane->answer == POOL_ROW_LATER) {
        list_remove(&job->node);
        loop_park(l, job, grant.not_before);
        lane->answer = POOL_LEASED; // another row may go
    } else if (lane->answer == POOL_NONE) {
        give_up_lane(l, lane);
    } else if (lane->answer != POOL_LEASED) {
        if (grant.not_before < l->not_before)
            l->not_before = grant.not_before;
    } else {
        lane_take(lane, job);
        grant.tokens = tokens;
        attempt_start(l, job, &grant);
        end_late(l, lane);
    }
}

// Requests in flight, and those whose answers are not written yet.
static size_t slots_taken(const struct loop *l) {
    return l->in_flight + (l->slots_kept - atomic_load(&l->p->slots_freed));
}

// Once slot_wanted is set the writer wakes this thread; it may just have been there.
static bool has_slot(struct loop *l) {
    size_t slots = l->p->plan->slots;
    l->starved = false;
    if (l->in_flight >= slots || slots_taken(l) < slots)
        return l->in_flight < slots;
    atomic_store(&l->p->slot_wanted, true);
    l->starved = slots_taken(l) >= slots;
    return !l->starved;
}

// Rows that rest may hold all credits while those behind them could be served by others.
static void let_others_in(struct loop *l) {
    bool resting = false, busy = l->in_flight >= l->p->plan->slots;
    for (size_t i = 0; i < l->lanes.count; i++) {
        const struct job_lane *lane = l->lanes.list[i];
        resting = resting || (lane_first(lane) && lane->answer == POOL_LATER);
        busy = busy || (lane_first(lane) && lane->answer == POOL_BUSY);
    }
    bool stretch = resting && !busy && l->p->plan->route_count > 1;
    if (stretch != l->stretch)
        credits_may_stretch(&l->p->credits, stretch);
    l->stretch = stretch;
}

static void start_ready(struct loop *l) {
    struct job_lane *lane;
    l->not_before = TIME_NEVER;
    l->starved = false;
    l->held = l->held && credits_hold(&l->p->credits);
    if (l->held)
        return;
    lanes_begin(&l->lanes);
    for (size_t i = 0; i < l->lanes.count; i++) {
        if (l->lanes.list[i]->dead)
            drop_lane(l, l->lanes.list[i]);
        end_late(l, l->lanes.list[i]);
    }
    size_t most = l->in_flight + STARTS_MOST;
    while (pipeline_stopping(l->p) == STOP_NO && (lane = lanes_next(&l->lanes)) && has_slot(l)) {
        if (l->in_flight >= most) {
            l->not_before = l->now; // at once, when events were looked for
            break;
        }
        start_first(l, lane);
    }
    let_others_in(l);
}

// Everything that is not in flight goes back unsent.
static void drop_waiting(struct loop *l) {
    struct heap_node *parked;
    for (size_t i = 0; i < l->lanes.count; i++)
        drop_lane(l, l->lanes.list[i]);
    while ((parked = heap_pop_due(&l->parked, TIME_NEVER)))
        loop_drop(l, HEAP_ENTRY(parked, struct job, timer));
}

// True when the loop's work is over.
static bool is_over(struct loop *l, bool more) {
    enum stop_mode stop = pipeline_stopping(l->p);
    if (stop == STOP_NO)
        return !more && l->alive == 0;
    drop_waiting(l);
    if (stop == STOP_ABORT)
        attempt_break_off(l);
    return !more && l->in_flight == 0;
}

static int64_t next_time(const struct loop *l) {
    struct heap_node *parked = heap_first(&l->parked);
    int64_t next = l->not_before < l->hedge_due ? l->not_before : l->hedge_due;
    return parked && parked->due < next ? parked->due : next;
}

// Looks without sleeping first, if there is something to hand on that may wait for more.
static void wait_for_events(struct loop *l) {
    if (l->finished_count >= BATCH_MOST || l->starved)
        hand_on(l);
    if (l->finished_count && carriers_wait(&l->carriers, 0))
        return;
    hand_on(l);
    int64_t until = rest_wake_at(&l->rest, l->in_flight == 0, l->now, next_time(l));
    carriers_wait(&l->carriers, until < l->memory_due ? until : l->memory_due);
}

static void loop_run(struct loop *l) {
    struct errand *e;
    for (;;) {
        l->wall = clock_wall();
        pool_tell_time(l->p->pool, l->now, l->wall);
        l->memory_due = memory_turn(l->p->memory, l->now, l->wall);
        bool more = take_new(l);
        unpark(l);
        start_ready(l);
        if (is_over(l, more))
            return;
        l->hedge_due = more || pipeline_stopping(l->p) != STOP_NO ? TIME_NEVER : copies_send(l);
        standstill_look(&l->standstill, l);
        wait_for_events(l);
        l->now = clock_now();
        // all keys come back before the next jobs start, so that the rotation sees them all
        while ((e = carriers_next(&l->carriers)))
            attempt_settle(l, e);
        carriers_look(&l->carriers, l->now);
    }
}

static void free_loop(struct loop *l) {
    struct list *node;
    carriers_close(&l->carriers);
    while ((node = list_pop(&l->spare)))
        attempt_free(LIST_ENTRY(node, struct flight, node));
    lanes_free(&l->lanes);
    standstill_free(&l->standstill);
    heap_free(&l->parked);
    for (size_t i = 0; i < pool_key_count(l->p->pool); i++) {
        struct key *key = pool_key_mutable(l->p->pool, i);
        transfer_auth_free(key->auth);
        key->auth = NULL;
    }
}

static void open_carriers(struct loop *l) {
    const struct pipeline *p = l->p;
    struct carriers_options options = {.engine = p->engine,
                                       .transport = p->transport,
                                       .inflight = output_inflight(p->output),
                                       .threads = p->plan->config->threads,
                                       .slots = p->plan->slots};
    carriers_open(&l->carriers, &options);
}

void *loop_main(void *pipeline) {
    struct pipeline *p = pipeline;
    struct loop l = {.p = p, .now = clock_now(), .not_before = TIME_NEVER};
    l.policy = RETRY_DEFAULT;
    l.policy.max_retries = (int)p->plan->config->max_retries;
    l.random.state = random_seed();
    l.hedge.share = p->plan->config->hedge;
    list_init(&l.flights);
    list_init(&l.spare);
    list_init(&l.finished);
    lanes_init(&l.lanes, p->plan, p->pool);
    standstill_init(&l.standstill, p->plan);
    blocks_keep(true);
    open_carriers(&l);
    loop_run(&l);
    hand_on(&l);
    free_loop(&l);
    blocks_keep(false);
    queue_close(&p->to_writer);
    return NULL;
}
