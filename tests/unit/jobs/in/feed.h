// For tests of the input: a source over bytes in a temporary file, and words to say what came out.
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_JOBS_IN_FEED_H
#define TESTS_UNIT_JOBS_IN_FEED_H

#include "jobs/in/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct feed {
    struct source *source;
    struct job *job;
    struct error err;
    char path[32];
};

#define OPTIONS(...) ((struct source_options){.wake_fd = -1, __VA_ARGS__})

static inline void feed_write(struct feed *f, struct slice bytes) {
    memcpy(f->path, "/tmp/batch-run-XXXXXX", 22);
    int fd = mkstemp(f->path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.p, bytes.n), bytes.n);
    close(fd);
}

// May leave source NULL with err filled.
static inline struct feed feed_try(struct slice bytes, struct source_options options) {
    struct feed f = {0};
    feed_write(&f, bytes);
    options.path = f.path;
    f.source = source_open(&options, &f.err);
    f.job = job_new(1 << 20, 0);
    return f;
}

static inline struct feed feed_open(struct slice bytes, struct source_options options) {
    struct feed f = feed_try(bytes, options);
    if (!f.source)
        fail_msg("%s", f.err.text);
    return f;
}

static inline struct feed feed_jsonl(struct slice bytes) {
    return feed_open(bytes, OPTIONS(.format = INPUT_JSONL));
}

static inline enum source_status feed_next(struct feed *f) {
    job_clear(f->job);
    return source_next(f->source, f->job, &f->err);
}

static inline void feed_close(struct feed *f) {
    source_close(f->source);
    job_free(f->job);
    unlink(f->path);
}

static inline void feed_ends(struct feed *f) {
    assert_int_equal(feed_next(f), SOURCE_END);
    assert_int_equal(feed_next(f), SOURCE_END);
    feed_close(f);
}

// The next row is good.
static inline const struct job *feed_good(struct feed *f) {
    assert_int_equal(feed_next(f), SOURCE_JOB);
    if (f->job->result.outcome != OUTCOME_NONE)
        fail_msg("line %lld: %s", (long long)f->job->line_no, f->job->result.message);
    assert_int_equal(f->job->state, JOB_IDLE);
    return f->job;
}

// The next row is bad, and its message says this somewhere.
static inline const struct job *feed_bad(struct feed *f, const char *says) {
    assert_int_equal(feed_next(f), SOURCE_JOB);
    if (f->job->result.outcome != OUTCOME_BAD_INPUT)
        fail_msg("line %lld is good; it should be bad: %s", (long long)f->job->line_no, says);
    if (!strstr(f->job->result.message, says))
        fail_msg("\"%s\" does not say \"%s\"", f->job->result.message, says);
    assert_int_equal(f->job->state, JOB_IDLE);
    return f->job;
}

#define assert_slice(value, text)                                                                  \
    do {                                                                                           \
        struct slice got_ = (value), want_ = SLICE(text);                                          \
        if (!got_.p || !slice_eq(got_, want_))                                                     \
            fail_msg("%s is '%.*s', not '%.*s'", #value, SLICE_ARG(got_), SLICE_ARG(want_));       \
    } while (0)

#define assert_absent(value) assert_null((value).p)

#endif
