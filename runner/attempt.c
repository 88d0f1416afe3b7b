// attempt.c: one request of a job, from the key it was given to what its answer means. Loop thread.
// SPDX-License-Identifier: MIT
#include "runner/loop.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "jobs/base/log.h"
#include "jobs/base/visible.h"
#include "runner/failures.h"

#include <stdio.h>
#include <stdlib.h>

static struct flight *new_flight(struct loop *l, struct job *job, const struct grant *grant) {
    struct list *node = list_pop(&l->spare);
    struct flight *f = node ? LIST_ENTRY(node, struct flight, node) : mem_zero(1, sizeof *f);
    if (!node)
        answer_stream_init(&f->stream, (size_t)l->p->plan->config->max_reply_bytes);
    f->twin = f->winner = NULL;
    f->is_copy = false;
    f->job = job;
    f->lease = grant->lease;
    f->tokens = grant->tokens;
    f->errand.job = job;
    f->errand.route = grant->route;
    list_push(&l->flights, &f->node);
    return f;
}

static void empty_aside(struct flight *f) {
    if (f->aside) {
        buf_free(&f->aside->body);
        buf_free(&f->aside->scratch);
    }
}

void attempt_free(struct flight *f) {
    answer_stream_free(&f->stream);
    empty_aside(f);
    free(f->aside);
    free(f);
}

static void retire(struct loop *l, struct flight *f) {
    empty_aside(f);
    list_push(&l->spare, &f->node);
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
    f->provider_before = result->provider;
    f->key_before = result->key;
    f->started_at_before = result->started_at;
    result->attempts++;
    result->provider = f->errand.route->provider->name;
    result->key = f->lease.key->entry->name;
    result->started_at = f->started_at = l->wall;
    f->lease.key->counts.last_used_at = f->started_at;
    stats_add(&l->p->stats.attempts, 1);
    stats_add(&l->p->stats.in_flight, 1);
    l->in_flight++;
    run_budget_start(&l->p->budget, f->tokens);
    inflight_sent(output_inflight(l->p->output), f->job, f->errand.keyed);
}

// Where the answer goes is set.
static void send_request(struct loop *l, struct flight *f) {
    const struct config *config = l->p->plan->config;
    struct errand *e = &f->errand;
    struct key *key = f->lease.key;
    const struct provider *provider = e->route->provider;
    if (!key->auth)
        key->auth = transfer_auth_new(provider, key->entry->secret);
    e->auth = key->auth;
    e->secrets = l->p->secrets;
    e->stream = &f->stream;
    e->timeout = config->timeout;
    if (f->job->not_after - l->now < e->timeout)
        e->timeout = f->job->not_after - l->now;
    e->stall_timeout = e->route->defaults.stream ? config->stall_timeout : 0;
    // a copy is one that another account is to answer by itself
    e->keyed = !f->is_copy && wants_idempotency_key(l, provider);
    describe_attempt(l, f);
    carriers_send(&l->carriers, e);
}

void attempt_start(struct loop *l, struct job *job, struct grant *grant) {
    struct flight *f = new_flight(l, job, grant);
    f->errand.reply = &job->body;
    f->errand.scratch = &job->scratch;
    f->errand.result = &job->result;
    job_set_state(job, JOB_LEASED);
    job_set_state(job, JOB_IN_FLIGHT);
    send_request(l, f);
}

static void answer_aside(struct loop *l, struct flight *f) {
    if (!f->aside) {
        f->aside = mem_zero(1, sizeof *f->aside);
        f->aside->body = BUF_INIT((size_t)l->p->plan->config->max_reply_bytes);
        f->aside->scratch = BUF_INIT(f->job->scratch.max);
    }
    f->errand.reply = &f->aside->body;
    f->errand.scratch = &f->aside->scratch;
    f->errand.result = &f->aside->result;
}

void attempt_copy(struct loop *l, struct flight *first, struct grant *grant) {
    struct flight *f = new_flight(l, first->job, grant);
    answer_aside(l, f);
    f->is_copy = true;
    f->since = first->errand.started;
    f->twin = first;
    first->twin = f;
    f->job->copied = true;
    l->hedge.sent++;
    stats_add(&l->p->stats.copies, 1);
    send_request(l, f);
}

