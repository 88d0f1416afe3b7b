// The providers this program knows, as one table: names, addresses, key variables, wire, model.
//
// Sources: the providers' API documentation, as noted per row in catalogue.c.
// SPDX-License-Identifier: MIT
#ifndef POOL_CATALOGUE_H
#define POOL_CATALOGUE_H

#include "jobs/base/slice.h"

struct wire;

struct provider {
    const char *name;         // "bigmodel": what --provider and results say
    const char *base_url;     // without the wire's own path, no slash at the end
    const char *variables[3]; // key variables without _1, _2 …; first is <NAME>_API_KEY; NULL ends
    const struct wire *wire;  // how it is spoken to
    const char *wire_name;    // its name: "openai", "anthropic", "gemini"
    const char *default_model; // used when neither row nor --model says
    const char
        *batch_prefix; // start of a batch line's url that base_url already holds: "/v1", "/v4"
    const char *documentation; // where its limits are described
    bool
        takes_idempotency_key; // a request with the Idempotency-Key of an earlier one costs nothing
};

// All of them, in the order of the contract; a row with a NULL name ends the table.
extern const struct provider catalogue[];

#define CATALOGUE_COUNT 10

// By name; NULL when there is none.
const struct provider *catalogue_find(struct slice name);

// "bigmodel, zai, openai, …": for error messages. Static.
const char *catalogue_names(void);

#endif
