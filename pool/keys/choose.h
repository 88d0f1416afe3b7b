// Which providers a run uses.
// SPDX-License-Identifier: MIT
#ifndef POOL_KEYS_CHOOSE_H
#define POOL_KEYS_CHOOSE_H

#include "pool/keys/keyring.h"

// --provider is a list of names and of NAME=ADDRESS, in order of preference.

// Declares those that come with an address.
bool choose_declare(struct registry *providers, const char *wanted, struct error *err);

// Fills chosen (room for PROVIDERS_MAX) with the providers of --provider (wanted), or with the only one
// that has keys when wanted is NULL. False with err filled when a name is unknown, or none has keys (or
// several have and none is wanted). Of several wanted ones those without keys are left out with a
// warning. `simulate` needs no keys; none does with needs_keys false (--dry-run).
bool choose_providers(const struct keyring *ring, const char *wanted, bool needs_keys,
                      const struct provider *chosen[], size_t *count, struct error *err);

// The provider that wanted names if it is a single known one, else NULL: whose keys a file of bare
// lines holds (struct keyring_options).
const struct provider *choose_single(const struct registry *providers, const char *wanted);

// Whether wanted names it, with keys or without.
bool choose_names(const char *wanted, const struct provider *provider);

#endif
