// A simulated provider on loopback: the demonstration, the test rig and the benchmark's other end.
//
// It speaks every wire as its provider would, each on its own path (/v1/chat/completions,
// /v1/messages, /v1beta/models/…:generateContent), keeps rate, concurrency and daily limits honestly
// per key or group of keys, sends a provider's own rate-limit headers and error bodies (dialect.h),
// makes faults at given rates and outages at given times, and counts per key what it was asked and
// what it answered. An answer repeats the prompt, so that a test can tell whether each row got its own.
// Its keys are `sim-key-1-…` to `sim-key-N-…` (see simulate_key); any other key gets 401.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_SIMULATE_SIMULATE_H
#define RUNNER_SIMULATE_SIMULATE_H

#include "jobs/base/buf.h"
#include "jobs/base/error.h"

#include <stdint.h>

struct simulate_options {
    int64_t port;        // 0: any
    int64_t keys;        // default 3
    const char *latency; // "20ms", "uniform:10ms-50ms", "lognormal:200ms,0.5" (median, sigma)
    int dialect;         // place in dialect_choices[]; 0: decided by the path
    int64_t groups; // that share the limits, key k in group (k - 1) mod groups; 0: each its own
    int64_t rpm;    // per key or group; 0: none
    int64_t burst;  // requests that rpm lets through at once; 0: a minute's
    int64_t tpm;    // per key or group; 0: none
    int64_t rpd;    // per key or group; 0: none
    int64_t day;    // length of a day, microseconds, from the start; 0: 24 hours
    int64_t concurrency; // per key or group; 0: none
    bool silent;         // limits are kept but not told: no headers, no waits, no numbers
    const char *outage;  // "2s,1s,503": after two seconds, for one, with 503; NULL: none
    const char *fault;   // "429=5%,500=1%,reset=0.5%,truncated=1%,slow=1%,malformed=1%"; NULL: none
    const char *fault_key; // "2": faults only on these keys ("1,3"); NULL: on all
    int64_t retry_after;   // microseconds; sent with fault 429 as Retry-After; 0: from the bucket
    const char *reply;     // "echo" (the prompt) or "words:N"
    bool idempotency;  // a request with the Idempotency-Key of one that was answered costs nothing
    const char *log;   // file that gets a line per request: key, tab, prompt; NULL: none
    bool prompt_cache; // each key remembers system prompts and reports cached tokens
    int64_t seed;      // of latencies, faults and words
    const char *dead_key; // "3": these keys always get 401; NULL: none

    // For the command only; simulate_start() does not look at them.
    const char *write_keys; // a .env file with the keys
    bool quiet;             // no table at the end
};

struct simulator;

// Starts it on a thread of its own. NULL with err filled when the port is taken or an option makes
// no sense.
struct simulator *simulate_start(const struct simulate_options *options, struct error *err);

int simulate_port(const struct simulator *s);

// Appends the secret of key n (1-based): what `--provider simulate` puts on its keyring.
void simulate_key(int n, struct buf *out);

// What GET /stats answers: {"requests":…,"keys":[{"key":"simulate-1","requests","ok","failed",
// "rate_limited","input_tokens","output_tokens","in_flight","in_flight_max","connections","early",
// "refused_early"}…],"groups":[{"group":1,…}…]}
// The sums stand in front of the keys (in_flight_max: of all at once), "unknown_key" counts POSTs
// that reached no key, "early" those that came before the time the key's last 429 had named,
// "refused_early" 429s before the time that a 429 of the same group had named, "late_us" how long
// after such a time the key's next request came ("count", "p50", "p99"). "answers" counts the
// answers that were made, whether or not anybody was left to take them, "replays" those that were made
// again for an Idempotency-Key, with no tokens counted. Without groups the last list is empty; with
// them each key names its "group".
void simulate_stats(struct simulator *s, struct buf *out);

// The same as a table for people.
void simulate_table(struct simulator *s, struct buf *out);

// Ends open requests and its thread, frees it. NULL is fine.
void simulate_stop(struct simulator *s);

#endif
