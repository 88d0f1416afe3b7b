// Why nothing moves: the loop says it, the screen shows it.
//
// The loop thread sets what it waits for, as plain values; the main thread makes words of it whenever it
// draws, so that "since 40 s" goes on counting while the loop sleeps. One lock, held for a copy.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_WHY_H
#define RUNNER_WHY_H

#include "jobs/base/buf.h"

#include <pthread.h>
#include <stdint.h>

#define WHY_WORDS_MAX 200

enum why_cause {
    WHY_NOTHING,  // it moves
    WHY_PROVIDER, // a provider cannot be reached or fails
    WHY_LIMITED,  // all keys were refused for rate reasons
    WHY_LIMITS,   // limits that are stated or announced are used up
    WHY_DISK,     // replies wait to be written
    WHY_INPUT,    // no row has come
};

struct why_note {
    enum why_cause cause;
    int64_t since;             // monotonic; 0: not of interest
    int64_t until;             // monotonic: next try, or when it goes on; TIME_NEVER: not known
    const char *who;           // the provider, static; or NULL
    int http_status;           // of the provider's last failure; 0: it did not answer
    char words[WHY_WORDS_MAX]; // what was said, by the provider or the network; "" if nothing
};

struct why {
    pthread_mutex_t lock;
    struct why_note note;
};

void why_init(struct why *why);
void why_free(struct why *why);

// Loop thread.
void why_set(struct why *why, const struct why_note *note);

// What is set; any thread.
struct why_note why_get(struct why *why);

// Appends the note in words: "openai: HTTP 503 since 40 s, next try in 5 s"; nothing when it moves or has
// waited for less than a moment. has_ended: the run is over, so nothing is said about a next try.
void why_describe(const struct why_note *note, int64_t now, int64_t wall, bool has_ended,
                  struct buf *out);

#endif
