// loop.c: moves jobs through the pool: takes them from the reader, gives each a key when one is ready,
// sends it, and decides what its answer means. Runs on the loop thread, which owns pool and engine.
// SPDX-License-Identifier: MIT
#include "runner/pipeline.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "jobs/base/log.h"
#include "jobs/retry.h"
#include "pool/answer.h"
#include "pool/transfer/engine.h"
#include "runner/lanes.h"
#include "runner/rest.h"

#include <stdio.h>
#include <stdlib.h>

#define BATCH_MOST 128

// Replies up to this size need no credit of their own: their number is bounded by the jobs'.
#define BODY_SMALL (16 * 1024)

// A request in flight: what ties a transfer to its job and its key.
struct flight {
    struct list node; // in flight, or spare
    struct job *job;
    const struct route *route;
    struct lease lease;
    struct transfer *transfer;
    struct answer_stream stream;
};

struct loop {
    struct pipeline *p;
    struct engine *engine;
    struct lanes lanes;
    struct list flights, spare;
    struct list finished; // not yet handed to the writer
    size_t finished_count;
    bool held;          // replies wait to be written, too many bytes of them: nothing is started
    bool stretch;       // what credits_may_stretch() was told last
    struct heap parked; // jobs by when they may be tried again
    size_t in_flight;
    size_t alive; // jobs in this loop's hands
    int64_t now;
    struct rest rest;
    int64_t not_before; // when a key is ready again, TIME_NEVER: with the next answer
    struct retry_policy policy;
    struct random random;
};

static void finish(struct loop *l, struct job *job) {
    struct stats *stats = &l->p->stats;
    job->result.wait = l->now - job->accepted_at - job->in_attempts;
    stats_add(job->result.outcome == OUTCOME_OK ? &stats->ok : &stats->failed, 1);
    job_set_state(job, JOB_FINISHED);
    l->alive--;
    if (job->body.n > BODY_SMALL)
        l->held = credits_charge_reply(&l->p->credits, job);
    list_push(&l->finished, &job->node);
    l->finished_count++;
}

// Finished jobs go to the writer in batches, since every hand-over may switch threads; but none is
// held back while this thread sleeps.
static void hand_on(struct loop *l) {
    queue_push(&l->p->to_writer, &l->finished);
    l->finished_count = 0;
}

// The run stops before this job is done: no line, so the next run sends it.
static void drop(struct loop *l, struct job *job) {
    job_set_state(job, JOB_IDLE);
    l->alive--;
    credits_give_one(&l->p->credits, job);
}

