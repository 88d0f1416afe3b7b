// meter.c: stated limits by the minute and by the day. Pure; loop thread.
// SPDX-License-Identifier: MIT
#include "pool/limits/meter.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "pool/limits/window.h"

#include <stdlib.h>

#define MINUTE (60 * USEC_PER_SEC)

// A day may have 25 hours. No wait for its end is longer, nor so short that it spins.
#define DAY_LONGEST   (25 * 60 * MINUTE)
#define WAIT_SHORTEST USEC_PER_SEC

// A clock that is put back by less just after midnight does not bring the old day back.
#define CORRECTION (10 * MINUTE)

struct count {
    int64_t requests, tokens;
};

struct meter {
    struct window requests_minute, tokens_minute;
    struct count per_day; // limits; 0: not stated
    struct count today, yesterday;
    int64_t day_end;          // wall clock; 0: nothing counted yet
    int64_t yesterday_end;    // wall clock, the day that `yesterday` counts
    int64_t day_began;        // monotonic, when the first call of today came
    bool has_requests_minute; // a window of limit 0 would stop everything
    bool has_tokens_minute;
    bool has_requests_window;
    struct window requests_window; // in a time of the user's choice
};

struct meter *meter_new(const struct key_limits *limits) {
    if (limits->rpm <= 0 && limits->tpm <= 0 && limits->rpd <= 0 && limits->tpd <= 0 &&
        limits->requests <= 0)
        return NULL;
    struct meter *m = mem_zero(1, sizeof *m);
    m->has_requests_minute = limits->rpm > 0;
    m->has_tokens_minute = limits->tpm > 0;
    window_init(&m->requests_minute, limits->rpm, MINUTE);
    window_init(&m->tokens_minute, limits->tpm, MINUTE);
    m->has_requests_window = limits->requests > 0;
    if (m->has_requests_window)
        window_init(&m->requests_window, limits->requests, limits->window);
    m->per_day = (struct count){limits->rpd, limits->tpd};
    return m;
}

void meter_free(struct meter *m) {
    free(m);
}

static struct count count_of(const struct spend *spend) {
    return (struct count){spend->requests, spend->input_tokens + spend->output_tokens};
}

static void count_add(struct count *to, int64_t requests, int64_t tokens) {
    to->requests = to->requests + requests > 0 ? to->requests + requests : 0;
    to->tokens = to->tokens + tokens > 0 ? to->tokens + tokens : 0;
}

static void begin_day(struct meter *m, const struct moment *moment) {
    m->yesterday = m->today;
    m->yesterday_end = m->day_end;
    m->today = (struct count){0, 0};
    m->day_end = moment->day_end_wall;
    m->day_began = moment->now;
}

// The wall clock went back over a midnight: which of the two days it really is, nobody knows, so
// what was counted on both counts until this one ends.
static void go_back_a_day(struct meter *m, const struct moment *moment) {
    if (m->yesterday_end >= moment->day_end_wall)
        count_add(&m->today, m->yesterday.requests, m->yesterday.tokens);
    m->yesterday = (struct count){0, 0};
    m->yesterday_end = 0;
    m->day_end = moment->day_end_wall;
}

static void roll(struct meter *m, const struct moment *moment) {
    if (moment->day_end_wall > m->day_end)
        begin_day(m, moment);
    else if (moment->day_end_wall < m->day_end &&
             moment->day_end_wall - moment->now_wall > CORRECTION)
        go_back_a_day(m, moment);
}

static int64_t day_ready_at(const struct meter *m, const struct count *more,
                            const struct moment *moment) {
    bool requests_fit = !m->per_day.requests || !m->today.requests ||
                        m->today.requests + more->requests <= m->per_day.requests;
    bool tokens_fit = !m->per_day.tokens || !m->today.tokens ||
                      m->today.tokens + more->tokens <= m->per_day.tokens;
    if (requests_fit && tokens_fit)
        return moment->now;
    int64_t wait = m->day_end - moment->now_wall;
    if (wait > DAY_LONGEST)
        wait = DAY_LONGEST;
    return moment->now + (wait > WAIT_SHORTEST ? wait : WAIT_SHORTEST);
}

static int64_t latest(int64_t a, int64_t b) {
    return a > b ? a : b;
}

int64_t meter_ready_at(struct meter *m, const struct spend *spend, const struct moment *moment) {
    if (!m)
        return moment->now;
    roll(m, moment);
    struct count more = count_of(spend);
    int64_t at = day_ready_at(m, &more, moment);
    if (m->has_requests_minute)
        at = latest(at, window_ready_at(&m->requests_minute, more.requests, moment->now));
    if (m->has_requests_window)
        at = latest(at, window_ready_at(&m->requests_window, more.requests, moment->now));
    if (m->has_tokens_minute)
        at = latest(at, window_ready_at(&m->tokens_minute, more.tokens, moment->now));
    return at;
}

void meter_take(struct meter *m, const struct spend *spend, const struct moment *moment) {
    if (!m)
        return;
    roll(m, moment);
    struct count more = count_of(spend);
    count_add(&m->today, more.requests, more.tokens);
    window_take(&m->requests_minute, more.requests, moment->now);
    if (m->has_requests_window)
        window_take(&m->requests_window, more.requests, moment->now);
    window_take(&m->tokens_minute, more.tokens, moment->now);
}

// What was taken yesterday is no longer counted.
static void change(struct meter *m, int64_t taken_at, const struct count *difference,
                   const struct moment *moment) {
    roll(m, moment);
    if (taken_at >= m->day_began)
        count_add(&m->today, difference->requests, difference->tokens);
    window_change(&m->requests_minute, taken_at, difference->requests, moment->now);
    if (m->has_requests_window)
        window_change(&m->requests_window, taken_at, difference->requests, moment->now);
    window_change(&m->tokens_minute, taken_at, difference->tokens, moment->now);
}

void meter_settle(struct meter *m, const struct charge *charge, const struct spend *real,
                  const struct moment *moment) {
    if (!m)
        return;
    struct count difference = {real->requests - charge->spend.requests, 0};
    if (real->input_tokens >= 0)
        difference.tokens += real->input_tokens - charge->spend.input_tokens;
    if (real->output_tokens >= 0)
        difference.tokens += real->output_tokens - charge->spend.output_tokens;
    change(m, charge->at, &difference, moment);
}

void meter_return(struct meter *m, const struct charge *charge, const struct moment *moment) {
    const struct spend nothing = {0, 0, 0};
    meter_settle(m, charge, &nothing, moment);
}

void meter_add_today(struct meter *m, int64_t requests, int64_t tokens,
                     const struct moment *moment) {
    if (!m)
        return;
    roll(m, moment);
    count_add(&m->today, requests, tokens);
}

void meter_add_minute(struct meter *m, int64_t requests, int64_t tokens, int64_t at,
                      const struct moment *moment) {
    if (!m)
        return;
    window_change(&m->requests_minute, at, requests, moment->now);
    window_change(&m->tokens_minute, at, tokens, moment->now);
}
