// answer_fault.c: refusals, and faults that break an answer or stand in its place. Simulator's thread.
// SPDX-License-Identifier: MIT
#include "runner/simulate/answer_parts.h"

#include "jobs/base/clock.h"
#include "runner/simulate/bucket.h"

#define SLOW_TIME (3 * USEC_PER_SEC)
#define RPM_TOLD  60 // the limits that faults name where there are none
#define RPD_TOLD  1000

void answer_problem(struct task *t, enum problem problem, const char *message) {
    struct problem_about about = {slice_str(message), t->request.model, t->secret};
    buf_clear(t->out);
    t->answer->status = dialect_add_error(t->out, t->route.dialect, problem, &about);
}

void answer_bad_key(struct task *t) {
    answer_problem(t, t->secret.n ? PROBLEM_KEY : PROBLEM_NO_KEY, NULL);
}

// What is told of a refusal, and that it was: a request that can never pass is no rate limit where
// the provider has another status for it.
void answer_refusal(struct task *t, const struct refusal *refusal) {
    const struct dialect *d = t->route.dialect;
    struct refusal told = *refusal;
    told.silent = t->a->silent;
    told.wait = dialect_told_wait(d, &told);
    buf_clear(t->out);
    t->answer->status = d->add_refusal(t->out, &told, t->request.model);
    t->answer->settlement.how = t->answer->status == 429 ? SETTLED_RATE_LIMITED : SETTLED_FAILED;
    t->answer->settlement.retry_after = told.wait == BUCKET_NEVER ? -1 : told.wait;
    dialect_add_wait(d, told.wait, &t->answer->headers);
}

// -- faults --

// A limit that is none: refused at once.
static void make_refusal(struct task *t, enum limit_kind kind, int64_t limit, int64_t wait) {
    struct refusal refusal = {kind, limit, limit, 1, t->a->retry_after, false};
    if (!refusal.wait)
        refusal.wait = wait;
    t->answer->delay = 0;
    answer_refusal(t, &refusal);
}

static void fault_429(struct task *t) {
    int64_t limit = t->a->limits.rpm ? t->a->limits.rpm : RPM_TOLD;
    int64_t key = t->answer->key;
    make_refusal(t, LIMIT_REQUESTS, limit, key ? ledger_wait(t->a->ledger, key, t->now) : -1);
}

static void fault_day(struct task *t) {
    int64_t limit = t->a->limits.rpd ? t->a->limits.rpd : RPD_TOLD;
    make_refusal(t, LIMIT_DAY, limit, ledger_day_left(t->a->ledger, t->now));
}

static void fault_500(struct task *t) {
    answer_problem(t, PROBLEM_SERVER, NULL);
}

static void fault_503(struct task *t) {
    answer_problem(t, PROBLEM_UNAVAILABLE, NULL);
}

static void fault_overloaded(struct task *t) {
    answer_problem(t, PROBLEM_OVERLOADED, NULL);
}

static void fault_529(struct task *t) {
    fault_overloaded(t);
    t->answer->status = 529;
}

static void fault_401(struct task *t) {
    t->answer->delay = 0;
    answer_bad_key(t);
}

static void fault_quota(struct task *t) {
    t->answer->delay = 0;
    answer_problem(t, PROBLEM_MONEY, NULL);
}

static void fault_model(struct task *t) {
    t->answer->delay = 0;
    answer_problem(t, PROBLEM_MODEL, NULL);
}

static void fault_forbidden(struct task *t) {
    t->answer->delay = 0;
    answer_problem(t, PROBLEM_FORBIDDEN, NULL);
}

static void fault_reset(struct task *t) {
    t->answer->manner = SEND_RESET;
}

static void fault_truncated(struct task *t) {
    t->answer->manner = SEND_TRUNCATED;
}

static void fault_slow(struct task *t) {
    t->answer->settlement.how = SETTLED_OK;
    t->answer->spread = SLOW_TIME;
    if (t->answer->manner == SEND_WHOLE)
        t->answer->manner = SEND_SLOWLY;
}

static void fault_malformed(struct task *t) {
    t->out->n /= 2;
}

static void fault_html(struct task *t) {
    t->answer->content_type = "text/html; charset=utf-8";
    buf_clear(t->out);
    buf_add_str(t->out, "<!DOCTYPE html>\n<html><head><title>Just a moment...</title></head>"
                        "<body><h1>Checking your browser</h1></body></html>\n");
}

static void fault_empty(struct task *t) {
    buf_clear(t->out);
}

// Cuts a stream off in the middle.
static void cut(struct task *t) {
    t->out->n = events_middle(t->answer->events, buf_slice(t->out), t->request.stream_usage);
}

// The good beginning of a stream and an error; in place of a plain answer, the error alone.
static void fault_stream_error(struct task *t) {
    const struct event_form *form = t->answer->events;
    if (form) {
        cut(t);
        buf_add_str(t->out, form->error);
    } else {
        buf_clear(t->out);
    }
    events_add_error(events_form(t->route.wire), t->route.dialect, t->request.model, t->out);
    if (form)
        buf_add_str(t->out, form->end);
}

static void fault_stall(struct task *t) {
    t->answer->manner = SEND_STALLED;
    if (t->answer->events)
        cut(t);
}

static void fault_hang(struct task *t) {
    t->answer->manner = SEND_NOTHING;
    t->answer->delay = 0;
}

static void (*const fault_does[FAULT_COUNT])(struct task *t) = {
    [FAULT_429] = fault_429,
    [FAULT_500] = fault_500,
    [FAULT_503] = fault_503,
    [FAULT_401] = fault_401,
    [FAULT_RESET] = fault_reset,
    [FAULT_TRUNCATED] = fault_truncated,
    [FAULT_SLOW] = fault_slow,
    [FAULT_MALFORMED] = fault_malformed,
    [FAULT_HTML] = fault_html,
    [FAULT_EMPTY] = fault_empty,
    [FAULT_529] = fault_529,
    [FAULT_QUOTA] = fault_quota,
    [FAULT_DAY] = fault_day,
    [FAULT_OVERLOADED] = fault_overloaded,
    [FAULT_MODEL] = fault_model,
    [FAULT_FORBIDDEN] = fault_forbidden,
    [FAULT_STREAM_ERROR] = fault_stream_error,
    [FAULT_STALL] = fault_stall,
    [FAULT_HANG] = fault_hang,
};

// A fault works on the good answer: it is counted as failed unless the fault says otherwise, and
// what is no longer an answer is sent whole.
void answer_fault(struct task *t, enum fault fault) {
    t->answer->settlement.how = SETTLED_FAILED;
    if (!fault_needs_answer(fault)) {
        t->answer->manner = SEND_WHOLE;
        t->answer->content_type = ANSWER_JSON;
        t->answer->events = NULL;
        t->answer->delay += t->answer->spread;
        t->answer->spread = 0;
    }
    fault_does[fault](t);
}
