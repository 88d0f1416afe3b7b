// A key at work: its state, what it has in flight, and what it has done.
//
//   READY ⇄ FULL (its slots are taken) · COOLING until t ──▶ TRIAL ──one request──▶ PROBING ──▶ READY
//   SUSPENDED (no money: a rare probe) · REMOVED (not accepted)
//
// Only key_set_state() writes the state; the pool's lists follow from it. Everything here belongs to
// the loop thread, except that any thread may read key_state() for the live line.
// SPDX-License-Identifier: MIT
#ifndef POOL_KEYS_KEY_H
#define POOL_KEYS_KEY_H

#include "jobs/base/heap.h"
#include "jobs/base/histogram.h"
#include "pool/keys/health.h"
#include "pool/keys/keyring.h"

#include <stdatomic.h>
#include <stdint.h>

enum key_state {
    KEY_READY,     // may take a request
    KEY_FULL,      // all its slots are taken
    KEY_COOLING,   // refused for now: not before `timer.due`
    KEY_TRIAL,     // its cool-down is over: may take one request, to see
    KEY_PROBING,   // that one request is in flight
    KEY_SUSPENDED, // money or plan used up: not before `timer.due`, hours away
    KEY_REMOVED,   // not accepted, for the rest of the run
    KEY_STATES
};

// What a key did, for the summary. `requests` = ok + failed + rate_limited + in flight.
struct key_counts {
    int64_t requests;     // HTTP requests made with it
    int64_t ok;           // answered
    int64_t failed;       // ended any other way, rate refusals apart
    int64_t rate_limited; // refused for rate reasons (429 and its kin)
    int64_t input_tokens, output_tokens;
    int64_t cached_tokens; // of the input, as far as the provider told
    int64_t last_used_at;  // wall clock of the last start, 0 never
};

struct key {
    const struct key_entry *entry; // borrowed from the keyring
    size_t place;                  // index among its provider's keys
    _Atomic unsigned char state;   // enum key_state; read with key_state()
    struct heap_node timer;        // COOLING, SUSPENDED: when that ends
    int in_flight;
    int slots;         // requests it may have in flight
    int refusals;      // one after the other, without a success in between
    int64_t cooled_at; // monotonic, when the last cool-down began
    struct health health;
    struct key_counts counts;
    struct histogram *latency; // NULL until its first answer
    char *reason;              // why it is not READY, owned; NULL if it is
    void *auth;                // the transfer's request headers for it, made on first use
};

// The only place that writes key->state: a move that the drawing does not show is a bug.
void key_set_state(struct key *key, enum key_state state);

static inline enum key_state key_state(const struct key *key) {
    return (enum key_state)atomic_load_explicit(&key->state, memory_order_relaxed);
}

// May it be given a request now?
static inline bool key_is_open(enum key_state state) {
    return state == KEY_READY || state == KEY_TRIAL;
}

// For people: "healthy", "degraded", "rate_limited" or "unavailable" (contract section 6).
const char *key_state_name(const struct key *key, int64_t now);

// 0 to 100 (see health.h); 0 when suspended or removed.
int key_health(const struct key *key, int64_t now);

#endif
