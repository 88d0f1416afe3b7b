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

#define LAST_PROBE USEC_PER_SEC // before the end of the patience
#define LATE_PROBE                                                                                 \
    (10 * USEC_PER_SEC) // a request that takes longer to fail is not waited for again
#define FIRSTS_OVER  64 // first attempts, for the average …
#define FIRSTS_LEAST 16 // … which says little before so many

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
    if (b->given_up)
        return false;
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
    if (sent_at > b->served_from)
        b->served_from = sent_at;
    land(b, sent_at);
    if (b->state != BREAKER_CLOSED && sent_at < b->began)
        return; // the last of the good time
    if (b->state == BREAKER_CLOSED || b->state == BREAKER_RAMP)
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

static int64_t patience_of(const struct breaker *b) {
    if (b->patience)
        return b->patience;
    return b->has_passed ? BREAKER_PATIENCE : BREAKER_PATIENCE_NEW;
}

// The last probe fails shortly before the patience ends, if it takes as long as this one. 0: it has gone.
static int64_t next_pause(const struct breaker *b, int64_t took, int64_t hint, int64_t now) {
    int64_t left = b->began + patience_of(b) - took - LAST_PROBE - now;
    int64_t pause = b->pause ? b->pause * 2 : BREAKER_FIRST;
    if (pause > BREAKER_MOST)
        pause = BREAKER_MOST;
    if (pause > left)
        pause = left > BREAKER_FIRST ? left : 0;
    if (hint > BREAKER_HINT_MOST)
        hint = BREAKER_HINT_MOST;
    return hint > pause && left > 0 ? hint : pause;
}

static void pause_all(struct breaker *b, int64_t took, int64_t hint, int64_t now) {
    int64_t pause = next_pause(b, took, hint, now);
    if (pause <= 0 && b->state == BREAKER_PROBING)
        b->given_up = true;
    b->pause = pause > 0 ? pause : BREAKER_FIRST;
    b->until = now + b->pause;
    move(b, BREAKER_OPEN, now);
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

// Requests that fail late, one after the other, do not make a row of failures before the patience ends.
static bool is_hopeless(const struct breaker *b, int64_t sent_at, int64_t now) {
    int64_t took = now - sent_at < LATE_PROBE ? now - sent_at : LATE_PROBE;
    return !b->has_passed && b->failures > 1 && now + took >= b->began + patience_of(b);
}

bool breaker_failed(struct breaker *b, int64_t sent_at, bool sure, int64_t hint, int64_t now) {
    land(b, sent_at);
    if (is_old(b, sent_at))
        return false;
    if (b->failures++ == 0)
        b->began = b->has_passed ? now : sent_at;
    if (is_hopeless(b, sent_at, now)) {
        b->given_up = true;
        pause_all(b, 0, -1, now);
        return false;
    }
    if (b->state == BREAKER_OPEN)
        return false;
    if (b->state != BREAKER_PROBING && !sure && b->failures < failures_enough(b))
        return false;
    bool begins = b->state == BREAKER_CLOSED;
    pause_all(b, now - sent_at, hint, now);
    return begins;
}

void breaker_note_first(struct breaker *b, bool failed) {
    b->firsts += b->firsts < FIRSTS_OVER;
    b->first_share += ((failed ? 1.0 : 0.0) - b->first_share) / b->firsts;
}

int breaker_by_chance(const struct breaker *b, double least) {
    double in_a_row = b->first_share;
    int count = 0;
    while (b->firsts >= FIRSTS_LEAST && in_a_row > least && count < BREAKER_CHANCE_MOST) {
        in_a_row *= b->first_share;
        count++;
    }
    return count;
}
