// All secrets of a run, to be scrubbed out of foreign text together, whichever of them was used.
//
// Found are each secret as secret_scrub() finds it (as it is, JSON-escaped, percent-encoded, cut off by
// the end), and in the same ways its hexadecimal digits, large or small, and its base64, plain or for
// URLs, at any place inside a longer base64 text ("Basic " of "user:key"). Secrets below
// SECRET_SCRUBBED_MIN are not looked for.
//
// The time depends on the text, hardly on the number of secrets: nearly all places of a text are passed
// over by a look at two bytes. Built once, before threads start; constant afterwards.
// SPDX-License-Identifier: MIT
#ifndef POOL_SECRET_SET_H
#define POOL_SECRET_SET_H

#include "pool/secret.h"

struct secret_set;

struct secret_set *secret_set_new(void);
void secret_set_free(struct secret_set *set); // NULL is fine

// The set makes its own copies.
void secret_set_add(struct secret_set *set, const struct secret *secret);
void secret_set_add_text(struct secret_set *set, struct slice text);
// The credentials in an address such as https://name:password@host; nothing when it has none.
void secret_set_add_address(struct secret_set *set, struct slice address);

// To be called after the last of them.
void secret_set_ready(struct secret_set *set);

// Like secret_scrub(), for each of them. NULL: nothing is scrubbed.
size_t secret_set_scrub(const struct secret_set *set, char *text, size_t n);

#endif
