// What the two ways of scrubbing share: one secret (secret.c), or all of a run (secret_set.c). Private to
// pool/secret*.c.
// SPDX-License-Identifier: MIT
#ifndef POOL_SECRET_PARTS_H
#define POOL_SECRET_PARTS_H

#include "pool/secret.h"

struct secret {
    size_t n;
    bool any_case; // the text is in small letters and matches large ones too
    char text[];
};

// What is left of a secret at the end of text that was cut there is masked from this length on.
#define SECRET_TAIL_MIN 5
// Backslashes before one character that are taken for escaping: three levels of JSON in JSON.
#define SECRET_BACKSLASHES_MAX 15

// The value of n hexadecimal digits at p, or -1.
int secret_hex_number(const char *p, const char *end, int n);

// Where in a run of backslashes at p those begin that may be escaping, or p.
const char *secret_into_reach(const char *p, const char *end);

// How many bytes at *p are the secret, or all of it that fits before the end; 0 when they are not. *p
// moves past backslashes that are none of it.
size_t secret_find_at(const struct secret *s, const char *text, const char **p, const char *end);

// Where the escape begins among whose digits p is, if that is at or after `text`; else p.
const char *secret_escape_begin(const char *text, const char *p);

// The mask as it can stand in a JSON string.
void secret_mask_in_json(const struct secret *s, char mask[SECRET_MASK_SIZE]);

// Writes what stands in for `found` bytes of secret; returns how many bytes that takes.
size_t secret_put_mask(char *out, const char *mask, size_t found);

bool secret_is_digits(const struct secret *s);

// Follows the text of an answer to tell numbers from strings. Only a secret of digits can stand in a
// number; with another one, and in text that is not JSON, everything counts as a string.
struct secret_quotes {
    const char *seen;
    bool followed, inside;
};
struct secret_quotes secret_quotes(const char *text, size_t n);

// Whether p, at or after the place asked for before, is in a number.
bool secret_in_number(struct secret_quotes *q, const char *p);

#endif
