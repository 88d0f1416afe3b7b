// How long a provider asks to wait, in every form it is written.
// SPDX-License-Identifier: MIT
#ifndef POOL_LIMITS_RETRY_AFTER_H
#define POOL_LIMITS_RETRY_AFTER_H

#include "jobs/base/slice.h"

#include <stdint.h>

// A duration in microseconds from: seconds ("2", "0.5"; RFC 9110 section 10.2.3), an HTTP date
// (RFC 9110 section 5.6.7), RFC 3339, Go durations ("6m0s", "12ms", "1h2m3s", "7.66s"), unix seconds
// or milliseconds, ISO 8601 durations ("PT3S"), "3 seconds", in quotes or not, and several of these
// joined by commas (a header that came twice): the longest. Dates are taken relative to now_wall (unix microseconds); the past gives 0.
// False when the text is none of these ("-1" included). A bare number of 10^9 and more is unix time.
bool retry_after_parse(struct slice text, int64_t now_wall, int64_t *usec);

// The same for a header whose bare numbers are milliseconds (retry-after-ms).
bool retry_after_parse_ms(struct slice text, int64_t now_wall, int64_t *usec);

// "try again in 5.289s", "retry in 26s", "retry after 2 seconds", "in an hour", "请在20秒后重试", "try again
// at 2026-12-01T12:00:00Z", "resets at 14:05 UTC" inside a message. False when there is none.
bool retry_after_in_text(struct slice text, int64_t now_wall, int64_t *usec);

// What the time is by the server's own clock: its Date header, where that is more than two seconds away
// from ours; now_wall where it is absent or cannot be read. Dates in an answer are measured by it.
int64_t retry_after_clock(struct slice date, int64_t now_wall);

// The first moment that a message names, as a wait from now_wall: "2026-11-21 18:00:00", RFC 3339,
// "2026-04-01 at 00:00 UTC", unix seconds or milliseconds within two years of now. Where no zone
// stands behind a date, it is of a clock `offset` minutes east of UTC. False when there is none.
bool retry_after_moment(struct slice text, int offset, int64_t now_wall, int64_t *usec);

#endif
