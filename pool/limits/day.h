// When a provider's day ends: daily quotas start anew at midnight where the provider counts its days.
//
// No time-zone database is asked: Pacific time follows the rule of the US since 2007, China and UTC
// know no summer time. Pure; any thread.
// SPDX-License-Identifier: MIT
#ifndef POOL_LIMITS_DAY_H
#define POOL_LIMITS_DAY_H

#include <stdint.h>

struct provider;

enum day_zone {
    DAY_UTC,
    DAY_PACIFIC, // UTC-8, in summer UTC-7
    DAY_CHINA,   // UTC+8
};

// Where this provider's days end: Pacific time for google (ai.google.dev/gemini-api/docs/rate-limits),
// China's for bigmodel and zai (the dates in their messages are), UTC for all others.
enum day_zone day_zone_of(const struct provider *provider);

// Minutes east of UTC at a moment (unix microseconds).
int day_zone_offset(enum day_zone zone, int64_t wall);

// The next midnight after now_wall, both unix microseconds: later than now, at most 25 hours away.
int64_t day_zone_end(enum day_zone zone, int64_t now_wall);
int64_t day_end(const struct provider *provider, int64_t now_wall);

// Days from 1970-01-01 to a date of the Gregorian calendar; negative before. Month and day from 1.
int64_t day_number(int year, int month, int day);

#endif
