// How long a refused key is left alone: the provider's hint, else a pause that doubles.
// SPDX-License-Identifier: MIT
#ifndef POOL_LIMITS_COOLDOWN_H
#define POOL_LIMITS_COOLDOWN_H

#include "jobs/base/random.h"

#include <stdint.h>

#define COOLDOWN_AUTO        0
#define COOLDOWN_FIRST       (1 * INT64_C(1000000))     // 1 s …
#define COOLDOWN_MOST        (60 * INT64_C(1000000))    // … doubling to 60 s
#define COOLDOWN_HINT_LEAST  (50 * INT64_C(1000))       // a hint of nothing would be a tight loop
#define COOLDOWN_HINT_MOST   (26 * INT64_C(3600000000)) // a day's quota, with two hours of grace
#define COOLDOWN_MONEY_PROBE (6 * INT64_C(3600000000))

// fixed: the user's --cooldown in microseconds, or COOLDOWN_AUTO. hint: microseconds, -1 none.
// refusals: how many came one after the other without a success in between, this one included.
// The doubling pause has up to a quarter of jitter added, so that keys refused together come back
// one by one; a hint is taken as it is, clamped.
int64_t cooldown_after(int64_t fixed, int64_t hint, int refusals, struct random *random);

#endif
