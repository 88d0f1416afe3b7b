// Finished jobs for the tests of result lines, and their lines.
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_JOBS_OUT_FINISHED_H
#define TESTS_UNIT_JOBS_OUT_FINISHED_H

#include "jobs/base/json.h"
#include "jobs/out/line.h"
#include "tests/unit/quiet.h"

#define MEBIBYTE (1024 * 1024)

static inline struct job *new_job(const char *id) {
    struct job *job = job_new(MEBIBYTE, MEBIBYTE);
    job->id = slice_str(id);
    job->index = 16;
    job->line_no = 17;
    return job;
}

static inline void answer(struct job *job) {
    struct result *r = &job->result;
    r->outcome = OUTCOME_OK;
    r->provider = "bigmodel";
    r->key = "bigmodel-2";
    r->model_sent = SLICE("\"glm-4.5\"");
    r->http_status = 200;
    r->attempts = 1;
    r->started_at = INT64_C(1795240800123456);
    r->latency = 812400;
    r->wait = 3100;
    r->reply.text = SLICE("\"hi\"");
    r->reply.finish_reason = SLICE("\"stop\"");
    r->reply.model = SLICE("\"glm-4.5-flash\"");
    r->reply.request_id = SLICE("\"chatcmpl-1\"");
    r->reply.usage = (struct usage){12, 34, -1, -1, -1, -1};
}

static inline void set_body(struct job *job, struct slice body) {
    buf_clear(&job->body);
    buf_add_slice(&job->body, body);
}

// Good until the next call.
static inline const char *line_of(const struct job *job, const struct line_options *options) {
    static struct buf out = BUF_INIT(16 * MEBIBYTE);
    buf_clear(&out);
    line_add(&out, job, options);
    assert_false(out.failed);
    assert_true(out.n > 1 && out.p[out.n - 1] == '\n');
    assert_true(json_check(buf_slice(&out), NULL));
    assert_ptr_equal(memchr(out.p, '\n', out.n), out.p + out.n - 1);
    assert_null(memchr(out.p, '\r', out.n));
    return buf_cstr(&out);
}

// A result of OUTCOME_BAD_INPUT is about a bad row only if nothing was sent for it.
static inline void check_bad_row(const struct line_options *options) {
    struct line_facts facts;
    struct job *job = new_job("1");
    job_fail(job, OUTCOME_BAD_INPUT, "no prompt");
    assert_true(line_read(slice_str(line_of(job, options)), options->format, &facts));
    assert_true(facts.bad_input);
    job->result.key = "k-1";
    assert_true(line_read(slice_str(line_of(job, options)), options->format, &facts));
    assert_false(facts.bad_input);
    job_free(job);
}

#endif
