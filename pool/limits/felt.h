// A rate limit that nobody announces, felt from refusals. Per account.
//
// Between two refusals the provider's bucket went from empty to empty: what passed between them,
// over the time between, is its refill rate, less what it could not hold during a pause. And the
// pace that was refused was too fast. So every refusal gives a bracket of the true rate, and requests
// go on evenly spaced at its geometric middle. What passes raises the pace: fast while nothing but a
// first guess is known, towards the pace that was refused, slowly past it, and ever faster when no
// refusal comes, so that a raised limit is found.
// Pauses after a refusal (cooldown.h) are the caller's; they come on top. One that goes on alone to
// see, as a key after its cool-down, is understood; with answers that take long, going on at the
// pace is faster.
// Loop thread; pure. Zero-initialised: nothing felt, always ready.
// SPDX-License-Identifier: MIT
#ifndef POOL_LIMITS_FELT_H
#define POOL_LIMITS_FELT_H

#include <stdbool.h>
#include <stdint.h>

// Nothing refused for so long, the limit is forgotten: an hour.
#define FELT_FORGOTTEN_AFTER (3600 * INT64_C(1000000))

struct felt {
    uint64_t takes;  // how many were ever taken: the next serial
    double rate;     // the pace, requests a microsecond; 0: none
    double begun;    // the lowest it was since the limit was last reached
    double refused;  // the pace that was last refused
    double ceiling;  // the most that the limit should be, as of the last refusal; 0: not known
    double grown;    // how many raised it since the last refusal
    int64_t next_at; // when the next one is due
    bool is_pacing;  // the last take waited for its turn: it is the pace that holds us up

    // The refusal that the next one is measured from.
    bool was_refused;
    uint64_t reached_serial;
    int64_t reached_at; // when it was sent
    uint64_t not_taken; // refused or returned since
    int64_t passed;     // passed since, as of the latest refusal
    int64_t paused;     // microseconds between a refusal and going on, since

    // Whether pacing helps.
    int known;             // passed since a refusal …
    int64_t known_from;    // … at this time …
    uint64_t known_serial; // … of those from this one on
    int since;             // passed since the last refusal
    double proven;         // a pace that the limit is not below: what passed between two refusals
    int doubts;            // refusals at a pace below that
    int64_t quiet;         // how long pacing was left off the last time
    int64_t off_until;     // left off until then

    // What passed since the last refusal, for what may be chance.
    int run;             // passed since …
    uint64_t run_serial; // … this request was refused …
    int64_t run_from;    // … which was sent at this time; 0: none was refused yet
    int64_t noted_at;    // when its refusal came …
    int64_t went_on_at;  // … and when the next request was taken; 0: none yet
    int64_t idle;        // microseconds between refusals and going on, in all
    bool goes_on; // after some refusals at once: then the pace is that of the time in between
    int noted;    // refusals, in all
    int chances;  // evidence that refusals come by chance

    int64_t refused_at;      // when the latest refused one was sent
    int64_t resumed_at;      // when the second one after it was sent: the first may go alone
    int resuming;            // how many of these two are to come
    uint64_t lowered_serial; // refusals of what was taken before this are old news
};

// now, or when the next request is due.
int64_t felt_ready_at(const struct felt *f, int64_t now);

// Returns the request's serial number, to be kept with its lease.
uint64_t felt_take(struct felt *f, int64_t now);

// It was refused for its rate. sent_at: when it was taken.
void felt_refused(struct felt *f, uint64_t serial, int64_t sent_at, int64_t now);

// The same, but it may be chance (limits/chance.h): it is measured, and lowers the pace only once there is
// one, or after several of these.
void felt_refused_perhaps(struct felt *f, uint64_t serial, int64_t sent_at, int64_t now);

// It was not refused for its rate: answered, or failed otherwise.
void felt_passed(struct felt *f, uint64_t serial);

// It was never sent.
void felt_return(struct felt *f, uint64_t serial);

#endif
