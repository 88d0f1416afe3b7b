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
    error_set(&err, ERROR_USAGE, "%s:%lld: %s (--strict)", p->plan->input,
              (long long)job->line_no, job->result.message);
    pipeline_stop(p, STOP_DRAIN, CAUSE_INPUT, &err);
}

// Hands on one row, a bad one straight to its line; false when there is no use in reading further.
static bool pass_on(struct pipeline *p, struct job *job) {
    stats_add(&p->stats.rows, 1);
    if (is_done(p, job)) {
        stats_add(&p->stats.skipped, 1);
        credits_give(&p->credits, job);
        return true;
    }
    bool bad = job->result.outcome == OUTCOME_BAD_INPUT;
    stats_add(&p->stats.bad_rows, bad);
    if (bad && p->plan->config->strict) {
        fail_strict(p, job);
        credits_give(&p->credits, job);
        return false;
    }
    if (!credits_charge(&p->credits, job)) {
        credits_give(&p->credits, job);
        return false;
    }
    job_set_state(job, bad ? JOB_FINISHED : JOB_WAITING);
    queue_push(bad ? &p->to_writer : &p->to_loop, job);
    return true;
}

static bool read_one(struct pipeline *p) {
    struct job *job = credits_take(&p->credits);
    if (!job)
        return false;
    struct error err = {0};
    switch (source_next(p->source, job, &err)) {
    case SOURCE_JOB: return pass_on(p, job);
    case SOURCE_FAILED: pipeline_stop(p, STOP_DRAIN, CAUSE_INPUT, &err); break;
    case SOURCE_END: atomic_store(&p->input_ended, true); break;
    case SOURCE_STOPPED: break;
    }
    credits_give(&p->credits, job);
    return false;
}

void *reader_main(void *pipeline) {
    struct pipeline *p = pipeline;
    while (pipeline_stopping(p) == STOP_NO && read_one(p))
        ;
    queue_close(&p->to_loop);
    return NULL;
}
