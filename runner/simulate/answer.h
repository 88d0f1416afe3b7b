// What the simulator answers to one request, without a socket: bytes and a plan in, bytes out.
//
// The caller: answer_make() when a whole request is there, waits answer->delay, sends `out` in the
// manner it names, and settles it in the ledger (answer->settlement) when answer->key is not 0.
//
// Reproducible under a seed: what befalls a request (fault, latency) is drawn from the seed, a hash
// of its body and how often that body was let through before. So the first, second … attempt of a
// row meets the same fate in every run, whichever key serves it and whatever arrives in between;
// refusals by the limits depend on time and are not drawn, and do not count as an attempt.
// One thread, but for the ledger inside.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_SIMULATE_ANSWER_H
#define RUNNER_SIMULATE_ANSWER_H

#include "runner/simulate/dialect.h"
#include "runner/simulate/fault.h"
#include "runner/simulate/latency.h"
#include "runner/simulate/ledger.h"
#include "runner/simulate/seen.h"
#include "runner/simulate/simulate.h"

struct answerer {
    struct ledger *ledger;
    struct latency latency;
    struct fault_rates faults;
    struct key_ranges fault_keys; // none: all
    struct key_ranges dead_keys;
    int64_t retry_after; // 0: what the bucket says
    int64_t words;       // 0: echo
    uint64_t seed;
    uint64_t serial; // requests answered
    struct seen seen;
    struct buf text;  // words of the answer being made
    struct buf model; // its model, where the path names it
};

// False with err filled when an option makes no sense.
bool answerer_init(struct answerer *a, const struct simulate_options *options, int64_t now,
                   struct error *err);
void answerer_free(struct answerer *a);

// One request. Slices live until answer_make() returns.
struct ask {
    const char *method;
    const char *path;
    struct slice authorization; // the header's value
    struct slice body;
    // Other headers and arguments of the URL; SLICE_NONE when not sent. NULL: there are none.
    struct slice (*header)(const void *context, const char *name);
    struct slice (*argument)(const void *context, const char *name);
    const void *context;
    bool too_large;   // the body was beyond what is read
    int64_t last_key; // of the request before on this connection
};

enum manner {
    SEND_WHOLE,
    SEND_STREAM,    // as events, spread over the time `spread`
    SEND_SLOWLY,    // the same for a whole answer
    SEND_TRUNCATED, // announce it whole, send half, end the connection
    SEND_RESET,     // reset the connection instead
};

struct answer {
    int status;
    enum manner manner;
    const char *content_type;
    const struct dialect *dialect; // of its headers and events
    int64_t key;                   // 0: reached none, nothing to settle
    int64_t delay;                 // microseconds until its first byte may leave
    int64_t spread;                // microseconds from there to its last byte
    struct settlement settlement;
    bool limits_shown; // rate-limit headers belong to it
};

void answer_make(struct answerer *a, const struct ask *ask, int64_t now, struct answer *answer,
                 struct buf *out);

#endif
