// The plan: everything a run needs to know before it starts, worked out from what the user asked.
//
// Made once on the main thread, constant afterwards.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_PLAN_H
#define RUNNER_PLAN_H

#include "pool/keys/keyring.h"
#include "pool/wire/wire.h"
#include "runner/config.h"
#include "runner/simulate/simulate.h"

// A provider that rows may be sent to.
struct route {
    const struct provider *provider;
    char *base_url;                // without a slash at the end
    struct wire_defaults defaults; // tokens point into `tokens`
    struct buf tokens;
};

struct plan {
    const struct config *config;
    const char *input; // "-" is standard input
    char *output;      // "-" is standard output
    struct keyring keyring;
    struct route *routes; // routes[0] serves rows that name no provider
    size_t route_count;
    size_t slots;                      // most requests in flight
    int64_t cooldown;                  // microseconds, or COOLDOWN_AUTO
    bool embedded;                     // the simulator runs inside this process …
    struct simulate_options simulated; // … with these options
};

// False with err filled: usage or configuration, exit 2.
bool plan_make(struct plan *plan, const struct config *config, const char *input,
               struct error *err);
void plan_free(struct plan *plan);

// The route of a row that names this provider (or none: an empty slice). NULL: it has no keys.
const struct route *plan_route(const struct plan *plan, struct slice provider);

// What only the plan knows about a row: one that its provider's format cannot express is no good.
void plan_judge(const struct plan *plan, struct job *job);

// Sends routes[0] to another address: the embedded simulator's, once it listens.
void plan_set_base_url(struct plan *plan, const char *base_url);

// How many enabled keys the plan's routes have together.
size_t plan_key_count(const struct plan *plan);

#endif