static void park(struct loop *l, struct job *job, int64_t until) {
    if (until >= job->not_after) {
        l->now = clock_now();
        loop_fail_deadline(l, job);
        return;
    }
    stats_add(&l->p->stats.retried, 1);
    loop_park(l, job, until);
}

// Whose its refusal is was not said: the row's, or not known yet, and another key is asked.
static void decide_blame(struct loop *l, struct job *job, const struct verdict *verdict,
                         enum pool_blame blame) {
    snprintf(job->result.code, sizeof job->result.code, "%s", verdict->code);
    job_fail(job, blame == BLAME_ROW ? job->refused.fails_as : verdict->outcome, "%s",
             verdict->message);
    if (blame == BLAME_ROW)
        loop_finish(l, job);
    else
        loop_wait_again(job);
}

// Again or done, once the key is back in the pool.
static void decide(struct loop *l, const struct flight *f, const struct verdict *verdict) {
    struct job *job = f->job;
    if (verdict->outcome == OUTCOME_OK) {
        job->result.outcome = OUTCOME_OK;
        loop_finish(l, job);
        return;
    }
    snprintf(job->result.code, sizeof job->result.code, "%s", verdict->code);
    job_fail(job, verdict->outcome, "%s", verdict->message);
    struct retry_decision decision =
        verdict->final ? (struct retry_decision){RETRY_GIVE_UP, 0} : failures_decide(l, f, verdict);
    switch (decision.answer) {
    case RETRY_GIVE_UP: loop_finish(l, job); break;
    case RETRY_OTHER: loop_wait_again(job); break;
    case RETRY_LATER: park(l, job, decision.again_at); break;
    }
}

// It is in flight no longer.
static void land(struct loop *l, struct flight *f) {
    stats_add(&l->p->stats.in_flight, -1);
    l->in_flight--;
    list_remove(&f->node);
}

static enum pool_blame release_key(struct loop *l, struct flight *f,
                                   const struct pool_report *report) {
    struct stats *stats = &l->p->stats;
    if (report->verdict->outcome == OUTCOME_RATE_LIMITED)
        stats_add(&stats->rate_limited, 1);
    stats_add_usage(stats, &report->usage);
    if (report->verdict->outcome == OUTCOME_OK) {
        histogram_add(&stats->latency, report->latency);
        if (f->errand.result->ttft)
            histogram_add(&stats->ttft, f->errand.result->ttft);
    }
    enum pool_blame blame = pool_release(&f->lease, report, l->now);
    land(l, f);
    return blame;
}

// How the request ended, as far as its price is concerned. A stream may be whole although its transfer
// is not.
static enum request_end end_of(const struct errand *e, enum outcome outcome) {
    if (!e->was_sent)
        return REQUEST_UNSENT;
    if (outcome == OUTCOME_OK)
        return REQUEST_ANSWERED;
    if (e->status != TRANSFER_ANSWERED)
        return REQUEST_LOST;
    return e->http_status >= 200 && e->http_status <= 299 ? REQUEST_ANSWERED : REQUEST_REFUSED;
}

static void settle_budget(struct loop *l, struct flight *f, const struct pool_report *report) {
    run_budget_settle(&l->p->budget, f->tokens, f->lease.charge.spend.input_tokens, &report->usage,
                      report->end);
}

// It had less time than any request should have: its job's deadline came first.
static bool is_cut_short(const struct loop *l, const struct errand *e) {
    return e->status == TRANSFER_TIMEOUT && e->timeout < l->p->plan->config->timeout;
}

// Whether nothing is known of what the provider did: it may have answered, and asks to be paid.
static bool is_lost(const struct errand *e) {
    bool broke = e->status == TRANSFER_TIMEOUT || e->status == TRANSFER_STALLED ||
                 e->status == TRANSFER_NETWORK;
    return broke && e->was_sent;
}

// A result stays in doubt until it is written, and a lost answer for good.
static void note_answer(struct loop *l, const struct flight *f, enum outcome outcome) {
    bool refused = f->job->result.http_status >= 300; // with a status that says so
    bool useless = !refused && (outcome == OUTCOME_BAD_RESPONSE || outcome == OUTCOME_TOO_LARGE);
    if (outcome != OUTCOME_OK && !is_lost(&f->errand))
        inflight_answered(output_inflight(l->p->output), f->job, useless);
}

