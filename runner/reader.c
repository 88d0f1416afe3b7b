// reader.c: turns input into jobs and hands them to the loop. Runs on the reader thread, which owns
// each job until it is queued.
// SPDX-License-Identifier: MIT
#include "runner/pipeline.h"

// Whether the results file holds this row's answer. A bad row is written anew on every run: its
// earlier line was dropped when the file was opened.
static bool is_done(struct pipeline *p, const struct job *job) {
    return job->result.outcome != OUTCOME_BAD_INPUT && output_has(p->output, job->id);
}

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

// One row on its way, a bad one straight to its line; false when there is no use in reading further.
static bool pass_on(struct reader *r, struct job *job) {
    struct pipeline *p = r->p;
    stats_add(&p->stats.rows, 1);
    if (is_done(p, job)) {
        stats_add(&p->stats.skipped, 1);
        credits_give_one(&p->credits, job);
        return true;
    }
    bool bad = job->result.outcome == OUTCOME_BAD_INPUT;
    stats_add(&p->stats.bad_rows, bad);
    bool fatal = bad && p->plan->config->strict;
    if (fatal)
        fail_strict(p, job);
    if (fatal || !pay(r, job)) {
        credits_give_one(&p->credits, job);
        return false;
    }
    job_set_state(job, bad ? JOB_FINISHED : JOB_WAITING);
    list_push(bad ? &r->bad : &r->good, &job->node);
    if (++r->gathered >= r->batch)
        hand_on(r);
    return true;
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
    case SOURCE_JOB: plan_judge(p->plan, job); return pass_on(r, job);
    case SOURCE_FAILED: pipeline_stop(p, STOP_DRAIN, CAUSE_INPUT, &err); break;
    case SOURCE_END: atomic_store(&p->input_ended, true); break;
    case SOURCE_STOPPED: break;
    }
    credits_give_one(&p->credits, job);
    return false;
}

void *reader_main(void *pipeline) {
    struct reader r = {.p = pipeline, .batch = 1};
    list_init(&r.good);
    list_init(&r.bad);
    while (pipeline_stopping(r.p) == STOP_NO && read_one(&r))
        ;
    hand_on(&r);
    queue_close(&r.p->to_loop);
    return NULL;
}
