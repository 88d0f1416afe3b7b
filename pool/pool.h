// The pool: which key serves next, or when. One door: acquire a lease, release it with what came.
//
// The caller (the loop thread):
//   1. pool_acquire() for a job's provider: a lease on a key, or "not before t", or none left;
//   2. send the request with the lease's key;
//   3. pool_release(), always, exactly once per lease, with the verdict.
// Invariants: acquire never waits, it tells when; choosing costs O(log n) in the number of keys at
// most; time comes in as a parameter (monotonic microseconds).
// SPDX-License-Identifier: MIT
#ifndef POOL_POOL_H
#define POOL_POOL_H

#include "jobs/base/random.h"
#include "jobs/reply.h"
#include "pool/keys/key.h"
#include "pool/signals/signals.h"

struct pool;
struct pool_provider; // a provider and its keys within a pool

struct pool_options {
    const struct keyring *keyring; // borrowed for the pool's life
    int slots_per_key;
    int64_t cooldown; // COOLDOWN_AUTO or fixed microseconds
    uint64_t seed;    // of the jitter
};

struct pool *pool_new(const struct pool_options *options);
void pool_free(struct pool *pool);

// The part of the pool that serves a provider; NULL when it has no enabled key.
struct pool_provider *pool_find(struct pool *pool, const struct provider *provider);

struct lease {
    struct pool_provider *home;
    struct key *key;
    int64_t taken_at;
};

enum pool_answer {
    POOL_LEASED, // *lease is filled
    POOL_LATER,  // not before *not_before; TIME_NEVER: when a lease is released
    POOL_NONE,   // no key of this provider can serve again in this run
};

enum pool_answer pool_acquire(struct pool_provider *home, int64_t now, struct lease *lease,
                              int64_t *not_before);

// What an attempt came to, for the key.
struct pool_report {
    const struct verdict *verdict; // outcome OUTCOME_OK for an answer
    struct usage usage;
    int64_t latency; // microseconds
};

void pool_release(struct pool *pool, struct lease *lease, const struct pool_report *report,
                  int64_t now);

// Gives a lease back as if it had never been taken: nothing was sent.
void pool_return(struct lease *lease);

// Every enabled key of the providers that are used, for summary and live line.
size_t pool_key_count(const struct pool *pool);
const struct key *pool_key(const struct pool *pool, size_t i);

// The same key to change what others keep on it (key->auth).
struct key *pool_key_mutable(struct pool *pool, size_t i);

#endif
