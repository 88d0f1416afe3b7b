// Per key: what it may do, and what it has done. The truth that GET /stats tells.
//
// Limits belong to a group of keys, as providers count per account or project: key k is in group
// (k - 1) mod groups, and without groups each key is a group of its own. Counts belong to the key.
// A request: ledger_arrive(), ledger_admit(), and once what comes of it is ready to leave,
// ledger_settle(). So a client that waits for an answer before it sends the next request on the same
// key is never counted as two in flight.
//   requests = ok + failed + rate_limited + in flight
// Any thread; each call takes the ledger's own lock.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_SIMULATE_LEDGER_H
#define RUNNER_SIMULATE_LEDGER_H

#include "jobs/base/buf.h"

#include <stdint.h>

struct ledger;

struct ledger_limits {
    int64_t keys;
    int64_t groups;                     // 0: each key is its own
    int64_t rpm, tpm, rpd, concurrency; // per group; 0: none
    int64_t burst;                      // requests that --rpm lets through at once; 0: a minute's
    int64_t day;                        // microseconds; 0: 24 hours
    bool day_refills;                   // the day's quota comes back evenly, not all at once
};

struct ledger *ledger_new(const struct ledger_limits *limits, int64_t now);
void ledger_free(struct ledger *l); // NULL is fine

// The number of the key whose secret this is; 0 when it is none of them.
int64_t ledger_find(const struct ledger *l, struct slice secret);

// A POST has reached a key. fresh: the first with this key on its connection.
void ledger_arrive(struct ledger *l, int64_t key, bool fresh, int64_t now);
// A POST has reached none.
void ledger_arrive_nowhere(struct ledger *l);

enum limit_kind {
    LIMIT_NONE,
    LIMIT_REQUESTS, // in a minute
    LIMIT_TOKENS,   // in a minute
    LIMIT_CONCURRENCY,
    LIMIT_DAY, // requests in a day
    LIMIT_COUNT
};

// Why a request is refused, in the numbers of the provider's message.
struct refusal {
    enum limit_kind kind;
    int64_t limit, used, requested;
    int64_t wait; // microseconds; -1: not known or not told; BUCKET_NEVER: waiting cannot help
    bool silent;  // neither numbers nor the wait are told
};

// Takes one request and `tokens` from the group's buckets, or nothing at all when one of its limits
// forbids it. What fails later has been taken nevertheless.
bool ledger_admit(struct ledger *l, int64_t key, int64_t tokens, int64_t now,
                  struct refusal *refusal);

// An answer is made; again: for the Idempotency-Key of an earlier one.
void ledger_answer(struct ledger *l, bool again);

enum settled { SETTLED_OK, SETTLED_FAILED, SETTLED_RATE_LIMITED };

struct settlement {
    enum settled how;
    int64_t input_tokens, output_tokens; // counted with SETTLED_OK only
    int64_t retry_after;                 // what the client was asked to wait, -1 nothing
};

void ledger_settle(struct ledger *l, int64_t key, const struct settlement *settlement, int64_t now);

// What is left of a limit, for the rate-limit headers.
struct allowance {
    int64_t limit; // 0: none
    int64_t remaining;
    int64_t reset; // microseconds until full
};

// Fills what is left of REQUESTS, TOKENS and DAY, in the very buckets that ledger_admit() takes from.
void ledger_allowances(struct ledger *l, int64_t key, int64_t now,
                       struct allowance allowances[LIMIT_COUNT]);

// Microseconds until the group's bucket lets a request through; -1 when requests are not limited.
int64_t ledger_wait(struct ledger *l, int64_t key, int64_t now);

// Microseconds until the next day begins; days are counted from ledger_new().
int64_t ledger_day_left(const struct ledger *l, int64_t now);

// Appends what GET /stats answers; see simulate.h. Keys that were never used are listed as well.
void ledger_stats(struct ledger *l, struct buf *out);
// The same as a table for people, used keys only, at most `rows` of them.
void ledger_table(struct ledger *l, int rows, struct buf *out);
// Counts start again with what is in flight; the buckets stay as they are.
void ledger_reset(struct ledger *l);

// Appends the secret of key n; see simulate_key().
void ledger_add_secret(int64_t n, struct buf *out);

#endif
