// Time: int64_t microseconds, from two functions that tests can replace.
//
// Intervals and "not before" use the monotonic clock, which never jumps; only what is shown to a
// person or compared with a date of a provider uses the wall clock. Pure modules take `now` as a
// parameter and call neither.
// SPDX-License-Identifier: MIT
#ifndef JOBS_BASE_CLOCK_H
#define JOBS_BASE_CLOCK_H

#include "jobs/base/buf.h"

#include <stdint.h>

#define USEC_PER_MS  INT64_C(1000)
#define USEC_PER_SEC INT64_C(1000000)
#define TIME_NEVER   INT64_MAX

// Monotonic microseconds, the time that the machine slept included; the zero point means nothing.
extern int64_t (*clock_now)(void);

// Microseconds since 1970-01-01T00:00:00Z.
extern int64_t (*clock_wall)(void);

// Appends 2026-11-21T06:00:00.123Z (RFC 3339, UTC, milliseconds).
void clock_add_rfc3339(struct buf *b, int64_t wall);

// Reads 500ms, 30s, 5m, 2h, 1d or a bare number of seconds (fractions allowed) into microseconds.
// False when the text is something else, negative, or beyond 100 years.
bool duration_parse(struct slice text, int64_t *usec);

// Appends the shortest of those forms that is exact to the millisecond: "1500ms", "30s", "10m".
void duration_add(struct buf *b, int64_t usec);

#endif
