// The file of rows in flight, and jobs to be in it: what its tests share.
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_JOBS_OUT_INFLIGHT_FILE_H
#define TESTS_UNIT_JOBS_OUT_INFLIGHT_FILE_H

#include "jobs/out/inflight.h"
#include "tests/unit/jobs/out/files.h"

static char beside[64], copied[64];
static const char *done_id; // what the results file is said to hold

static inline int setup(void **state) {
    if (make_folder(state))
        return -1;
    snprintf(beside, sizeof beside, "%s/r.inflight", folder);
    snprintf(copied, sizeof copied, "%s/copy.inflight", folder);
    done_id = NULL;
    io_allocate = posix_fallocate;
    return 0;
}

static inline bool is_done(const void *context, struct slice id, uint64_t sent) {
    (void)context, (void)sent;
    return done_id && slice_is(id, done_id);
}

static inline struct inflight *open_at(const char *path, struct error *err) {
    struct inflight_options options = {
        .path = path, .results = "r.jsonl", .jobs_most = 1000, .is_done = is_done};
    return inflight_open(&options, err);
}

static inline struct inflight *must_open_at(const char *path) {
    struct error err = {0};
    struct inflight *f = open_at(path, &err);
    if (!f)
        fail_msg("%s", err.text);
    return f;
}

static inline struct job *new_job(const char *id) {
    struct job *job = job_new(1024, 1024);
    job->id = slice_str(id);
    job->line_no = 7;
    job->sent = 99;
    return job;
}

static inline void send_job(struct inflight *f, struct job *job) {
    job->result.attempts++;
    job->result.key = "openai-1";
    job->result.started_at = INT64_C(1795240800123456);
    inflight_sent(f, job, false);
}

static inline struct job *sent_job(struct inflight *f, const char *id) {
    struct job *job = new_job(id);
    send_job(f, job);
    return job;
}

// What the next run would find, were this one killed here.
static inline size_t left_by_a_kill(void) {
    write_file(copied, read_file(beside));
    struct inflight *f = must_open_at(copied);
    size_t found = inflight_found(f);
    inflight_close(f);
    unlink(copied);
    return found;
}

static inline bool is_there(void) {
    return access(beside, F_OK) == 0;
}

// The end of a run that leaves nothing in doubt.
static inline void close_for_good(struct inflight *f) {
    inflight_close(f);
    assert_false(is_there());
}

// All get their lines and are freed.
static inline void finish_jobs(struct inflight *f, struct job **jobs, size_t count) {
    for (size_t i = 0; i < count; i++) {
        inflight_written(f, jobs[i]);
        job_free(jobs[i]);
    }
}

#endif
