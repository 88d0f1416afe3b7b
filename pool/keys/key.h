// A key at work: how it stands, what it has in flight, and what it has done.
//
//   GOOD ──out of money, refused──▶ SUSPENDED until t ──▶ TRIAL ──one request, accepted──▶ GOOD
//   any ──not accepted──▶ REMOVED
//
// Rate limits are not the key's but its account's, per model: pool/pool_parts.h. The key_state is what
// both come to for people. Everything here belongs to the loop thread, except that any thread may
// read key_state() for the live line.
// SPDX-License-Identifier: MIT
#ifndef POOL_KEYS_KEY_H
#define POOL_KEYS_KEY_H

#include "jobs/base/heap.h"
#include "jobs/base/histogram.h"
#include "pool/keys/health.h"
#include "pool/keys/keyring.h"
#include "pool/limits/width.h"

#include <stdatomic.h>
#include <stdint.h>

struct account; // pool/pool_parts.h
struct meter;   // pool/limits/meter.h

enum key_state {
    KEY_READY,     // may take a request
    KEY_FULL,      // all its slots are taken
    KEY_COOLING,   // refused for now: not before rests_until
    KEY_TRIAL,     // its cool-down is over: may take one request, to see
    KEY_PROBING,   // that one request is in flight
    KEY_NO_MODEL,  // its account has not the model: not asked for it for a while
    KEY_SUSPENDED, // money or plan used up, or refused: not before rests_until
    KEY_REMOVED,   // not accepted, for the rest of the run
    KEY_STATES
};

enum key_standing {
    STANDING_GOOD,
    STANDING_SUSPENDED, // until timer.due
    STANDING_TRIAL,     // may make one request at a time, until one is accepted
    STANDING_REMOVED,   // for the rest of the run
};

// What a key did, for the summary. `requests` = ok + failed + rate_limited + in flight.
struct key_counts {
    int64_t requests;     // HTTP requests made with it
    int64_t ok;           // answered
    int64_t failed;       // ended any other way, rate refusals apart
    int64_t rate_limited; // refused for rate reasons (429 and its kin)
    int64_t sent_again;   // besides: its kept connection ended, and the request was sent again
    int64_t input_tokens, output_tokens;
    int64_t cached_tokens; // of the input, as far as the provider told
    int64_t last_used_at;  // wall clock of the last start, 0 never
};

struct key {
    const struct key_entry *entry; // borrowed from the keyring
    struct account *account;
    size_t place; // index among its provider's keys
    enum key_standing standing;
    struct heap_node timer;      // SUSPENDED: when that ends
    _Atomic unsigned char state; // enum key_state; read with key_state()
    int in_flight;
    struct width width;  // how many requests it may have in flight
    struct meter *meter; // its stated limits, or NULL
    int looks;           // times in a row that it was refused although it served before
    int64_t served_at;   // when the latest of its requests that was served was sent; 0 none
    int64_t rests_until; // monotonic: COOLING and SUSPENDED, when that ends; else 0
    struct health health;
    struct key_counts counts;
    struct histogram *latency; // NULL until its first answer
    char *reason;              // why it is not READY, owned; NULL if it is
    void *auth; // the transfer's request headers for it, made on first use, then constant
};

// The only place that writes key->state.
void key_set_state(struct key *key, enum key_state state);

static inline enum key_state key_state(const struct key *key) {
    return (enum key_state)atomic_load_explicit(&key->state, memory_order_relaxed);
}

// For people: "unused" (never asked), "unknown" (all that came were failures), "healthy",
// "degraded", "rate_limited", "no_model" or "unavailable". Nothing is called healthy that is not known.
const char *key_state_name(const struct key *key, int64_t now);

// 0 to 100: pool/keys/health.h; 0 when it is out.
int key_health(const struct key *key, int64_t now);

#endif
