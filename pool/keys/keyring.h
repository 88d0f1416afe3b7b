// Keys as they were given: from --keys FILE,…, else --env-file or ./.env, else the environment.
//
// Each provider's keys come from the first of these sources that has any for it, and from that alone. A
// secret given twice there is one key (a warning names both places). Positions and numbers in names are
// those of the source: OPENAI_API_KEY=a,b gives openai-1 and openai-2, OPENAI_API_KEY_7 openai-7.
// A name that is taken already gets the next free number. The same text as a key of two providers is
// two keys: a private gateway may take one token for all.
// Main thread, before the others start; constant afterwards.
// SPDX-License-Identifier: MIT
#ifndef POOL_KEYS_KEYRING_H
#define POOL_KEYS_KEYRING_H

#include "jobs/base/error.h"
#include "pool/keys/strategy.h"
#include "pool/registry.h"
#include "pool/secret.h"

#include <stdint.h>

// Limits as the user stated them; 0 means not stated.
struct key_limits {
    int64_t rpm; // requests a minute
    int64_t tpm; // tokens a minute
    int64_t rpd; // requests a day
    int64_t tpd; // tokens a day
    int64_t concurrency;
    int64_t requests; // in any time of the length `window`
    int64_t window;   // microseconds; 0 where `requests` is 0
};

struct key_entry {
    const struct provider *provider;
    char *name;            // "openai-1"
    char *group;           // the account it belongs to; NULL: its own
    struct secret *secret; // owned
    char *place;           // "OPENAI_API_KEY_2", "keys.env:3", "pool.json: providers.zai.keys[0]"
    struct key_limits limits;
    double weight;    // 1 when not stated
    int64_t priority; // lower is first; 0 when not stated
    bool has_weight, has_priority;
    bool enabled;
    bool beside; // of a provider that only rows which name it are sent to
    char **tags; // NULL-terminated, or NULL
};

// An account as a pool file describes it: limits that all its keys share.
struct key_group {
    const struct provider *provider;
    char *name;
    struct key_limits limits;
};

struct keyring {
    struct key_entry *entries; // grouped by nothing: in the order they were found
    size_t count;
    size_t cap;
    // From a JSON pool file:
    struct key_group *groups; // by provider and name, so that keyring_group() finds them
    size_t group_count;
    enum strategy strategy; // if has_strategy
    bool has_strategy;
    char *order;     // "zai,groq": the providers in order of preference, or NULL
    int64_t recheck; // microseconds: keys that are out are checked again that often; 0: not stated

    struct registry providers;    // those that a pool file or --provider declares included
    char *sources[PROVIDERS_MAX]; // by place: where a provider's keys come from, or NULL
    char *near_misses;            // what looks like a key variable and is none, in words; or NULL
    const char *tags; // what keyring_keep_tagged() was asked for last, borrowed; or NULL
};

struct keyring_options {
    const char *keys_file; // --keys: one file, or several with commas between; or NULL
    const char *env_file;  // --env-file; NULL: ./.env if it is there
    const char *wanted;    // --provider: may declare some (acme=https://…); NULL: not asked for
    const struct provider
        *provider;      // whose keys a file of bare lines holds; NULL: as `wanted` says
    char **environment; // environ, or a test's own; the values read are wiped
};

// Reads all sources. False with err filled when a file named by the user cannot be read or makes no
// sense, or a key of a provider of the run cannot be one (file, line or JSON path in the message). No
// key at all is no error here.
bool keyring_load(struct keyring *ring, const struct keyring_options *options, struct error *err);

// Adds a key that comes from the program itself (the simulator's): named "<provider>-<number>".
void keyring_add(struct keyring *ring, const struct provider *provider, struct slice secret,
                 int64_t number);

// The group of this name, or NULL when no pool file says anything about it.
const struct key_group *keyring_group(const struct keyring *ring, const struct provider *provider,
                                      const char *name);

// Leaves out the keys that carry none of these tags (a comma-separated list; names stay as they
// are). False with err filled when that leaves no enabled key though there was one.
bool keyring_keep_tagged(struct keyring *ring, const char *tags, struct error *err);

// How many enabled keys a provider has.
size_t keyring_count(const struct keyring *ring, const struct provider *provider);

void keyring_free(struct keyring *ring);

#endif
