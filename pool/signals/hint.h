// How long a refusal asks to wait, from wherever it says so.
// SPDX-License-Identifier: MIT
#ifndef POOL_SIGNALS_HINT_H
#define POOL_SIGNALS_HINT_H

#include "pool/signals/rules.h"

// Microseconds from r->now_wall, -1 when nothing is said; unclamped. BECAUSE_DAY always has one: an
// hour when nothing is said.
int64_t hint_find(const struct refusal *r, const struct meaning *meaning);

#endif
