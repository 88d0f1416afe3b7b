// writer.c: turns finished jobs into lines of the results file. Runs on the writer thread, which owns
// each job until its credit is back.
// SPDX-License-Identifier: MIT
#include "runner/pipeline.h"

#include "jobs/base/clock.h"
#include "runner/wake.h"

static void free_slots(struct pipeline *p, size_t count) {
    atomic_fetch_add(&p->slots_freed, count);
    if (count && atomic_exchange(&p->slot_wanted, false))
        wake_up(p->loop_fd);
}

// The run stopped before it was done: no line, and whoever sent it may have been paid.
static bool is_dropped(const struct job *job) {
    return job->result.outcome == OUTCOME_NONE;
}

static void note_written(struct pipeline *p, struct list *jobs) {
    for (struct list *node = jobs->next; node != jobs; node = node->next) {
        struct job *job = LIST_ENTRY(node, struct job, node);
        if (!is_dropped(job))
            output_written(p->output, job);
    }
}

// After a failure the output only counts what it is given, so that the last word is how much is lost.
static void write_all(struct pipeline *p, struct list *jobs) {
    struct error err = {0};
    size_t slots = 0;
    for (struct list *node = jobs->next; node != jobs; node = node->next) {
        struct job *job = LIST_ENTRY(node, struct job, node);
        if (is_dropped(job)) {
            output_pass(p->output, job);
        } else {
            output_add(p->output, job, &err);
            slots += pipeline_keeps_slot(job);
        }
        job_set_state(job, JOB_IDLE);
    }
    if (output_flush(p->output, &err))
        note_written(p, jobs);
    free_slots(p, slots);
    credits_give(&p->credits, jobs); // before the disk is waited for: the others go on meanwhile
    output_sync(p->output, clock_now(), &err);
    if (err.class == ERROR_NONE)
        return;
    // what cannot be kept is better not asked for; what is in flight is kept where it can be
    bool kept = output_is_touched(p->output);
    pipeline_stop(p, kept ? STOP_DRAIN : STOP_ABORT, CAUSE_OUTPUT, &err);
}

void *writer_main(void *pipeline) {
    struct pipeline *p = pipeline;
    struct list jobs;
    list_init(&jobs);
    bool more = true;
    while (more) {
        more = queue_wait(&p->to_writer, &jobs, output_sync_due(p->output));
        write_all(p, &jobs);
    }
    wake_up(p->done_fd);
    return NULL;
}
