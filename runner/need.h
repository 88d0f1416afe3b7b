// What a row will take of a key's limits, guessed before it is sent. Pure; any thread.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_NEED_H
#define RUNNER_NEED_H

#include "pool/pool.h"
#include "pool/wire/wire.h"

// Input tokens are a quarter of the bytes of everything that is read, rounded up; output tokens
// what the row allows, -1 when it sets no bound. No bound counts for more than NEED_MOST, so that
// sums of them stay within 64 bits.
#define NEED_MOST INT64_C(1000000000000)

struct need need_of(const struct request *request, const struct wire_defaults *defaults);

#endif
