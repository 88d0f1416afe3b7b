// attempt.c: one request of a job, from the key it was given to what its answer means. Loop thread.
// SPDX-License-Identifier: MIT
#include "runner/loop.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "jobs/base/log.h"

#include <stdio.h>
#include <stdlib.h>

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
    f->tokens = grant->tokens;
    list_push(&l->flights, &f->node);
    return f;
}

void attempt_free(struct flight *f) {
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
    run_budget_start(&l->p->budget, f->tokens);
}

// Nothing was sent: the key is as it was, and the job says why.
static void give_up_start(struct loop *l, struct job *job, struct transfer *t,
                          struct lease *lease) {
    if (job->result.outcome == OUTCOME_NONE)
        job_fail(job, OUTCOME_BAD_INPUT, "%.*s is no address that can be sent to",
                 SLICE_ARG(buf_slice(&t->url)));
    engine_give(l->engine, t);
    pool_return(lease, l->now);
    loop_finish(l, job);
}

void attempt_start(struct loop *l, struct job *job, struct grant *grant) {
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

static void park(struct loop *l, struct job *job, int64_t until) {
    if (until >= job->not_after) {
        l->now = clock_now();
        loop_fail_deadline(l, job);
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
        loop_finish(l, job);
        return;
    }
    snprintf(job->result.code, sizeof job->result.code, "%s", verdict->code);
    job_fail(job, verdict->outcome, "%s", verdict->message);
    struct retry_decision decision = verdict->final
                                         ? (struct retry_decision){RETRY_GIVE_UP, 0}
                                         : retry_decide(&l->policy, verdict->outcome, job->retries,
                                                        verdict->hint, l->now, &l->random);
    switch (decision.answer) {
    case RETRY_GIVE_UP: loop_finish(l, job); break;
    case RETRY_OTHER: loop_wait_again(l, job); break;
    case RETRY_LATER:
        job->retries++;
        park(l, job, decision.again_at);
        break;
    }
}

// What the job's result knows is filled in here.
static void release_key(struct loop *l, struct flight *f, struct pool_report *report) {
    struct stats *stats = &l->p->stats;
    const struct result *result = &f->job->result;
    report->usage = result->reply.usage;
    report->latency = result->latency;
    if (report->verdict->outcome == OUTCOME_RATE_LIMITED)
        stats_add(&stats->rate_limited, 1);
    if (report->verdict->outcome == OUTCOME_OK) {
        stats_add_usage(stats, &report->usage);
        histogram_add(&stats->latency, report->latency);
        if (result->ttft)
            histogram_add(&stats->ttft, result->ttft);
    }
    pool_release(&f->lease, report, l->now);
    stats_add(&stats->in_flight, -1);
    l->in_flight--;
    list_remove(&f->node);
    list_push(&l->spare, &f->node);
}

// What the run's budget is told: an answer that did not come whole may have been paid, a request that
// was refused or never sent was not.
static struct usage usage_paid(const struct transfer *t, const struct result *result) {
    bool refused = t->status == TRANSFER_ANSWERED && (t->http_status < 200 || t->http_status > 299);
    return refused || !transfer_was_sent(t) ? USAGE_NOTHING : result->reply.usage;
}

static void settle_budget(struct loop *l, struct flight *f, struct usage usage) {
    run_budget_settle(&l->p->budget, f->tokens, f->lease.charge.spend.input_tokens, &usage);
}

// It had less time than any request should have: its job's deadline came first.
static bool is_cut_short(const struct loop *l, const struct transfer *t) {
    return t->status == TRANSFER_TIMEOUT && t->timeout < l->p->plan->config->timeout;
}

void attempt_settle(struct loop *l, struct transfer *t) {
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
    struct pool_report report = {.verdict = &verdict, .is_cut_short = is_cut_short(l, t)};
    if (answer_limits(t, &context, &announced))
        report.announced = &announced;
    settle_budget(l, f, usage_paid(t, &job->result));
    engine_give(l->engine, t);
    release_key(l, f, &report);
    lanes_heard(&l->lanes, job, f->route, verdict.outcome, l->now);
    if (verdict.outcome != OUTCOME_OK && job->not_after <= l->now) {
        job_fail(job, verdict.outcome, "%s", verdict.message);
        loop_fail_deadline(l, job);
    } else {
        decide(l, job, &verdict);
    }
}

void attempt_break_off(struct loop *l) {
    static const struct verdict broken = {.outcome = OUTCOME_NETWORK, .hint = -1};
    while (!list_is_empty(&l->flights)) {
        struct flight *f = LIST_ENTRY(l->flights.next, struct flight, node);
        struct job *job = f->job;
        engine_cancel(l->engine, f->transfer);
        engine_give(l->engine, f->transfer);
        settle_budget(l, f, USAGE_NONE);
        release_key(l, f, &(struct pool_report){.verdict = &broken, .is_cut_short = true});
        loop_drop(l, job);
    }
}
