// writer.c: turns finished jobs into lines of the results file. Runs on the writer thread, which owns
// each job until its credit is back.
// SPDX-License-Identifier: MIT
#include "runner/pipeline.h"

#include "runner/wake.h"

static bool write_all(struct pipeline *p, struct list *jobs, bool failed) {
    struct error err = {0};
    for (struct list *node = jobs->next; node != jobs; node = node->next) {
        struct job *job = LIST_ENTRY(node, struct job, node);
        if (!failed && !output_add(p->output, job, &err))
            failed = true;
        job_set_state(job, JOB_IDLE);
    }
    if (!failed && !output_flush(p->output, &err))
        failed = true;
    credits_give(&p->credits, jobs);
    if (err.class != ERROR_NONE) // nothing that comes can be kept: better not to ask for more
        pipeline_stop(p, STOP_ABORT, CAUSE_OUTPUT, &err);
    return !failed;
}

void *writer_main(void *pipeline) {
    struct pipeline *p = pipeline;
    struct list jobs;
    list_init(&jobs);
    bool good = true, more = true;
    while (more) {
        more = queue_wait(&p->to_writer, &jobs);
        good = write_all(p, &jobs, !good);
    }
    wake_up(p->done_fd);
    return NULL;
}
