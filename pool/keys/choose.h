// Which providers a run uses.
// SPDX-License-Identifier: MIT
#ifndef POOL_KEYS_CHOOSE_H
#define POOL_KEYS_CHOOSE_H

#include "pool/keys/keyring.h"

// Fills chosen (room for CATALOGUE_COUNT) with the providers of --provider (wanted: "a,b,c", an
// order of preference), or with the only one that has keys when wanted is NULL. False with err
// filled when a name is unknown, none has keys (or several have and none is wanted), or one is
// spoken to in a way this version cannot. Of several wanted ones those without keys are left out
// with a warning. `simulate` needs no keys. With ring NULL nobody needs keys (--dry-run).
bool choose_providers(const struct keyring *ring, const char *wanted,
                      const struct provider *chosen[], size_t *count, struct error *err);

// The provider that wanted names if it is a single known one, else NULL: whose keys a file of bare
// lines holds (struct keyring_options).
const struct provider *choose_single(const char *wanted);

// Whether wanted names it, with keys or without.
bool choose_names(const char *wanted, const struct provider *provider);

#endif
