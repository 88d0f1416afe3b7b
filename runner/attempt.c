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
    size_t most = (size_t)l->p->plan->config->max_reply_bytes;
    if (!node) {
        answer_stream_init(&f->stream, most);
        f->body = BUF_INIT(most);
    }
    f->twin = NULL;
    f->is_copy = false;
    f->job = job;
    f->route = grant->route;
    f->lease = grant->lease;
    f->tokens = grant->tokens;
    f->transfer = engine_take(l->engine);
    list_push(&l->flights, &f->node);
    return f;
}

void attempt_free(struct flight *f) {
    answer_stream_free(&f->stream);
    buf_free(&f->body);
    free(f);
}

static bool wants_idempotency_key(const struct loop *l, const struct provider *provider) {
    switch ((enum idempotency_keys)l->p->plan->config->idempotency_keys) {
    case IDEMPOTENCY_ALWAYS: return true;
    case IDEMPOTENCY_NEVER: return false;
    default: return provider->takes_idempotency_key;
    }
}

static void describe_attempt(struct loop *l, struct flight *f) {
    struct result *result = &f->job->result;
    result->attempts++;
    result->provider = f->route->provider->name;
    result->key = f->lease.key->entry->name;
    result->started_at = f->started_at = clock_wall();
    f->lease.key->counts.last_used_at = f->started_at;
    stats_add(&l->p->stats.attempts, 1);
    stats_add(&l->p->stats.in_flight, 1);
    l->in_flight++;
    run_budget_start(&l->p->budget, f->tokens);
    inflight_sent(output_inflight(l->p->output), f->job, f->transfer->idempotency_key[0]);
}

// False: nothing can be sent.
static bool send_request(struct loop *l, struct flight *f) {
    const struct config *config = l->p->plan->config;
    struct transfer *t = f->transfer;
    struct job *job = f->job;
    struct key *key = f->lease.key;
    const struct wire *wire = f->route->provider->wire;
    bool built = build(f->route, job, t);
    if (!key->auth)
        key->auth = transfer_auth_new(wire, key->entry->secret);
    t->auth = key->auth;
    t->owner = f;
    t->timeout = config->timeout;
    if (job->not_after - l->now < t->timeout)
        t->timeout = job->not_after - l->now;
    bool is_copy = t->reply != &job->body; // one that another account is to answer by itself
    if (built && !is_copy && wants_idempotency_key(l, f->route->provider))
        inflight_key(output_inflight(l->p->output), job, buf_slice(&t->body), t->idempotency_key);
    if (!built || !engine_start(l->engine, t))
        return false;
    answer_listen(&f->stream, wire, t);
    if (f->route->defaults.stream)
        t->stall_timeout = config->stall_timeout;
    describe_attempt(l, f);
    return true;
}

// The key is as it was, and the job says why.
static void give_up_start(struct loop *l, struct flight *f) {
    struct transfer *t = f->transfer;
    if (f->job->result.outcome == OUTCOME_NONE)
        job_fail(f->job, OUTCOME_BAD_INPUT, "%.*s is no address that can be sent to",
                 SLICE_ARG(buf_slice(&t->url)));
    engine_give(l->engine, t);
    pool_return(&f->lease, l->now);
    list_remove(&f->node);
    list_push(&l->spare, &f->node);
}

void attempt_start(struct loop *l, struct job *job, struct grant *grant) {
    struct flight *f = new_flight(l, job, grant);
    f->transfer->reply = &job->body;
    if (!send_request(l, f)) {
        give_up_start(l, f);
        loop_finish(l, job);
        return;
    }
    f->since = f->transfer->started;
    job_set_state(job, JOB_LEASED);
    job_set_state(job, JOB_IN_FLIGHT);
}

