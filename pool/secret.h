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

// Below this length a mask shows nothing, and an answer is not searched for the secret.
#define SECRET_SHOWN_MIN 16
#define SECRET_MASK_SIZE 16

struct secret *secret_new(struct slice text);
void secret_free(struct secret *s); // NULL is fine

// "abcd****wxyz", or "****" below SECRET_SHOWN_MIN characters.
void secret_mask(const struct secret *s, char mask[SECRET_MASK_SIZE]);

bool secret_eq(const struct secret *a, const struct secret *b);
// For finding equal secrets among many.
struct hash128 secret_hash(const struct secret *s, const uint64_t key[2]);

// Appends "<prefix><secret>" ("Authorization: Bearer …"). Wipe the buffer with buf_wipe() after use.
void secret_add_header(const struct secret *s, const char *prefix, struct buf *out);

// Replaces the secret by its mask wherever it stands in text, in place: the mask is cut to the
// secret's own length, so the text never grows. Returns the new length.
size_t secret_scrub(const struct secret *s, char *text, size_t n);

// Overwrites what a buffer holds, then empties it.
void buf_wipe(struct buf *b);

#endif
