// job.c: birth, states and failure of a job. Runs on whichever thread owns the job.
// SPDX-License-Identifier: MIT
#include "jobs/job.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "jobs/base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

// Buffers that grew beyond this for one row are given back before the next.
#define KEEP_BYTES (64 * 1024)

// Bit b of allowed[a]: a job may move from state a to state b.
#define TO(state) (1u << (state))
static const unsigned allowed[] = {
    [JOB_IDLE] = TO(JOB_WAITING) | TO(JOB_FINISHED),
    [JOB_WAITING] = TO(JOB_LEASED) | TO(JOB_PARKED) | TO(JOB_FINISHED) | TO(JOB_IDLE),
    [JOB_LEASED] = TO(JOB_IN_FLIGHT) | TO(JOB_WAITING) | TO(JOB_FINISHED),
    [JOB_IN_FLIGHT] = TO(JOB_PARKED) | TO(JOB_WAITING) | TO(JOB_FINISHED) | TO(JOB_IDLE),
    [JOB_PARKED] = TO(JOB_WAITING) | TO(JOB_FINISHED) | TO(JOB_IDLE),
    [JOB_FINISHED] = TO(JOB_IDLE),
};

struct job *job_new(size_t line_max, size_t body_max) {
    struct job *job = mem_zero(1, sizeof *job);
    list_init(&job->node);
    job->line = BUF_INIT(line_max);
    job->body = BUF_INIT(body_max);
    job->scratch = BUF_INIT(body_max);
    job->message = BUF_INIT(JOB_MESSAGE_MAX);
    job_clear(job);
    return job;
}

void job_free(struct job *job) {
    buf_free(&job->line);
    buf_free(&job->body);
    buf_free(&job->scratch);
    buf_free(&job->message);
    free(job);
}

void job_clear(struct job *job) {
    BUG_IF(job->state != JOB_IDLE);
    buf_recycle(&job->line, KEEP_BYTES);
    buf_recycle(&job->body, KEEP_BYTES);
    buf_recycle(&job->scratch, 0);
    buf_recycle(&job->message, 0);
    job->index = job->sequence = job->line_no = 0;
    job->id = job->input = SLICE_NONE;
    job->request = (struct request){0};
    job->sent = 0;
    job->replaces = 0;
    // a record in doubt is for the next run to find: the job gets another
    job->notes = (struct job_notes){.number = job->notes.in_doubt ? 0 : job->notes.number};
    job->bytes_credited = job->reply_credited = 0;
    job->accepted_at = job->in_attempts = 0;
    job->sent_again = 0;
    job->affinity = 0;
    job->retries = 0;
    job->refused.count = 0;
    job->in_doubt_at = 0;
    job->lane = NULL;
    job->copied = false;
    job->not_after = TIME_NEVER;
    job->result.outcome = OUTCOME_NONE;
    job->result.provider = job->result.key = NULL;
    job->result.model_sent = SLICE_NONE;
    job->result.reply = (struct reply){.usage = USAGE_NONE};
    job->result.http_status = job->result.attempts = 0;
    job->result.shape = REPLY_OPENAI;
    job->result.assembled = job->result.other_path = false;
    job->result.started_at = job->result.latency = job->result.wait = 0;
    job->result.ttft = 0;
    job->result.code[0] = '\0';
    job->result.message = "";
}

void job_set_state(struct job *job, enum job_state state) {
    BUG_IF(!(allowed[job->state] & TO(state)));
    job->state = state;
}

void job_fail(struct job *job, enum outcome outcome, const char *format, ...) {
    char text[JOB_MESSAGE_MAX * 2];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t size = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    struct buf clean = BUF_INIT(sizeof text * 3);
    utf8_add_repaired(&clean, slice_of(text, size));
    buf_clear(&job->message);
    buf_add_slice(&job->message, utf8_cut(buf_slice(&clean), JOB_MESSAGE_MAX - 1));
    job->result.message = buf_cstr(&job->message);
    buf_free(&clean);
    job->result.outcome = outcome;
}
