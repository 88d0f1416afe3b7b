// UTF-16 text, as some editors and shells save files of keys, as UTF-8. Pure.
// SPDX-License-Identifier: MIT
#ifndef POOL_KEYS_UTF16_H
#define POOL_KEYS_UTF16_H

#include "jobs/base/buf.h"

// Whether text is UTF-16: it begins with a byte order mark, or every other of its first bytes is 0.
bool utf16_is(struct slice text);

// Appends text as UTF-8, without its byte order mark; half a surrogate pair becomes U+FFFD.
void utf16_add(struct slice text, struct buf *out);

#endif