// The key back to the pool; the result tells of it.
static enum pool_blame read_end(struct loop *l, struct flight *f) {
    struct errand *e = &f->errand;
    struct job *job = f->job;
    struct result *result = &job->result;
    const struct finding *found = e->found;
    enum outcome outcome = found->verdict.outcome;
    result->key = f->lease.key->entry->name;
    result->started_at = f->started_at;
    result->latency = e->finished - e->started;
    if (log_wants(LOG_DEBUG))
        log_debug("job %.*s (line %lld) %s try %d: HTTP %d in %lld ms: %s %s", SLICE_ARG(job->id),
                  (long long)job->line_no, result->key, result->attempts, e->http_status,
                  (long long)(result->latency / USEC_PER_MS), outcome_name(outcome),
                  found->verdict.message);
    struct pool_report report = {.verdict = &found->verdict,
                                 .usage = e->result->reply.usage,
                                 .end = end_of(e, outcome),
                                 .latency = result->latency,
                                 .announced = found->announces ? &found->announced : NULL,
                                 .is_first = result->attempts == 1,
                                 .is_cut_short = is_cut_short(l, e),
                                 .refused = &job->refused,
                                 .others_wait = lanes_wait(&l->lanes)};
    standstill_heard(&l->standstill, e->route, &found->verdict, e->http_status, l->now);
    if (outcome != OUTCOME_OK)
        reasons_add_attempt(&l->p->reasons, job, outcome, found->verdict.message);
    settle_budget(l, f, &report);
    note_answer(l, f, outcome);
    enum pool_blame blame = release_key(l, f, &report);
    lanes_heard(&l->lanes, job, e->route, outcome, l->now);
    return blame;
}

// What was read points into the bytes, wherever they are.
static void take_copy(struct flight *f) {
    struct result *result = &f->job->result;
    const struct result *from = &f->aside->result;
    struct buf body = f->job->body, scratch = f->job->scratch;
    f->job->body = f->aside->body;
    f->job->scratch = f->aside->scratch;
    f->aside->body = body;
    f->aside->scratch = scratch;
    result->model_sent = from->model_sent;
    result->reply = from->reply;
    result->shape = from->shape;
    result->assembled = from->assembled;
    result->other_path = from->other_path;
    result->http_status = from->http_status;
    result->ttft = from->ttft;
}

// Nobody else is out for the job, and this answer is the one that counts.
static void conclude(struct loop *l, struct flight *f, const struct verdict *verdict,
                     enum pool_blame blame) {
    struct job *job = f->job;
    if (f->is_copy) {
        take_copy(f);
        stats_add(&l->p->stats.copies_won, verdict->outcome == OUTCOME_OK);
    }
    job->in_attempts += f->errand.finished - (f->is_copy ? f->since : f->errand.started);
    if (verdict->outcome != OUTCOME_OK && job->not_after <= l->now) {
        job_fail(job, verdict->outcome, "%s", verdict->message);
        loop_fail_deadline(l, job);
    } else if (blame != BLAME_VERDICT) {
        decide_blame(l, job, verdict, blame);
    } else {
        decide(l, f, verdict);
    }
    retire(l, f);
}

// While the other request for the same job is out, a good answer has it stopped, and waits for that; after
// any other answer it may do better.
static void settle_answer(struct loop *l, struct flight *f) {
    struct flight *twin = f->twin;
    failures_judge(f, &f->errand.found->verdict);
    const struct verdict *verdict = &f->errand.found->verdict;
    enum outcome outcome = verdict->outcome;
    enum pool_blame blame = read_end(l, f);
    if (outcome == OUTCOME_RATE_LIMITED || outcome == OUTCOME_QUOTA)
        l->hedge.refused_at = l->now;
    if (!twin) {
        conclude(l, f, verdict, blame);
        return;
    }
    twin->twin = NULL;
    if (outcome != OUTCOME_OK) {
        retire(l, f);
        return;
    }
    twin->winner = f;
    carriers_stop(&l->carriers, &twin->errand);
}

