// breaker.c: pauses all keys of a provider that fails, and finds out when it is back. Pure.
// SPDX-License-Identifier: MIT
#include "pool/limits/breaker.h"

#include "jobs/base/clock.h"

#define RAMP_FIRST 2
#define RAMP_LAST  1024

static void move(struct breaker *b, enum breaker_state state, int64_t now) {
    b->state = state;
    b->changed = now;
}

bool breaker_admits(const struct breaker *b, size_t in_flight, int64_t now, int64_t *when) {
    *when = TIME_NEVER;
    switch (b->state) {
    case BREAKER_CLOSED: return true;
    case BREAKER_OPEN: *when = b->until; return now >= b->until;
    case BREAKER_PROBING: *when = b->changed + BREAKER_PROBE_MOST; return now >= *when;
    case BREAKER_RAMP: return in_flight < b->in_flight;
    }
    return true;
}

bool breaker_took(struct breaker *b, int64_t now) {
    if (b->state != BREAKER_OPEN && b->state != BREAKER_PROBING)
        return false;
    move(b, BREAKER_PROBING, now);
    return true;
}

void breaker_returned(struct breaker *b) {
    if (b->state == BREAKER_PROBING)
        b->state = BREAKER_OPEN; // and its time has come
}

static void close_up(struct breaker *b, int64_t now) {
    move(b, BREAKER_CLOSED, now);
    b->pause = 0;
}

void breaker_passed(struct breaker *b, int64_t sent_at, int64_t now) {
    b->has_passed = true;
    if (b->state != BREAKER_CLOSED && sent_at < b->began)
        return; // the last of the good time
    b->failures = 0;
    b->given_up = false;
    if (b->state == BREAKER_OPEN || b->state == BREAKER_PROBING) {
        move(b, BREAKER_RAMP, now);
        b->in_flight = RAMP_FIRST;
    } else if (b->state == BREAKER_RAMP && ++b->in_flight >= RAMP_LAST) {
        close_up(b, now);
    }
}

static int64_t next_pause(const struct breaker *b, int64_t hint) {
    int64_t pause = b->pause ? b->pause * 2 : BREAKER_FIRST;
    if (pause > BREAKER_MOST)
        pause = BREAKER_MOST;
    if (hint > BREAKER_HINT_MOST)
        hint = BREAKER_HINT_MOST;
    return hint > pause ? hint : pause;
}

static void pause_all(struct breaker *b, int64_t hint, int64_t now) {
    b->pause = next_pause(b, hint);
    b->until = now + b->pause;
    move(b, BREAKER_OPEN, now);
}

static bool is_beyond_patience(const struct breaker *b, int64_t now) {
    return now - b->began > (b->has_passed ? BREAKER_PATIENCE : BREAKER_PATIENCE_NEW);
}

// With few keys few failures are already all that could be.
static int failures_enough(const struct breaker *b) {
    return b->keys < BREAKER_FAILURES ? (int)b->keys + 1 : BREAKER_FAILURES;
}

bool breaker_failed(struct breaker *b, int64_t sent_at, bool sure, int64_t hint, int64_t now) {
    if (b->failures++ == 0)
        b->began = now;
    if (b->given_up || (b->state != BREAKER_CLOSED && sent_at < b->changed))
        return false;
    if (is_beyond_patience(b, now)) {
        b->given_up = true;
        close_up(b, now);
        return false;
    }
    switch (b->state) {
    case BREAKER_CLOSED:
        if (!sure && b->failures < failures_enough(b))
            return false;
        pause_all(b, hint, now);
        return true;
    case BREAKER_OPEN: return false;
    case BREAKER_PROBING:
    case BREAKER_RAMP: pause_all(b, hint, now); return false;
    }
    return false;
}
