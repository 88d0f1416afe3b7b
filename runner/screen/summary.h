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
    const char *state;    // unused, unknown, healthy, degraded, rate_limited, no_model, unavailable
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
    int64_t sent_again;    // besides requests: their kept connection ended before an answer
};

// Why attempts and rows failed: one entry for each class of error. Texts are borrowed.
struct summary_error {
    const char *class;      // "invalid_request"
    int64_t rows;           // that failed for good so
    int64_t attempts;       // failed attempts, those of rows that succeeded later among them
    const char *message;    // an example, in the provider's words
    const char *example_id; // of the row it is about
    const char *key;        // name of the key it was asked with; NULL: none
};

// How a measure was spread over the jobs, in microseconds; 0: nothing measured.
struct summary_times {
    int64_t p50, p90, p95, p99, max;
};

struct summary {
    int64_t total;   // rows of the input: ok + failed + skipped + those left undone
    bool at_least;   // there may be more rows: the input was not read to its end
    int64_t ok;      // in this run
    int64_t failed;  // in this run, bad rows among them
    int64_t skipped; // done by an earlier run
    int64_t bad_rows;
    int64_t attempts; // HTTP requests
    int64_t rate_limited;
    int64_t sent_again; // besides requests: their kept connection ended before an answer
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
    const struct summary_error *errors;
    size_t error_count;
    const char *waited_for; // why nothing moved when the run ended; NULL
    bool may_be_faster;     // keys were never limited and had one request each in flight
    int width;              // of the terminal, in columns; 0: any

    const char *output;     // where the results are; "-": standard output
    bool stopped;           // before the end: a signal, no usable key, a full disk
    const char *stopped_by; // why, as --summary says it; NULL: the run ended by itself
};

// Up to this many keys all have a row; of more, the busiest and the unhealthy ones.
#define SUMMARY_KEYS_SHOWN   50
#define SUMMARY_KEYS_BUSIEST 20

// Reasons for failures that the screen shows; --summary has all.
#define SUMMARY_ERRORS_SHOWN 3

// The table and the lines below it. Where the terminal is narrow, columns are left out and lines folded.
void summary_table(const struct summary *summary, struct buf *out);

// The same on stderr, for the terminal there if there is one.
void summary_print(struct summary *summary);

// The JSON as one line to stderr, for --progress json.
void summary_print_json(const struct summary *summary);

// Whether --summary can be meant: standard output is for results only, a directory is no file, and
// the folder must be there. Before the run, so that a typing mistake costs nothing.
bool summary_check_path(const char *path, struct error *err);

// Writes the JSON: beside path first, then renamed, so that path is never half written. What is
// there but is no regular file (/dev/stderr, a FIFO) is written to as it is.
bool summary_write(const struct summary *summary, const char *path, struct error *err);

#endif