// Without a word on anybody: we did it ourselves.
static void settle_stopped(struct loop *l, struct flight *f) {
    static const struct verdict broken = {.outcome = OUTCOME_NETWORK, .hint = -1},
                                good = {.outcome = OUTCOME_OK, .hint = -1};
    struct pool_report report = {.verdict = &broken,
                                 .is_cut_short = true,
                                 .usage = USAGE_NONE,
                                 .end = end_of(&f->errand, OUTCOME_NETWORK),
                                 .latency = f->errand.finished - f->errand.started};
    note_answer(l, f, OUTCOME_NETWORK);
    settle_budget(l, f, &report);
    release_key(l, f, &report);
    if (f->winner)
        conclude(l, f->winner, &good, BLAME_VERDICT);
    else if (f->twin)
        f->twin->twin = NULL; // the other one drops the job
    else
        loop_drop(l, f->job);
    retire(l, f);
}

static void fail_address(struct job *job, const struct errand *e) {
    struct buf shown = BUF_INIT(SIZE_MAX / 2);
    visible_add_address(&shown, slice_str(e->route->base_url));
    job_fail(job, OUTCOME_BAD_INPUT, "%s%.*s is not an address that can be sent to",
             buf_cstr(&shown), SLICE_ARG(job->request.url));
    buf_free(&shown);
}

static void fail_unsent(struct job *job, const struct errand *e) {
    if (e->what)
        job_fail(job, OUTCOME_BAD_INPUT, "%s cannot be asked this: %s", e->route->provider->name,
                 e->what);
    else
        fail_address(job, e);
}

// The job's result and the run's counts are as they were before the attempt.
static void take_back(struct loop *l, struct flight *f) {
    struct result *result = &f->job->result;
    result->attempts--;
    result->provider = f->provider_before;
    result->key = f->key_before;
    result->started_at = f->started_at_before;
    stats_add(&l->p->stats.attempts, -1);
}

// With another request out for the job it is an attempt like any other; and a server that ends every
// connection fails.
#define SENT_AGAIN_MOST 10

static bool is_unprocessed(const struct flight *f) {
    return f->errand.status == TRANSFER_UNPROCESSED && !f->twin && !f->is_copy &&
           f->job->sent_again < SENT_AGAIN_MOST;
}

// The job waits for a key once more; the attempt counts for the limits alone. It stays in doubt, so that it
// is sent with the same idempotency key.
static void settle_unprocessed(struct loop *l, struct flight *f) {
    static const struct verdict ended = {.outcome = OUTCOME_NETWORK, .hint = -1};
    struct pool_report report = {
        .verdict = &ended, .is_unprocessed = true, .usage = USAGE_NOTHING, .end = REQUEST_REFUSED};
    take_back(l, f);
    settle_budget(l, f, &report); // --max-requests holds for every request that leaves
    release_key(l, f, &report);
    stats_add(&l->p->stats.sent_again, 1);
    f->job->sent_again++;
    loop_wait_again(f->job);
    retire(l, f);
}

// Key, job and counts are as they were, and the job says why.
static void settle_unsent(struct loop *l, struct flight *f) {
    struct job *job = f->job;
    take_back(l, f);
    run_budget_take_back(&l->p->budget, f->tokens);
    inflight_answered(output_inflight(l->p->output), job, false);
    pool_return(&f->lease, l->now);
    land(l, f);
    if (f->is_copy) { // the other one goes on alone
        l->hedge.sent--;
        stats_add(&l->p->stats.copies, -1);
        f->twin->twin = NULL;
    } else {
        fail_unsent(job, &f->errand);
        loop_finish(l, job);
    }
    retire(l, f);
}

void attempt_settle(struct loop *l, struct errand *e) {
    struct flight *f = LIST_ENTRY(e, struct flight, errand);
    switch (e->end) {
    case ERRAND_ANSWERED: (is_unprocessed(f) ? settle_unprocessed : settle_answer)(l, f); break;
    case ERRAND_STOPPED: settle_stopped(l, f); break;
    case ERRAND_UNSENT: settle_unsent(l, f); break;
    }
}

void attempt_break_off(struct loop *l) {
    for (struct list *node = l->flights.next; node != &l->flights; node = node->next) {
        struct flight *f = LIST_ENTRY(node, struct flight, node);
        if (!f->errand.stopping)
            carriers_stop(&l->carriers, &f->errand);
    }
}
