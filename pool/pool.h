// The pool: which key serves next, or when. One door: acquire a lease, release it with what came.
//
// Jobs for one model of one provider are a channel: limits and refusals are counted per account and
// model there, so jobs for another model neither wait for them nor suffer from them.
//
// The caller (the loop thread, which owns the pool):
//   1. pool_tell_time() when it wakes up;
//   2. pool_acquire() for a job's channel: a lease on a key, or when to come again, or none left;
//   3. send the request with the lease's key;
//   4. pool_release(), always, exactly once per lease, with what came of it (pool_return() when
//      nothing was sent).
// Invariants: acquire never waits, it tells when; choosing costs O(log n) in the number of keys at
// most; a refusal applies to the level that it names and to no other; time comes in as a parameter.
// SPDX-License-Identifier: MIT
#ifndef POOL_POOL_H
#define POOL_POOL_H

#include "jobs/base/random.h"
#include "jobs/refusals.h"
#include "jobs/reply.h"
#include "pool/keys/key.h"
#include "pool/keys/strategy.h"
#include "pool/limits/announced.h"
#include "pool/limits/cost.h"
#include "pool/limits/spend.h"
#include "pool/signals/signals.h"

struct pool;
struct channel;

#define SLOTS_AUTO 0

struct pool_options {
    const struct keyring *keyring; // borrowed for the pool's life
    enum strategy strategy;
    int slots_per_key;        // SLOTS_AUTO: as many at once as turns out to pay
    struct key_limits limits; // of every key that states none itself; 0: none
    int64_t cooldown;         // COOLDOWN_AUTO or fixed microseconds
    bool feels_nothing;       // rates that nobody announces are not felt; so with a fixed cooldown
    uint64_t seed;            // of jitter and chance
    int64_t outage_patience;  // how long an outage is waited for; 0: see pool/limits/breaker.h
};

struct pool *pool_new(const struct pool_options *options);
void pool_free(struct pool *pool);

// What time it is: monotonic and wall clock, microseconds. Days end by the wall clock, everything
// else runs on the monotonic one; a wall clock that jumps moves the ends of days and nothing else.
void pool_tell_time(struct pool *pool, int64_t now, int64_t now_wall);

// The channel for a model (string token; its bytes are copied) of a provider; made on first use, the
// same afterwards. NULL when the provider has no enabled key. Beyond CHANNELS_MAX models of a
// provider, further ones share one channel.
#define CHANNELS_MAX 64
struct channel *pool_channel(struct pool *pool, const struct provider *provider,
                             struct slice model);

// What a request will take, as far as it is known before it is sent.
struct need {
    int64_t input_tokens;  // estimated
    int64_t output_tokens; // the most it may be answered with; -1: not known, the pool estimates
    uint64_t affinity;     // requests alike in this prefer the same key; 0: none
    uint64_t row;          // which row it is of; 0: not said, and every refusal is its key's
    const struct row_refusals *refused; // who refused this row so far, or NULL
    bool others_wait;                   // other rows wait for keys of this provider
};

struct lease {
    struct key *key;
    // The pool's own.
    struct channel *channel;
    struct seat *seat;
    struct charge charge; // what it was expected to take
    uint64_t serial;      // among its account's requests (limits/felt.h)
    int in_flight;        // requests its key had under way, itself included
    uint64_t row;         // of its need
    bool is_trial;        // the one that shows whether its account's cool-down is over
};

enum pool_answer {
    POOL_LEASED, // *lease is filled
    POOL_BUSY,   // all keys that may serve now have their hands full: with the next release, or at
                 // *not_before if that is earlier
    POOL_LATER,  // no key may serve now: not before *not_before; TIME_NEVER: with the next release
    POOL_ROW_LATER, // not this row, before *not_before; another may be served now
    POOL_NO_MODEL,  // no key of this provider has this model, for minutes at least
    POOL_NONE,      // no key of this provider can serve again in this run, or its outage has lasted
                    // longer than the patience
};

enum pool_answer pool_acquire(struct channel *channel, const struct need *need, int64_t now,
                              struct lease *lease, int64_t *not_before);

// A lease for a copy of a request that is under way: on a key of the same channel but of another
// account. Only while nothing there is limited: no account rests or is being looked at, no key is out
// for money, the provider does not fail. False: not now.
bool pool_acquire_other(const struct lease *first, const struct need *need, int64_t now,
                        struct lease *lease);

// What an attempt came to, for the key.
struct pool_report {
    const struct verdict *verdict;     // outcome OUTCOME_OK for an answer
    struct usage usage;                // as far as it was told, whatever the outcome
    enum request_end end;              // what the rest of it is taken to be
    int64_t latency;                   // microseconds
    const struct announced *announced; // the limits its headers told, or NULL
    bool is_first;                     // of its row's attempts
    bool is_unprocessed;          // its kept connection ended at once: counted by the limits alone
    bool is_cut_short;            // we broke it off: its failing says nothing about anybody
    struct row_refusals *refused; // of the lease's row: a refusal is added to them; or NULL
    bool others_wait;             // as in struct need
};

// Whose a refusal is, for the job.
enum pool_blame {
    BLAME_VERDICT, // as the verdict has it
    BLAME_OPEN,    // not known yet: the row goes on, with another key if there is one
    BLAME_ROW,     // the row's own: it fails as report->refused->fails_as
};

enum pool_blame pool_release(struct lease *lease, const struct pool_report *report, int64_t now);

// Whether a row is to blame for its refusals by now: others were served by the keys that refused it.
bool pool_blames_row(const struct row_refusals *refused, bool others_wait);

// Gives a lease back as if it had never been taken: nothing was sent.
void pool_return(struct lease *lease, int64_t now);

// Whether there is a key that knows rows alike (need->affinity), and whether it may be chosen now.
enum pool_favourite { FAVOURITE_NONE, FAVOURITE_BUSY, FAVOURITE_OPEN };
enum pool_favourite pool_favourite(struct channel *channel, uint64_t affinity);

// Whether no key of this provider can serve again in this run, or it has none.
bool pool_is_spent(struct pool *pool, const struct provider *provider, int64_t now);

// Every enabled key, for summary and live line.
size_t pool_key_count(const struct pool *pool);
const struct key *pool_key(const struct pool *pool, size_t i);

// The same key to change what others keep on it (key->auth).
struct key *pool_key_mutable(struct pool *pool, size_t i);

#endif
