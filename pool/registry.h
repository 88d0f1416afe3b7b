// The providers of a run: the built-in ones of pool/catalogue.h, those that the user declares, and the
// built-in ones with the user's changes.
//
// Each has a place, a number below PROVIDERS_MAX: built-in ones as in the catalogue, declared ones
// behind them. A provider that the user did not touch is the catalogue's own row, so its address stands
// for it anywhere; the address of a declared or changed one stays the same once it was declared.
// All declarations come before keys are read. Main thread, at start; constant afterwards.
// SPDX-License-Identifier: MIT
#ifndef POOL_REGISTRY_H
#define POOL_REGISTRY_H

#include "jobs/base/buf.h"
#include "pool/catalogue.h"

#include <stdint.h>

#define PROVIDER_NAME_MAX 32

// Sets of providers, by place.
typedef uint64_t provider_set;
#define PROVIDER_BIT(place) ((provider_set)1 << (place))

// Zeroed memory is the built-in providers. Owned by whoever declares it: registry_free().
struct registry {
    struct provider *own[PROVIDERS_MAX]; // by place: declared or changed; NULL: as built in
    size_t declared;                     // beyond the built-in ones
    void **owned;                        // texts of `own`
    size_t owned_count;
    struct secret **secrets; // values of headers and queries
    size_t secret_count;
};

void registry_free(struct registry *registry);

size_t registry_count(const struct registry *registry);
const struct provider *registry_at(const struct registry *registry, size_t place);
size_t provider_place(const struct provider *provider);

// By name; NULL when it is neither built in nor declared.
const struct provider *registry_find(const struct registry *registry, struct slice name);

// Appends "bigmodel, zai, openai, …": for messages.
void registry_add_names(const struct registry *registry, struct buf *out);

// The row of this name to be changed: a copy of the built-in one, or a new one that speaks like OpenAI
// with a bearer token and has no address yet. NULL: *what says in words what is wrong with the name.
struct provider *registry_declare(struct registry *registry, struct slice name, const char **what);

// A copy of text that lives as long as the registry.
const char *registry_text(struct registry *registry, struct slice text);

// Each false with *what set in words for a user ("must be …") when the value makes no sense.
// The address, without slashes at its end; what is behind a '?' becomes the query.
bool registry_set_address(struct registry *registry, struct provider *provider, struct slice url,
                          const char **what);
// "openai", "anthropic" or "gemini".
bool registry_set_wire(struct provider *provider, struct slice name, const char **what);
// "bearer", "none" or "header: NAME".
bool registry_set_auth(struct registry *registry, struct provider *provider, struct slice auth,
                       const char **what);
// One more variable that holds keys, in front of those that are read already.
bool registry_add_variable(struct registry *registry, struct provider *provider, struct slice name,
                           const char **what);
// One more header. A header of the same name that was added before, or that the wire sends, is replaced.
bool registry_add_header(struct registry *registry, struct provider *provider, struct slice name,
                         struct slice value, const char **what);
// One more part of the query, percent-encoded.
bool registry_add_query(struct registry *registry, struct provider *provider, struct slice name,
                        struct slice value, const char **what);
// This text, a value of one of these, is masked wherever an answer holds it.
void registry_add_secret(struct registry *registry, struct provider *provider, struct slice text);

// Whether the user gave this provider an address.
bool provider_has_own_address(const struct provider *provider);

// Whether the key is sent at all.
static inline bool provider_sends_key(const struct provider *provider) {
    return !provider->auth_prefix || *provider->auth_prefix;
}

#endif
