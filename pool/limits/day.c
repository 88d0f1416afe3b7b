// day.c: finds the next midnight in the few time zones where providers count days. Pure; any thread.
// SPDX-License-Identifier: MIT
#include "pool/limits/day.h"

#include "jobs/base/clock.h"
#include "pool/catalogue.h"

#define MINUTE       (60 * USEC_PER_SEC)
#define HOUR         (60 * MINUTE)
#define DAY          (24 * HOUR)
#define DAYS_PER_ERA 146097 // 400 years

static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

int64_t day_number(int year, int month, int day) {
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t y = (int64_t)year - (month <= 2); // February's extra day belongs to the months after it
    int64_t leaps = floor_div(y, 4) - floor_div(y, 100) + floor_div(y, 400);
    return (int64_t)(year - 1970) * 365 + leaps - (1969 / 4 - 1969 / 100 + 1969 / 400) +
           before[month - 1] + day - 1;
}

// The year that a day lies in; by whole eras first, so that the guess is off by one at most.
static int year_of(int64_t day) {
    int year = (int)(1970 + floor_div(day * 400, DAYS_PER_ERA));
    if (day < day_number(year, 1, 1))
        year--;
    else if (day >= day_number(year + 1, 1, 1))
        year++;
    return year;
}

// The nth Sunday (from 1) of a month, as a day number. 1970-01-01 was a Thursday.
static int64_t sunday(int year, int month, int nth) {
    int64_t first = day_number(year, month, 1);
    int64_t weekday = (first + 4) - floor_div(first + 4, 7) * 7; // 0: Sunday
    return first + (7 - weekday) % 7 + (int64_t)7 * (nth - 1);
}

// Energy Policy Act of 2005, section 110: from 2:00 of the second Sunday in March to 2:00 of the
// first Sunday in November, each by the clock that ends there.
static bool is_pacific_summer(int64_t wall) {
    int year = year_of(floor_div(wall, DAY)); // neither change is near a new year
    int64_t start = sunday(year, 3, 2) * DAY + 10 * HOUR;
    int64_t end = sunday(year, 11, 1) * DAY + 9 * HOUR;
    return wall >= start && wall < end;
}

int day_zone_offset(enum day_zone zone, int64_t wall) {
    switch (zone) {
    case DAY_UTC: break;
    case DAY_PACIFIC: return is_pacific_summer(wall) ? -7 * 60 : -8 * 60;
    case DAY_CHINA: return 8 * 60;
    }
    return 0;
}

int64_t day_zone_end(enum day_zone zone, int64_t now_wall) {
    int64_t offset = day_zone_offset(zone, now_wall) * MINUTE;
    int64_t midnight = (floor_div(now_wall + offset, DAY) + 1) * DAY; // by the local clock
    // The clocks may change before then, but never within an hour of midnight: what holds an hour
    // away from it holds there.
    return midnight - day_zone_offset(zone, midnight - offset) * MINUTE;
}

enum day_zone day_zone_of(const struct provider *provider) {
    static const struct {
        const char *name;
        enum day_zone zone;
    } zones[] = {{"google", DAY_PACIFIC}, {"bigmodel", DAY_CHINA}, {"zai", DAY_CHINA}};
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++)
        if (strcmp(provider->name, zones[i].name) == 0)
            return zones[i].zone;
    return DAY_UTC;
}

int64_t day_end(const struct provider *provider, int64_t now_wall) {
    return day_zone_end(day_zone_of(provider), now_wall);
}
