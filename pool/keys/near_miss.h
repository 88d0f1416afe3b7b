// Variables that look as if they held keys and are not read: OPENAI_API_KEYS, openai_api_key, a
// variable of a provider that is not known. Named when no key is found. Never their values.
// SPDX-License-Identifier: MIT
#ifndef POOL_KEYS_NEAR_MISS_H
#define POOL_KEYS_NEAR_MISS_H

#include "pool/keys/keyring_parts.h"

// Appends "NAME (what to write instead)" if the name is a near miss. place: ".env:3" or "the
// environment". False: it is not, or is a key variable.
bool near_miss_add(const struct registry *providers, struct slice name, const char *place,
                   struct buf *out);

// Those of an env file, as a sentence; nothing when there are none.
void near_misses_of_file(const struct registry *providers, const struct key_file *file,
                         struct buf *out);

// Keeps those of all sources in the ring, for whoever finds that a key is missing.
void note_near_misses(struct keyring_builder *b);

#endif