static void accept_job(struct loop *l, struct job *job) {
    const struct request *request = &job->request;
    int64_t deadline = l->p->plan->config->deadline;
    l->alive++;
    stats_add(&l->p->stats.accepted, 1);
    job->accepted_at = l->now;
    if (deadline)
        job->not_after = l->now + deadline;
    struct job_lane *lane = lanes_for(&l->lanes, job);
    if (!lane) {
        job_fail(job, OUTCOME_NO_KEY, "no key for provider \"%.*s\"", SLICE_ARG(request->provider));
        finish(l, job);
    } else {
        list_push(&lane->waiting, &job->node);
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

static void wait_again(struct loop *l, struct job *job) {
    job_set_state(job, JOB_WAITING);
    lane_return(lanes_for(&l->lanes, job), job);
}

static void unpark(struct loop *l) {
    struct heap_node *node;
    while ((node = heap_pop_due(&l->parked, l->now)))
        wait_again(l, HEAP_ENTRY(node, struct job, timer));
}

static void fail_deadline(struct loop *l, struct job *job) {
    char last[JOB_MESSAGE_MAX];
    snprintf(last, sizeof last, "%s", job->result.message);
    job_fail(job, OUTCOME_DEADLINE, "not answered within --deadline%s%s",
             last[0] ? "; the last attempt: " : "", last);
    finish(l, job);
}

static bool build(const struct route *route, struct job *job, struct transfer *t) {
    const struct provider *provider = route->provider;
    struct wire_out out = {.path = &t->url, .body = &t->body};
    buf_add_str(&t->url, route->base_url);
    enum wire_answer answer =
        provider->wire->build_request(&job->request, provider, &route->defaults, &out);
    job->result.model_sent = out.model;
    if (answer != WIRE_OK)
        job_fail(job, OUTCOME_BAD_INPUT, "%s cannot be asked this: %s", provider->name, out.what);
    return answer == WIRE_OK;
}

static struct flight *new_flight(struct loop *l, struct job *job, const struct grant *grant) {
    struct list *node = list_pop(&l->spare);
    struct flight *f = node ? LIST_ENTRY(node, struct flight, node) : mem_zero(1, sizeof *f);
    if (!node)
        answer_stream_init(&f->stream, (size_t)l->p->plan->config->max_reply_bytes);
    f->job = job;
    f->route = grant->route;
    f->lease = grant->lease;
    list_push(&l->flights, &f->node);
    return f;
}

static void free_flight(struct flight *f) {
    answer_stream_free(&f->stream);
    free(f);
}

static void describe_attempt(struct loop *l, struct flight *f) {
    struct result *result = &f->job->result;
    result->attempts++;
    result->provider = f->route->provider->name;
    result->key = f->lease.key->entry->name;
    result->started_at = clock_wall();
    f->lease.key->counts.last_used_at = result->started_at;
    stats_add(&l->p->stats.attempts, 1);
    stats_add(&l->p->stats.in_flight, 1);
    l->in_flight++;
}

// Nothing was sent: the key is as it was, and the job says why.
static void give_up_start(struct loop *l, struct job *job, struct transfer *t,
                          struct lease *lease) {
    if (job->result.outcome == OUTCOME_NONE)
        job_fail(job, OUTCOME_BAD_INPUT, "%.*s is no address that can be sent to",
                 SLICE_ARG(buf_slice(&t->url)));
    engine_give(l->engine, t);
    pool_return(lease, l->now);
    finish(l, job);
}

static void start(struct loop *l, struct job *job, struct grant *grant) {
    struct transfer *t = engine_take(l->engine);
    struct key *key = grant->lease.key;
    bool built = build(grant->route, job, t);
    if (!key->auth)
        key->auth = transfer_auth_new(grant->route->provider->wire, key->entry->secret);
    t->auth = key->auth;
    t->reply = &job->body;
    t->timeout = l->p->plan->config->timeout;
    if (job->not_after - l->now < t->timeout)
        t->timeout = job->not_after - l->now;
    if (!built || !engine_start(l->engine, t)) {
        give_up_start(l, job, t, &grant->lease);
        return;
    }
    struct flight *f = new_flight(l, job, grant);
    f->transfer = t;
    t->owner = f;
    answer_listen(&f->stream, grant->route->provider->wire, t);
    if (grant->route->defaults.stream)
        t->stall_timeout = l->p->plan->config->stall_timeout;
    describe_attempt(l, f);
    job_set_state(job, JOB_LEASED);
    job_set_state(job, JOB_IN_FLIGHT);
}

static void drop_lane(struct loop *l, struct job_lane *lane) {
    struct list *node;
    while ((node = list_pop(&lane->waiting)))
        drop(l, LIST_ENTRY(node, struct job, node));
}

// Nobody can serve these rows any more: they stay undone, while others go on as long as there may
// be somebody for them.
static void give_up_lane(struct loop *l, struct job_lane *lane) {
    const struct plan *plan = l->p->plan;
    struct error err = {0};
    struct buf names = BUF_INIT(1024);
    bool any = false;
    for (size_t i = 0; i < plan->route_count; i++) {
        any = any || !lanes_route_is_spent(&l->lanes, i, l->now);
        if (lane->routes & 1u << i)
            buf_addf(&names, "%s%s", names.n ? ", " : "", plan->routes[i].provider->name);
    }
    if (lane->model.n)
        buf_addf(&names, " with the model %.*s", SLICE_ARG(lane->model));
    error_set(&err, ERROR_USAGE, "no usable key is left for %s", buf_cstr(&names));
    buf_free(&names);
    lane->dead = true;
    drop_lane(l, lane);
    pipeline_stop(l->p, any ? STOP_NO : STOP_DRAIN, CAUSE_NO_KEY, &err);
}

// Waiting jobs whose deadline has passed end here. They wait in the order they came, so nobody
// behind the first that is in time has an earlier one.
static void end_late(struct loop *l, struct job_lane *lane) {
    struct job *job;
    while ((job = lane_first(lane)) && job->not_after <= l->now) {
        list_remove(&job->node);
        fail_deadline(l, job);
    }
    if (job && job->not_after < l->not_before)
        l->not_before = job->not_after;
}

// No account of its providers has the model that the job wants.
static void fail_model(struct loop *l, struct job *job, const struct route *route) {
    list_remove(&job->node);
    if (job->result.outcome != OUTCOME_MODEL)
        job_fail(job, OUTCOME_MODEL, "no key of %s has this model", route->provider->name);
    finish(l, job);
}

static void start_first(struct loop *l, struct job_lane *lane) {
    struct grant grant;
    struct job *job = lane_first(lane);
    lane->answer = lane_acquire(&l->lanes, lane, l->now, &grant);
    if (lane->answer == POOL_NO_MODEL) {
        fail_model(l, job, grant.route);
        lane->answer = POOL_LEASED; // the next one may want another
    } else if (lane->answer == POOL_NONE) {
        give_up_lane(l, lane);
    } else if (lane->answer != POOL_LEASED) {
        if (grant.not_before < l->not_before)
            l->not_before = grant.not_before;
    } else {
        list_remove(&job->node);
        start(l, job, &grant);
        end_late(l, lane);
    }
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
    l->held = l->held && credits_hold(&l->p->credits);
    if (l->held)
        return;
    lanes_begin(&l->lanes);
    for (size_t i = 0; i < l->lanes.count; i++) {
        if (l->lanes.list[i]->dead)
            drop_lane(l, l->lanes.list[i]);
        end_late(l, l->lanes.list[i]);
    }
    while (pipeline_stopping(l->p) == STOP_NO && l->in_flight < l->p->plan->slots &&
           (lane = lanes_next(&l->lanes)))
        start_first(l, lane);
    let_others_in(l);
}

static void park(struct loop *l, struct job *job, int64_t until) {
    if (until >= job->not_after) {
        l->now = clock_now();
        fail_deadline(l, job);
        return;
    }
    job_set_state(job, JOB_PARKED);
    stats_add(&l->p->stats.retried, 1);
    heap_set(&l->parked, &job->timer, until);
}

// Again or done, once the key is back in the pool.
static void decide(struct loop *l, struct job *job, const struct verdict *verdict) {
    if (verdict->outcome == OUTCOME_OK) {
        job->result.outcome = OUTCOME_OK;
        finish(l, job);
        return;
    }
    snprintf(job->result.code, sizeof job->result.code, "%s", verdict->code);
    job_fail(job, verdict->outcome, "%s", verdict->message);
    struct retry_decision decision = verdict->final
                                         ? (struct retry_decision){RETRY_GIVE_UP, 0}
                                         : retry_decide(&l->policy, verdict->outcome, job->retries,
                                                        verdict->hint, l->now, &l->random);
    switch (decision.answer) {
    case RETRY_GIVE_UP: finish(l, job); break;
    case RETRY_OTHER: wait_again(l, job); break;
    case RETRY_LATER:
        job->retries++;
        park(l, job, decision.again_at);
        break;
    }
}

// announced: NULL when the answer told no limits.
static void release_key(struct loop *l, struct flight *f, const struct verdict *verdict,
                        const struct announced *announced) {
    struct stats *stats = &l->p->stats;
    struct pool_report report = {.verdict = verdict,
                                 .usage = f->job->result.reply.usage,
                                 .latency = f->job->result.latency,
                                 .announced = announced};
    if (verdict->outcome == OUTCOME_RATE_LIMITED)
        stats_add(&stats->rate_limited, 1);
    if (verdict->outcome == OUTCOME_OK) {
        stats_add_usage(stats, &report.usage);
        histogram_add(&stats->latency, report.latency);
        if (f->job->result.ttft)
            histogram_add(&stats->ttft, f->job->result.ttft);
    }
    pool_release(l->p->pool, &f->lease, &report, l->now);
    stats_add(&stats->in_flight, -1);
    l->in_flight--;
    list_remove(&f->node);
    list_push(&l->spare, &f->node);
}

static void settle(struct loop *l, struct transfer *t) {
    struct flight *f = t->owner;
    struct job *job = f->job;
    struct verdict verdict;
    struct answer_context context = {.provider = f->route->provider,
                                     .secret = f->lease.key->entry->secret,
                                     .scratch = &job->scratch,
                                     .stream = &f->stream,
                                     .now_wall = clock_wall()};
    answer_read(t, &context, &job->result, &verdict);
    job->result.latency = t->finished - t->started;
    job->in_attempts += job->result.latency;
    if (log_wants(LOG_DEBUG))
        log_debug("job %.*s (line %lld) %s try %d: HTTP %d in %lld ms: %s %s", SLICE_ARG(job->id),
                  (long long)job->line_no, job->result.key, job->result.attempts, t->http_status,
                  (long long)(job->result.latency / USEC_PER_MS), outcome_name(verdict.outcome),
                  verdict.message);
    struct announced announced;
    bool tells = answer_limits(t, &context, &announced);
    engine_give(l->engine, t);
    release_key(l, f, &verdict, tells ? &announced : NULL);
    if (verdict.outcome != OUTCOME_OK && job->not_after <= l->now) {
        job_fail(job, verdict.outcome, "%s", verdict.message);
        fail_deadline(l, job);
    } else {
        decide(l, job, &verdict);
    }
}

// Everything that is not in flight goes back unsent.
static void drop_waiting(struct loop *l) {
    struct heap_node *parked;
    for (size_t i = 0; i < l->lanes.count; i++)
        drop_lane(l, l->lanes.list[i]);
    while ((parked = heap_pop_due(&l->parked, TIME_NEVER)))
        drop(l, HEAP_ENTRY(parked, struct job, timer));
}

static void break_off(struct loop *l) {
    static const struct verdict broken = {.outcome = OUTCOME_NETWORK, .hint = -1};
    while (!list_is_empty(&l->flights)) {
        struct flight *f = LIST_ENTRY(l->flights.next, struct flight, node);
        struct job *job = f->job;
        engine_cancel(l->engine, f->transfer);
        engine_give(l->engine, f->transfer);
        release_key(l, f, &broken, NULL);
        drop(l, job);
    }
}

// True when the loop's work is over.
static bool is_over(struct loop *l, bool more) {
    enum stop_mode stop = pipeline_stopping(l->p);
    if (stop == STOP_NO)
        return !more && l->alive == 0;
    drop_waiting(l);
    if (stop == STOP_ABORT)
        break_off(l);
    return !more && l->in_flight == 0;
}

static int64_t next_time(const struct loop *l) {
    struct heap_node *parked = heap_first(&l->parked);
    return parked && parked->due < l->not_before ? parked->due : l->not_before;
}

// Looks without sleeping first, if there is something to hand on that may wait for more.
static void wait_for_events(struct loop *l) {
    if (l->finished_count >= BATCH_MOST)
        hand_on(l);
    if (l->finished_count && engine_wait(l->engine, 0))
        return;
    hand_on(l);
    engine_wait(l->engine, rest_wake_at(&l->rest, l->in_flight == 0, l->now, next_time(l)));
}

static void loop_run(struct loop *l) {
    struct transfer *t;
    for (;;) {
        pool_tell_time(l->p->pool, l->now, clock_wall());
        bool more = take_new(l);
        unpark(l);
        start_ready(l);
        if (is_over(l, more))
            return;
        wait_for_events(l);
        l->now = clock_now();
        // all keys come back before the next jobs start, so that the rotation sees them all
        while ((t = engine_next_done(l->engine)))
            settle(l, t);
    }
}

static void free_loop(struct loop *l) {
    struct list *node;
    while ((node = list_pop(&l->spare)))
        free_flight(LIST_ENTRY(node, struct flight, node));
    lanes_free(&l->lanes);
    heap_free(&l->parked);
    for (size_t i = 0; i < pool_key_count(l->p->pool); i++) {
        struct key *key = pool_key_mutable(l->p->pool, i);
        transfer_auth_free(key->auth);
        key->auth = NULL;
    }
}

void *loop_main(void *pipeline) {
    struct pipeline *p = pipeline;
    struct loop l = {.p = p, .engine = p->engine, .now = clock_now(), .not_before = TIME_NEVER};
    l.policy = RETRY_DEFAULT;
    l.policy.max_retries = (int)p->plan->config->max_retries;
    l.random.state = random_seed();
    list_init(&l.flights);
    list_init(&l.spare);
    list_init(&l.finished);
    lanes_init(&l.lanes, p->plan, p->pool);
    loop_run(&l);
    hand_on(&l);
    free_loop(&l);
    queue_close(&p->to_writer);
    return NULL;
}
