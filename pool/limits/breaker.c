// breaker.c: pauses all keys of a provider that fails, and finds out when it is back. Pure.
// SPDX-License-Identifier: MIT
#include "pool/limits/breaker.h"

#include "jobs/base/clock.h"

#define RAMP_FIRST   2
#define RAMP_TRUSTED 6
#define RAMP_LAST    64
#define RAMP_DOUBLES USEC_PER_SEC // without a failure, however long answers take

#define SHARE_OVER            64
#define SHARE_FIRST           4 // good ones, before the first answer
#define BY_CHANCE             1e-4
#define BREAKER_FAILURES_MOST 40

static void move(struct breaker *b, enum breaker_state state, int64_t now) {
    b->state = state;
    b->changed = now;
    b->in_flight = 0;
}

// RAMP: how many may be in flight by now.
static size_t room_at(const struct breaker *b, int64_t now) {
    size_t room = b->room;
    for (int64_t t = b->changed + RAMP_DOUBLES; t <= now && room < RAMP_LAST; t += RAMP_DOUBLES)
        room *= 2;
    return room;
}

static bool has_room(const struct breaker *b, int64_t now, int64_t *when) {
    size_t room = room_at(b, now);
    *when = now + RAMP_DOUBLES - (now - b->changed) % RAMP_DOUBLES;
    return room >= RAMP_LAST || b->in_flight < room;
}

bool breaker_admits(const struct breaker *b, int64_t now, int64_t *when) {
    *when = TIME_NEVER;
    switch (b->state) {
    case BREAKER_CLOSED: return true;
    case BREAKER_OPEN: *when = b->until; return now >= b->until;
    case BREAKER_PROBING: *when = b->changed + BREAKER_PROBE_MOST; return now >= *when;
    case BREAKER_RAMP: return has_room(b, now, when);
    }
    return true;
}

bool breaker_took(struct breaker *b, int64_t now) {
    b->in_flight += b->state == BREAKER_RAMP;
    if (b->state != BREAKER_OPEN && b->state != BREAKER_PROBING)
        return false;
    move(b, BREAKER_PROBING, now);
    return true;
}

// Sent before the state last changed: that it fails, if need be after minutes, is no news.
static bool is_old(const struct breaker *b, int64_t sent_at) {
    return sent_at < b->changed;
}

static void land(struct breaker *b, int64_t sent_at) {
    b->in_flight -= !is_old(b, sent_at) && b->in_flight > 0;
}

void breaker_left(struct breaker *b, int64_t sent_at) {
    land(b, sent_at);
    if (b->state == BREAKER_PROBING && !is_old(b, sent_at))
        b->state = BREAKER_OPEN; // and its time has come
}

static void close_up(struct breaker *b, int64_t now) {
    move(b, BREAKER_CLOSED, now);
    b->pause = 0;
}

static void count(struct breaker *b, double failed) {
    b->counted += b->counted < SHARE_OVER;
    b->share += (failed - b->share) / b->counted;
}

// How often it fails anyway, of the last SHARE_OVER answers or so: a row of failures counts when it
// turned out to be no outage.
static void count_row(struct breaker *b) {
    if (b->counted == 0)
        b->counted = SHARE_FIRST;
    for (int i = 0; i < b->failures && i < SHARE_OVER; i++)
        count(b, 1);
    count(b, 0);
}

void breaker_passed(struct breaker *b, int64_t sent_at, int64_t now) {
    b->has_passed = true;
    land(b, sent_at);
    if (b->state != BREAKER_CLOSED && sent_at < b->began)
        return; // the last of the good time
    if (!b->given_up && (b->state == BREAKER_CLOSED || b->state == BREAKER_RAMP))
        count_row(b);
    b->failures = 0;
    b->given_up = false;
    if (b->state == BREAKER_OPEN || b->state == BREAKER_PROBING) {
        move(b, BREAKER_RAMP, now);
        b->room = RAMP_FIRST;
    } else if (b->state == BREAKER_RAMP) {
        b->room++;
        b->pause = 0; // what fails now is another outage
        if (room_at(b, now) >= RAMP_LAST)
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

// So many in a row as hardly happen by chance where single requests fail as often as they do here;
// with few keys few failures are already all that could be.
static int failures_enough(const struct breaker *b) {
    int enough = b->keys * 2 < BREAKER_FAILURES ? (int)b->keys * 2 : BREAKER_FAILURES;
    double in_a_row = 1;
    for (int i = 0; i < enough; i++)
        in_a_row *= b->share;
    for (; in_a_row > BY_CHANCE && enough < BREAKER_FAILURES_MOST; enough++)
        in_a_row *= b->share;
    bool shaky = b->state == BREAKER_RAMP && b->room < RAMP_TRUSTED;
    return shaky ? (enough + 1) / 2 : enough;
}

bool breaker_failed(struct breaker *b, int64_t sent_at, bool sure, int64_t hint, int64_t now) {
    land(b, sent_at);
    if (is_old(b, sent_at))
        return false;
    if (b->failures++ == 0)
        b->began = now;
    if (b->given_up)
        return false;
    if (is_beyond_patience(b, now)) {
        b->given_up = true;
        close_up(b, now);
        return false;
    }
    if (b->state == BREAKER_OPEN)
        return false;
    if (b->state != BREAKER_PROBING && !sure && b->failures < failures_enough(b))
        return false;
    bool begins = b->state == BREAKER_CLOSED;
    pause_all(b, hint, now);
    return begins;
}
