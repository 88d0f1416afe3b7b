// reader.c: turns input into jobs and hands them to the loop. Runs on the reader thread, which owns
// each job until it is queued.
// SPDX-License-Identifier: MIT
#include "runner/pipeline.h"

#include "jobs/base/clock.h"
#include "jobs/base/log.h"

#include <sys/eventfd.h>

static void fail_strict(struct pipeline *p, const struct job *job) {
    struct error err = {0};
    error_set(&err, ERROR_USAGE, "%s:%lld: %s (--strict)", p->plan->input, (long long)job->line_no,
              job->result.message);
    pipeline_stop(p, STOP_DRAIN, CAUSE_INPUT, &err);
}

// Rows are handed on in batches, since every hand-over may switch threads: the first at once, then
// twice as many each time. Nothing is held back while this thread waits, be it for input or credits.
#define BATCH_MOST 64

struct reader {
    struct pipeline *p;
    struct list good, bad; // read, not yet handed on
    size_t gathered, batch;
    int64_t next;    // sequence number of the next row that is handed on
    int64_t changed; // rows that were answered when they asked for something else
    int64_t spoilt;  // rows that were answered and are no good now
};

static void hand_on(struct reader *r) {
    queue_push(&r->p->to_loop, &r->good);
    queue_push(&r->p->to_writer, &r->bad);
    r->gathered = 0;
    if (r->batch < BATCH_MOST)
        r->batch *= 2;
}

static bool pay(struct reader *r, struct job *job) {
    if (!credits_have_room(&r->p->credits, job->line.n))
        hand_on(r);
    return credits_charge(&r->p->credits, job);
}

// Said aloud once, since there may be millions; the rest is counted.
static void tell_changed(struct reader *r, const struct job *job) {
    if (r->changed++ == 0)
        log_warn(
            "line %lld: the row has changed since it was answered; such rows are sent again, and "
            "their new results take the place of the old ones",
            (long long)job->line_no);
    else
        log_info("line %lld: the row has changed too", (long long)job->line_no);
}

static void tell_spoilt(struct reader *r, const struct job *job) {
    if (r->spoilt++ == 0)
        log_warn("line %lld: %s; the row was answered when it was better, and that result stays",
                 (long long)job->line_no, job->result.message);
    else
        log_info("line %lld: %s; its earlier result stays", (long long)job->line_no,
                 job->result.message);
}

// Whether no line is to be written for this row: it has the one it needs, or one that is better than
// what could be said now.
static bool is_done(struct reader *r, struct job *job) {
    struct stats *stats = &r->p->stats;
    enum row_before before = output_look(r->p->output, job);
    bool bad = job->result.outcome == OUTCOME_BAD_INPUT;
    bool done = before == ROW_DONE || (before == ROW_CHANGED && bad);
    if (done && bad)
        tell_spoilt(r, job);
    else if (before == ROW_CHANGED)
        tell_changed(r, job);
    stats_add(&stats->bad_rows, bad);
    if (bad)
        reasons_add_row(&r->p->bad_rows, job);
    stats_add(&stats->skipped, done && !bad);
    return done;
}

// One row on its way, a bad one straight to its line; false when there is no use in reading further.
static bool pass_on(struct reader *r, struct job *job) {
    struct pipeline *p = r->p;
    stats_add(&p->stats.rows, 1);
    if (is_done(r, job)) {
        credits_give_one(&p->credits, job);
        return true;
    }
    bool bad = job->result.outcome == OUTCOME_BAD_INPUT;
    bool fatal = bad && p->plan->config->strict;
    if (fatal)
        fail_strict(p, job);
    if (fatal || !pay(r, job)) {
        credits_give_one(&p->credits, job);
        return false;
    }
    job->sequence = r->next++;
    job_set_state(job, bad ? JOB_FINISHED : JOB_WAITING);
    list_push(bad ? &r->bad : &r->good, &job->node);
    if (++r->gathered >= r->batch)
        hand_on(r);
    return true;
}

// Once all rows were read: what else the results file holds, and how much is sent again.
static void tell_end(const struct reader *r) {
    long long unseen = (long long)output_unseen(r->p->output), changed = (long long)r->changed;
    if (!r->p->plan->config->limit)
        output_forget_rest(r->p->output);
    if (changed > 1)
        log_warn("%lld rows have changed since they were answered", changed);
    if (unseen && !r->p->plan->config->limit)
        log_warn("%lld result%s in %s belong%s to %s: kept", unseen, unseen == 1 ? "" : "s",
                 r->p->plan->output, unseen == 1 ? "s" : "",
                 unseen == 1 ? "a row that the input does not have"
                             : "rows that the input does not have");
}

static bool read_one(struct reader *r) {
    struct pipeline *p = r->p;
    if (source_may_wait(p->source) || credits_are_out(&p->credits))
        hand_on(r);
    struct job *job = credits_take(&p->credits);
    if (!job)
        return false;
    struct error err = {0};
    switch (source_next(p->source, job, &err)) {
    case SOURCE_JOB:
        plan_judge(p->plan, job);
        run_settings_fill(&p->settings, p->plan, job);
        return pass_on(r, job);
    case SOURCE_FAILED: pipeline_stop(p, STOP_DRAIN, CAUSE_INPUT, &err); break;
    case SOURCE_END:
        atomic_store(&p->input_ended, true);
        tell_end(r);
        break;
    case SOURCE_STOPPED: break;
    }
    credits_give_one(&p->credits, job);
    return false;
}

// ---- the rest of the input, when the run stops before its end ----

// Rows between two looks at the clock.
#define COUNT_BATCH 64

static bool may_count(struct pipeline *p) {
    return pipeline_stopping(p) == STOP_DRAIN && clock_now() < atomic_load(&p->count_until);
}

// A row that nobody will send: it counts, and so does whether an earlier run answered it.
static void count_row(struct pipeline *p, struct job *job) {
    bool bad = job->result.outcome == OUTCOME_BAD_INPUT;
    bool done = output_look(p->output, job) == ROW_DONE && !bad;
    stats_add(&p->stats.rows, 1);
    stats_add(&p->stats.skipped, done);
    job_clear(job);
}

// False once there is no use in going on.
static bool count_some(struct pipeline *p, struct job *job) {
    struct error err = {0};
    eventfd_t woken;
    for (int i = 0; i < COUNT_BATCH; i++)
        switch (source_next(p->source, job, &err)) {
        case SOURCE_JOB: count_row(p, job); break;
        case SOURCE_STOPPED: eventfd_read(p->reader_fd, &woken); return true;
        case SOURCE_END: atomic_store(&p->input_ended, true); return false;
        case SOURCE_FAILED: return false;
        }
    return true;
}

// How many rows there are besides those that were read: for the totals at the end. It takes no longer
// than what is in flight, and a moment more (pipeline.c).
static void count_rest(struct pipeline *p) {
    enum stop_cause cause = (enum stop_cause)atomic_load(&p->cause);
    if (atomic_load(&p->input_ended) || cause == CAUSE_INPUT || cause == CAUSE_OUTPUT)
        return;
    struct job *job = job_new(SOURCE_LINE_ROOM((size_t)p->plan->config->max_line_bytes), 1);
    while (may_count(p) && count_some(p, job))
        ;
    job_free(job);
}

void *reader_main(void *pipeline) {
    struct reader r = {.p = pipeline, .batch = 1};
    list_init(&r.good);
    list_init(&r.bad);
    while (pipeline_stopping(r.p) == STOP_NO && read_one(&r))
        ;
    hand_on(&r);
    queue_close(&r.p->to_loop);
    count_rest(r.p);
    return NULL;
}
