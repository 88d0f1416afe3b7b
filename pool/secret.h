// A key's secret: a type that cannot be printed.
//
// There is no accessor. The text leaves it in one place only: secret_add_header(), which the
// transfer uses to write a request header; and it can be compared, masked and scrubbed out of
// foreign text. Its memory is kept out of core files and wiped when freed.
// SPDX-License-Identifier: MIT
#ifndef POOL_SECRET_H
#define POOL_SECRET_H

#include "jobs/base/buf.h"
#include "jobs/base/hash.h"

struct secret;

// Below this length a mask shows nothing of the secret.
#define SECRET_SHOWN_MIN 16
// Below this length text is not searched for the secret: it would be found in everything.
#define SECRET_SCRUBBED_MIN 6
#define SECRET_MASK_SIZE    16

struct secret *secret_new(struct slice text);
void secret_free(struct secret *s); // NULL is fine

// "abcd****wxyz", or "****" below SECRET_SHOWN_MIN characters.
void secret_mask(const struct secret *s, char mask[SECRET_MASK_SIZE]);

// The key of a server that wants none.
bool secret_is_empty(const struct secret *s);

bool secret_eq(const struct secret *a, const struct secret *b);
// For finding equal secrets among many.
struct hash128 secret_hash(const struct secret *s, const uint64_t key[2]);

// Appends "<prefix><secret>" ("Authorization: Bearer …"). Wipe the buffer with buf_wipe() after use.
void secret_add_header(const struct secret *s, const char *prefix, struct buf *out);

// Replaces the secret by its mask wherever it stands in text, in place: a mask is never longer than
// its secret, so the text never grows. Finds it as it is, JSON-escaped (once or more often: \/ \\/
// \u002f), percent-encoded (%2F), and cut off by the end of the text. JSON stays JSON: in a number, a key
// of digits becomes a 1. Returns the new length.
size_t secret_scrub(const struct secret *s, char *text, size_t n);

// Overwrites what a buffer holds, then empties it.
void buf_wipe(struct buf *b);

#endif
