// The providers this program knows by itself, as one table: names, addresses, key variables, wire,
// model. Providers that the user declares, and changes to these rows, are in pool/registry.h.
//
// Sources: the providers' API documentation, as noted per row in catalogue.c.
// SPDX-License-Identifier: MIT
#ifndef POOL_CATALOGUE_H
#define POOL_CATALOGUE_H

#include "jobs/base/slice.h"

struct wire;
struct secret;

// All providers of a run, those that the user declares included.
#define PROVIDERS_MAX 64
// Key variables of one provider.
#define PROVIDER_VARIABLES 8

// A header that the user wants in every request to a provider. Its value may be a secret, so it is
// kept as one.
struct provider_header {
    const char *name;
    const struct secret *value;
};

struct provider {
    const char *name; // "bigmodel": what --provider and results say
    const char
        *base_url; // without the wire's own path, no slash at the end; "{model}" in it stands
                   // for the model. NULL: the user must give one
    const char *variables[PROVIDER_VARIABLES]; // key variables without _1, _2 …; NULL ends
    const struct wire *wire;                   // how it is spoken to
    const char *wire_name;                     // its name: "openai", "anthropic", "gemini"
    const char *default_model; // used when neither row nor --model says; NULL: there is none
    const char *batch_prefix;  // start of a batch line's url that base_url already holds: "/v1"
    const char *documentation; // where its limits are described
    // The built-in provider whose error words and rate headers it uses; NULL: those under its own
    // name, else those of any server that speaks its wire.
    const char *family;
    // Header up to the key: "api-key: ". NULL: the wire's. "": the key is not sent.
    const char *auth_prefix;
    const char *query;                     // "api-version=…" behind every path, or NULL
    const struct provider_header *headers; // a NULL name ends; or NULL
    const struct secret *const *secrets; // besides keys: values of headers and query that must not
                                         // be shown; NULL ends; or NULL
    const char *start_hint;              // of a local server: how to start it
    bool key_is_optional;                // answers without a key
    bool
        takes_idempotency_key; // a request with the Idempotency-Key of an earlier one costs nothing
    unsigned place;            // of a declared one: its number among all (pool/registry.h)
};

// All of them, in the order of the manual; a row with a NULL name ends the table.
extern const struct provider catalogue[];

#define CATALOGUE_COUNT 26

// By name; NULL when it is not built in.
const struct provider *catalogue_find(struct slice name);

#endif