bool attempt_copy(struct loop *l, struct flight *first, struct grant *grant) {
    struct flight *f = new_flight(l, first->job, grant);
    f->transfer->reply = &f->body;
    if (!send_request(l, f)) {
        give_up_start(l, f);
        return false;
    }
    f->is_copy = true;
    f->since = first->since;
    f->twin = first;
    first->twin = f;
    f->job->copied = true;
    stats_add(&l->p->stats.copies, 1);
    return true;
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

static void release_key(struct loop *l, struct flight *f, const struct pool_report *report) {
    struct stats *stats = &l->p->stats;
    if (report->verdict->outcome == OUTCOME_RATE_LIMITED)
        stats_add(&stats->rate_limited, 1);
    if (report->verdict->outcome == OUTCOME_OK) {
        stats_add_usage(stats, &report->usage);
        histogram_add(&stats->latency, report->latency);
        if (f->job->result.ttft)
            histogram_add(&stats->ttft, f->job->result.ttft);
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

// Whether nothing is known of what the provider did: it may have answered, and asks to be paid.
static bool is_lost(const struct transfer *t) {
    bool broke = t->status == TRANSFER_TIMEOUT || t->status == TRANSFER_STALLED ||
                 t->status == TRANSFER_NETWORK;
    return broke && transfer_was_sent(t);
}

// A result stays in doubt until it is written, and a lost answer for good.
static void note_answer(struct loop *l, struct job *job, const struct transfer *t,
                        enum outcome outcome) {
    bool useless = outcome == OUTCOME_BAD_RESPONSE || outcome == OUTCOME_TOO_LARGE;
    if (outcome != OUTCOME_OK && !is_lost(t))
        inflight_answered(output_inflight(l->p->output), job, useless);
}

// Without a word on anybody: we did it ourselves.
static void break_off(struct loop *l, struct flight *f) {
    static const struct verdict broken = {.outcome = OUTCOME_NETWORK, .hint = -1};
    struct transfer *t = f->transfer;
    engine_cancel(l->engine, t);
    note_answer(l, f->job, t, OUTCOME_NETWORK);
    struct pool_report report = {.verdict = &broken,
                                 .is_cut_short = true,
                                 .usage = USAGE_NONE,
                                 .latency = t->finished - t->started};
    settle_budget(l, f, USAGE_NONE);
    engine_give(l->engine, t);
    release_key(l, f, &report);
    buf_free(&f->body);
}

// The key back to the pool, and the verdict on this request; the result tells of it.
static void read_end(struct loop *l, struct flight *f, struct verdict *verdict) {
    struct transfer *t = f->transfer;
    struct job *job = f->job;
    struct result *result = &job->result;
    struct answer_context context = {.provider = f->route->provider,
                                     .secret = f->lease.key->entry->secret,
                                     .scratch = &job->scratch,
                                     .stream = &f->stream,
                                     .now_wall = clock_wall()};
    answer_read(t, &context, result, verdict);
    result->key = f->lease.key->entry->name;
    result->started_at = f->started_at;
    result->latency = t->finished - t->started;
    if (log_wants(LOG_DEBUG))
        log_debug("job %.*s (line %lld) %s try %d: HTTP %d in %lld ms: %s %s", SLICE_ARG(job->id),
                  (long long)job->line_no, result->key, result->attempts, t->http_status,
                  (long long)(result->latency / USEC_PER_MS), outcome_name(verdict->outcome),
                  verdict->message);
    struct announced announced;
    struct pool_report report = {.verdict = verdict,
                                 .usage = result->reply.usage,
                                 .latency = result->latency,
                                 .is_cut_short = is_cut_short(l, t)};
    if (answer_limits(t, &context, &announced))
        report.announced = &announced;
    settle_budget(l, f, usage_paid(t, result));
    note_answer(l, job, t, verdict->outcome);
    engine_give(l->engine, t);
    release_key(l, f, &report);
    lanes_heard(&l->lanes, job, f->route, verdict->outcome, l->now);
}

// False: the other request for the same job is still out, and may do better.
static bool settle_twins(struct loop *l, struct flight *f, const struct verdict *verdict) {
    struct flight *twin = f->twin;
    bool good = verdict->outcome == OUTCOME_OK;
    if (verdict->outcome == OUTCOME_RATE_LIMITED || verdict->outcome == OUTCOME_QUOTA)
        l->hedge.refused_at = l->now;
    if (twin)
        twin->twin = NULL;
    if (twin && !good) {
        buf_free(&f->body);
        return false;
    }
    if (twin)
        break_off(l, twin);
    if (f->is_copy) { // what was read points into the bytes, wherever they are
        struct buf body = f->job->body;
        f->job->body = f->body;
        f->body = body;
        buf_free(&f->body);
        stats_add(&l->p->stats.copies_won, good);
    }
    return true;
}

void attempt_settle(struct loop *l, struct transfer *t) {
    struct flight *f = t->owner;
    struct job *job = f->job;
    struct verdict verdict;
    read_end(l, f, &verdict);
    if (!settle_twins(l, f, &verdict))
        return;
    job->in_attempts += t->finished - f->since;
    if (verdict.outcome != OUTCOME_OK && job->not_after <= l->now) {
        job_fail(job, verdict.outcome, "%s", verdict.message);
        loop_fail_deadline(l, job);
    } else {
        decide(l, job, &verdict);
    }
}

void attempt_break_off(struct loop *l) {
    while (!list_is_empty(&l->flights)) {
        struct flight *f = LIST_ENTRY(l->flights.next, struct flight, node);
        struct job *job = f->job;
        struct flight *twin = f->twin;
        break_off(l, f);
        if (twin)
            twin->twin = NULL; // the other one drops the job
        else
            loop_drop(l, job);
    }
}
