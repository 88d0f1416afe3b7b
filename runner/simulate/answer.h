// What the simulator answers to one request, without a socket: bytes and a plan in, bytes out.
//
// The caller: answer_make() when a whole request is there, waits answer->delay, sends `out` in the
// manner it names, and settles it in the ledger (answer->settlement) when answer->key is not 0.
//
// Reproducible under a seed: what befalls a request (fault, latency) is drawn from the seed, a hash
// of its body and how often that body was let through before. So the first, second … attempt of a
// row meets the same fate in every run, whichever key serves it and whatever arrives in between;
// refusals by the limits and outages depend on time and are not drawn, and do not count as an attempt.
//
// Rate-limit headers are made at admission: right after the request was let through, its own share
// taken, or refused, from the very buckets that decided it. So remaining is what the next request at
// that moment would have found; what was used or came back while this answer waited is not in it, and
// a reset given as a duration counts from admission, not from when the answer leaves.
// One thread, but for the ledger inside.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_SIMULATE_ANSWER_H
#define RUNNER_SIMULATE_ANSWER_H

#include "runner/simulate/dialect.h"
#include "runner/simulate/events.h"
#include "runner/simulate/fault.h"
#include "runner/simulate/latency.h"
#include "runner/simulate/ledger.h"
#include "runner/simulate/outage.h"
#include "runner/simulate/seen.h"
#include "runner/simulate/simulate.h"

#include <stdio.h>

struct answerer {
    struct ledger *ledger;
    struct ledger_limits limits;
    const struct dialect *dialect; // NULL: the path decides
    bool silent;                   // limits are kept but not told
    struct outages outages;
    int64_t first_request; // when it came; -1: not yet
    struct latency latency;
    struct fault_rates faults;
    struct key_ranges fault_keys; // none: all
    struct key_ranges dead_keys;
    int64_t retry_after; // 0: what the bucket says
    int64_t words;       // 0: echo
    uint64_t seed;
    uint64_t serial; // requests answered
    struct seen seen;
    bool idempotency;
    struct seen answered; // with idempotency: keys whose answer was made
    FILE *log;
    bool prompt_cache;
    struct seen prompts; // with prompt_cache: system prompts that a key was asked with
    struct buf text;     // words of the answer being made
    struct buf model;    // its model, where the path names it
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
    SEND_STALLED,   // a stream: what there is; else half; then nothing, the connection stays open
    SEND_NOTHING,   // no answer, the connection stays open
};

struct answer {
    int status;
    enum manner manner;
    const char *content_type;
    const struct event_form *events; // NULL: it is no stream
    int64_t key;                     // 0: reached none, nothing to settle
    int64_t delay;                   // microseconds until its first byte may leave
    int64_t spread;                  // microseconds from there to its last byte
    // What nothing more comes of, it being stalled or silent, is settled at once: a client that gave
    // up and comes again is not counted as two.
    struct settlement settlement;
    struct header_list headers; // of limits and waits
};

void answer_make(struct answerer *a, const struct ask *ask, int64_t now, struct answer *answer,
                 struct buf *out);

#endif
