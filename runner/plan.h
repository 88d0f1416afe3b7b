// The plan: everything a run needs to know before it starts, worked out from what the user asked.
//
// Made once on the main thread, constant afterwards.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_PLAN_H
#define RUNNER_PLAN_H

#include "pool/pool.h"
#include "pool/registry.h"
#include "pool/wire/wire.h"
#include "runner/config.h"
#include "runner/error_rate.h"
#include "runner/run_params.h"
#include "runner/simulate/simulate.h"

// Sets of routes, by their places in plan->routes.
typedef provider_set route_set;
#define ROUTES_MAX   PROVIDERS_MAX
#define ROUTE_BIT(i) PROVIDER_BIT(i)

// The first of a set that is not empty.
static inline size_t route_first(route_set routes) {
    return (size_t)__builtin_ctzll(routes);
}

// A provider that rows may be sent to.
struct route {
    const struct provider *provider;
    char *base_url;                // without a slash at the end
    struct wire_defaults defaults; // tokens point into `tokens` and into the plan's params
    bool says;                     // the provider has words for the run's own parameters
    struct buf tokens;
};

struct plan {
    const struct config *config;
    const char *input;        // "-" is standard input
    char *output;             // "-" is standard output
    struct run_params params; // of rows that have none of their own
    struct keyring keyring;
    struct route *routes; // first the order of preference, then whom else rows may name
    size_t route_count;
    size_t order_count;                // so many of them serve rows that name no provider
    size_t slots;                      // most requests in flight
    size_t hosts;                      // to so many each of them may keep a connection
    struct pool_options pool;          // all but the seed; the keyring is the one above
    struct error_rate error_rate;      // that ends the run, at its start
    bool embedded;                     // the simulator runs inside this process …
    struct simulate_options simulated; // … with these options
};

// False with err filled: usage or configuration, exit 2.
bool plan_make(struct plan *plan, const struct config *config, const char *input,
               struct error *err);
void plan_free(struct plan *plan);

// Who may serve this request: bit i is routes[i], lower ones are preferred. 0: nobody, since the
// provider it names has no keys.
route_set plan_routes(const struct plan *plan, const struct request *request);

// What only the plan knows about a row: one that no provider's format can express is no good.
void plan_judge(const struct plan *plan, struct job *job);

// Where the embedded simulator is, once it listens.
void plan_set_simulator(struct plan *plan, const char *base_url);

// How many enabled keys the providers in the order of preference have together.
size_t plan_key_count(const struct plan *plan);

#endif
