// A breaker: when a provider itself fails, all its keys pause once and none of them is blamed.
//
//   CLOSED ──failures in a row──▶ OPEN until t ──one request──▶ PROBING ──passed──▶ RAMP ──▶ CLOSED
//                                  ▲  longer each time             │                  │
//                                  └───────────failed──────────────┴──────failed──────┘
//
// A pause is never much longer than the outage has lasted so far, so work goes on soon after its end.
// An outage that lasts longer than `patience` is not waited for any longer: the breaker has given up
// and admits nothing until an answer passes. The patience is short for a provider that has never
// answered, since the address may be wrong.
//
// It also knows what the retry rule needs: when the provider last served a request, and how often a
// row's first attempt fails.
// Pure; the owner's thread. Zeroed memory with `keys` set is a closed breaker. Times: monotonic microseconds.
// SPDX-License-Identifier: MIT
#ifndef POOL_LIMITS_BREAKER_H
#define POOL_LIMITS_BREAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BREAKER_FAILURES     5 // in a row; fewer with few keys, more where much fails anyway
#define BREAKER_FIRST        INT64_C(250000)    // the first pause: 0.25 s …
#define BREAKER_MOST         INT64_C(5000000)   // … doubling to 5 s
#define BREAKER_PROBE_MOST   INT64_C(30000000)  // a probe that hangs is followed by another
#define BREAKER_HINT_MOST    INT64_C(60000000)  // what a provider asks for is believed up to this
#define BREAKER_PATIENCE     INT64_C(600000000) // 10 minutes
#define BREAKER_PATIENCE_NEW INT64_C(30000000)  // before its first answer: 30 s

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_PROBING, BREAKER_RAMP };

struct breaker {
    size_t keys; // set by the owner
    enum breaker_state state;
    bool has_passed;     // at least once, ever
    bool given_up;       // the outage has lasted longer than the patience
    int64_t patience;    // set by the owner; 0: BREAKER_PATIENCE, or BREAKER_PATIENCE_NEW
    double share;        // of failures among answers, on average …
    int counted;         // … of so many
    int failures;        // one after the other
    int64_t began;       // when that row of failures began
    int64_t changed;     // when the state last changed: what was sent before says nothing about it
    int64_t until;       // OPEN: when the probe may go
    int64_t pause;       // the last one's length
    int64_t served_from; // the latest time at which a request was sent that then passed
    double first_share;  // of rows whose first attempt failed, among the last …
    int firsts;          // … of so many first attempts
    size_t room;         // RAMP: how many may be in flight, time apart …
    size_t in_flight;    // … and are, of what was sent since it began
};

// Whether a request may go now. False: *when is the time to ask again, TIME_NEVER: with the next
// answer.
bool breaker_admits(const struct breaker *b, int64_t now, int64_t *when);

// A request goes; it ends with exactly one of the three below. True when it is the probe.
bool breaker_took(struct breaker *b, int64_t now);

// It was not sent after all, or ended without a word on the provider.
void breaker_left(struct breaker *b, int64_t sent_at);

// The provider answered, be it with a refusal.
void breaker_passed(struct breaker *b, int64_t sent_at, int64_t now);

// The provider failed. sure: it says itself that it is overloaded, one such word is enough. hint:
// how long it asks to wait, -1 none. True when a pause began that was none before.
bool breaker_failed(struct breaker *b, int64_t sent_at, bool sure, int64_t hint, int64_t now);

// A row's first attempt failed or not.
void breaker_note_first(struct breaker *b, bool failed);

// Failures one after the other that a row may meet by chance with a probability above `least`, given
// how often first attempts fail; at most BREAKER_CHANCE_MOST. 0 as long as little is known.
#define BREAKER_CHANCE_MOST 40
int breaker_by_chance(const struct breaker *b, double least);

// Whether it is in an outage: nothing passes, and a pause has begun.
static inline bool breaker_is_down(const struct breaker *b) {
    return b->state == BREAKER_OPEN || b->state == BREAKER_PROBING;
}

#endif
