// hint.c: finds the wait in headers, details and message, the most direct word first. Pure.
// SPDX-License-Identifier: MIT
#include "pool/signals/hint.h"

#include "jobs/base/clock.h"
#include "pool/limits/retry_after.h"

// Of a quota that is used up for no stated time.
#define UNTOLD (3600 * USEC_PER_SEC)
// A moment that is over, or nearly: clocks differ, and trying at once would be refused again.
#define MOMENT_LEAST (60 * USEC_PER_SEC)

static bool header_wait(const struct refusal *r, int64_t *usec) {
    return retry_after_parse_ms(refusal_header(r, "retry-after-ms"), r->now_wall, usec) ||
           retry_after_parse_ms(refusal_header(r, "x-ms-retry-after-ms"), r->now_wall, usec) ||
           retry_after_parse(refusal_header(r, "retry-after"), r->now_wall, usec);
}

static bool body_wait(const struct refusal *r, int64_t *usec) {
    const struct error_body *error = &r->error;
    return retry_after_parse(slice_str(error->retry_delay), r->now_wall, usec) ||
           (error->is_json && retry_after_in_text(slice_str(error->message), r->now_wall, usec));
}

// The longest reset of a limit of which nothing remains. The last resort: it is the time until the
// limit is full again, not a wait.
static bool reset_wait(const struct refusal *r, int64_t *usec) {
    const struct announced *a = &r->limits;
    const struct announced_limit *const limits[] = {
        &a->requests_minute, &a->requests_day,        &a->tokens_minute,
        &a->tokens_day,      &a->input_tokens_minute, &a->output_tokens_minute};
    *usec = -1;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (limits[i]->remaining == 0 && limits[i]->reset > *usec)
            *usec = limits[i]->reset;
    return *usec >= 0;
}

// A limit's reset that stands alone, in a header or inside the body: OpenRouter's and many gateways', in
// seconds or as a time. It counts when nothing remains, or nothing is said of that.
static bool lone_reset(const struct refusal *r, int64_t *usec) {
    static const char *const names[][2] = {{"x-ratelimit-remaining", "x-ratelimit-reset"},
                                           {"ratelimit-remaining", "ratelimit-reset"},
                                           {"x-rate-limit-remaining", "x-rate-limit-reset"}};
    if (retry_after_parse(slice_str(r->error.reset), r->now_wall, usec))
        return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct slice remaining = slice_trim(refusal_header(r, names[i][0]));
        if ((!remaining.n || slice_is(remaining, "0")) &&
            retry_after_parse(refusal_header(r, names[i][1]), r->now_wall, usec))
            return true;
    }
    return false;
}

static bool moment_wait(const struct refusal *r, enum day_zone zone, int64_t *usec) {
    int offset = day_zone_offset(zone, r->now_wall);
    if (!retry_after_moment(slice_str(r->error.message), offset, r->now_wall, usec))
        return false;
    if (*usec < MOMENT_LEAST)
        *usec = MOMENT_LEAST;
    return true;
}

int64_t hint_find(const struct refusal *r, const struct meaning *meaning) {
    int64_t usec;
    bool limited = meaning->outcome == OUTCOME_RATE_LIMITED || meaning->cause == BECAUSE_DAY;
    if (meaning->wait == WAIT_DAY_END)
        return day_zone_end(meaning->zone, r->now_wall) - r->now_wall;
    if (meaning->wait == WAIT_MOMENT && moment_wait(r, meaning->zone, &usec))
        return usec;
    if (header_wait(r, &usec) || body_wait(r, &usec) ||
        (limited && (reset_wait(r, &usec) || lone_reset(r, &usec))))
        return usec;
    return meaning->cause == BECAUSE_DAY ? UNTOLD : -1;
}
