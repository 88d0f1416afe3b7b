// What has happened so far, as numbers. Each thread that counts has a struct of its own; whoever
// shows them adds the structs up.
//
// The counters are sets (⊇ contains; + of sets that share nothing):
//
//   rows       every row the reader handed out
//   rows       ⊇ skipped + bad_rows + accepted
//   skipped    rows that already have a line in the results file; nothing is done for them
//   bad_rows   rows that are no good; each gets a line, nothing is sent
//   accepted   jobs that a loop took
//   accepted   ⊇ finished = ok + failed; the rest waits, is parked or is in flight
//   attempts   HTTP requests made, refused ones included; they belong to accepted jobs
//   attempts   ⊇ rate_limited + retried: rate_limited were refused for rate reasons and used
//              up no retry; retried counts the failed attempts that another one followed
//   attempts   ⊇ copies: sent while another request for the same job was out; copies ⊇ copies_won,
//              whose answers were taken
//   in_flight  attempts that have begun and not ended (goes up and down)
//   *_tokens   as providers reported them, over all ok jobs
//
// A result line is written for ok + failed + bad_rows; the summary's "failed" is failed + bad_rows.
//
// Each counter has one writing thread; any thread may read at any time (relaxed: each number is
// true, two numbers need not be of the same moment). The histograms belong to the loop and are
// read by others only after that thread has ended.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_STATS_H
#define RUNNER_STATS_H

#include "jobs/base/histogram.h"
#include "jobs/reply.h"

#include <stdatomic.h>

typedef _Atomic int64_t stats_counter;

struct stats {
    stats_counter rows;
    stats_counter skipped;
    stats_counter bad_rows;
    stats_counter accepted;
    stats_counter ok;
    stats_counter failed;
    stats_counter attempts;
    stats_counter rate_limited;
    stats_counter retried;
    stats_counter sent_again; // besides attempts: kept connections that ended before an answer
    stats_counter copies;
    stats_counter copies_won;
    stats_counter in_flight;
    stats_counter input_tokens;
    stats_counter output_tokens;
    stats_counter cached_tokens;
    struct histogram latency; // of the last attempts of ok jobs
    struct histogram ttft;    // to the first token, of those that came as a stream
};

// The same as plain numbers: a sum over threads, at about one moment.
struct totals {
    int64_t rows;
    int64_t skipped;
    int64_t bad_rows;
    int64_t accepted;
    int64_t ok;
    int64_t failed;
    int64_t attempts;
    int64_t rate_limited;
    int64_t retried;
    int64_t sent_again;
    int64_t copies;
    int64_t copies_won;
    int64_t in_flight;
    int64_t input_tokens;
    int64_t output_tokens;
    int64_t cached_tokens;
};

// Only the counter's one writer adds, so a load and a store will do: no locked instruction.
static inline void stats_add(stats_counter *counter, int64_t n) {
    int64_t now = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, now + n, memory_order_relaxed);
}

static inline int64_t stats_get(const stats_counter *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

// Adds what a provider said it counted; unknown parts add nothing.
void stats_add_usage(struct stats *stats, const struct usage *usage);

// Gives the histograms' memory back.
void stats_free(struct stats *stats);

// Adds one thread's numbers to a sum that starts zeroed.
void stats_sum(struct totals *totals, const struct stats *stats);

// NULL when the sets above hold for the numbers of an ended run, else the rule that is broken.
const char *stats_fault(const struct totals *totals);

#endif
