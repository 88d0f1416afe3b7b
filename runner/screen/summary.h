// The end of a run: a table with a row per key, what came of the jobs, what to do next; and the
// same as JSON (contract section 6).
//
// The caller fills plain values once everything has stopped; nothing here looks at a pool or a job.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_SUMMARY_H
#define RUNNER_SUMMARY_H

#include "jobs/base/buf.h"
#include "jobs/base/error.h"

#include <stdint.h>

// A key's row. Texts are borrowed.
struct summary_key {
    const char *name;     // "openai-1"
    const char *provider; // "openai"
    const char *masked;   // never the secret
    const char *state;    // healthy, degraded, rate_limited or unavailable
    int health;           // 0 to 100
    int64_t requests;     // HTTP requests made with it, refused ones included
    int64_t ok;
    int64_t failed;
    int64_t rate_limited;
    int64_t input_tokens;
    int64_t output_tokens;
    int64_t cached_tokens; // part of the input, which the provider had in its cache
    int64_t p50, p95;      // microseconds; 0: nothing measured
    int64_t last_used;     // wall clock; 0: never
    int64_t cooling_until; // wall clock; 0: it is not cooling
    const char *reason;    // why it is not healthy, in words; NULL
};

// How a measure was spread over the jobs, in microseconds; 0: nothing measured.
struct summary_times {
    int64_t p50, p90, p95, p99, max;
};

struct summary {
    int64_t total;   // rows seen: ok + failed + skipped + those left undone
    int64_t ok;      // in this run
    int64_t failed;  // in this run, bad rows among them
    int64_t skipped; // done by an earlier run
    int64_t bad_rows;
    int64_t attempts; // HTTP requests
    int64_t rate_limited;
    int64_t copies;     // requests sent while another for the same row was out …
    int64_t copies_won; // … and those whose answers were taken
    int64_t elapsed;    // microseconds
    int64_t input_tokens;
    int64_t output_tokens;
    int64_t cached_tokens; // part of the input, which the provider had in its cache
    struct summary_times latency;
    struct summary_times ttft; // to the first token, of answers that came as streams
    bool streaming;            // ttft is of interest
    bool hedging;              // copies are of interest
    const struct summary_key *keys;
    size_t key_count;

    const char *output;     // where the results are; "-": standard output
    bool stopped;           // before the end: a signal, no usable key, a full disk
    const char *stopped_by; // why, as --summary says it; NULL: the run ended by itself
};

// Up to this many keys all have a row; of more, the busiest and the unhealthy ones.
#define SUMMARY_KEYS_SHOWN   50
#define SUMMARY_KEYS_BUSIEST 20

// The table and the lines below it, for a terminal of any width.
void summary_table(const struct summary *summary, struct buf *out);

// The same on stderr.
void summary_print(const struct summary *summary);

// Whether --summary can be meant: standard output is for results only, a directory is no file, and
// the folder must be there. Before the run, so that a typing mistake costs nothing.
bool summary_check_path(const char *path, struct error *err);

// Writes the JSON: beside path first, then renamed, so that path is never half written. What is
// there but is no regular file (/dev/stderr, a FIFO) is written to as it is.
bool summary_write(const struct summary *summary, const char *path, struct error *err);

#endif
