// width.c: how many at once, by doubling, stepping back and trying again. Pure; loop thread.
// SPDX-License-Identifier: MIT
#include "pool/limits/width.h"

#include "jobs/base/clock.h"

#include <math.h>

// A width that was refused is tried again after so long without a refusal, doubling with every time.
#define QUIET_FIRST   (10 * USEC_PER_SEC)
#define QUIET_ANSWERS 10 // but as long as so many answers take, one after the other
#define QUIET_MOST    (600 * USEC_PER_SEC)

// Latencies of single answers differ by factors: fewer than these are no average.
#define SAMPLES_LEAST 24

// The average latency over the least one: up to GROWS there is room for more; from FALLS on too many
// wait. In between the width stays for so many averages, then tries one more.
#define GROWS      1.4
#define FALLS      1.8
#define HOLDS_MOST 4

// While the width doubles, the least latency is that of the first few answers: a sign must be clear.
#define SAMPLES_ROUGH 16
#define FALLS_ROUGH   2.5

// A fall goes to what the provider was seen to work on at once, but to a quarter at most. When it
// brought the latency to no less than this share, the width was not why.
#define FALL_MOST 4
#define HELPS     0.75

// How far the base goes to meet an average below it, and one above it just after a fall: by noise
// alone the least one would become ever less. What climbs with a growing width raises no base.
#define DOWN 0.3
#define UP   0.1

static int at_least_one(int n) {
    return n > 1 ? n : 1;
}

void width_init(struct width *w, int slots) {
    *w = (struct width){.width = slots > 0 ? slots : 1,
                        .most = slots > 0 ? slots : WIDTH_MOST,
                        .is_fixed = slots > 0,
                        .is_searching = slots <= 0,
                        .lowered_at = INT64_MIN};
}

int width_now(const struct width *w) {
    return w->width;
}

static void set_width(struct width *w, int width) {
    w->width = width < w->most ? at_least_one(width) : w->most;
    w->round = (struct average){0};
}

static void fall_to(struct width *w, int width, int64_t now) {
    set_width(w, width);
    w->longer = (struct average){0};
    w->before_fall = 0;
    w->is_searching = false;
    w->lowered_at = now;
}

// There was no sign of too much.
static void grow(struct width *w, int64_t now) {
    if (w->too_many && w->width >= w->too_many) // what was too many is not any more
        w->too_many = 0, w->quiet = 0;
    int wider = w->is_searching ? w->width * 2 : w->width + at_least_one(w->width / 8);
    if (w->too_many && wider >= w->too_many)
        wider = now < w->retry_at ? w->too_many - 1 : w->too_many;
    if (wider > w->width)
        set_width(w, wider);
}

// The provider works on width × least / average of ours at once, the others wait there.
static void fall_by_latency(struct width *w, double average, int64_t now) {
    int seen = (int)(w->width * w->base / average), least = w->width / FALL_MOST;
    fall_to(w, seen > least ? seen : least, now);
    w->before_fall = average;
}

static void learn_base(struct width *w, double average, bool has_fallen, bool is_same) {
    if (w->width == 1 || is_same) // no queue of ours
        w->base = average;
    else if (average < w->base)
        w->base += DOWN * (average - w->base);
    else if (has_fallen)
        w->base += UP * (average - w->base);
    w->is_base_sure = true;
}

// A sure average while the width does not double.
static void judge(struct width *w, int64_t now) {
    double average = w->longer.sum / w->longer.count;
    bool has_fallen = w->before_fall > 0;
    bool is_same = has_fallen && average >= HELPS * w->before_fall;
    w->longer = (struct average){0};
    w->before_fall = 0;
    learn_base(w, average, has_fallen, is_same);
    if (is_same) // nothing is known to be too many, but what was refused
        w->is_searching = !w->too_many;
    if (!w->is_fixed && average >= FALLS * w->base) {
        fall_by_latency(w, average, now);
        return;
    }
    bool has_room = w->is_fixed || average <= GROWS * w->base || w->holds >= HOLDS_MOST;
    w->holds = has_room ? 0 : w->holds + 1;
    if (has_room)
        grow(w, now);
}

// Doubling waits for no more than a round.
static void end_round(struct width *w, int64_t now) {
    double average = w->round.sum / w->round.count;
    if (w->base <= 0 || (average < w->base && !w->is_base_sure))
        w->base = average;
    if (w->round.count >= SAMPLES_ROUGH && average >= FALLS_ROUGH * w->base)
        fall_by_latency(w, average, now);
    else
        grow(w, now);
    if (w->width == w->most)
        w->is_searching = false;
}

static void add(struct average *to, int64_t latency) {
    to->count++;
    to->sum += latency > 0 ? (double)latency : 1;
}

void width_passed(struct width *w, int64_t latency, int in_flight, int64_t now) {
    if (in_flight != w->width) // says nothing about this width
        return;
    int enough = 2 * w->width > SAMPLES_LEAST ? 2 * w->width : SAMPLES_LEAST;
    add(&w->round, latency);
    add(&w->longer, latency);
    if (w->is_searching && w->round.count >= w->width)
        end_round(w, now);
    else if (!w->is_searching && w->longer.count >= enough)
        judge(w, now);
}

// Too many: not again before a quiet time, longer each time in a row.
static void bar(struct width *w, int too_many, int64_t now) {
    w->quiet = w->quiet ? w->quiet * 2 : QUIET_FIRST;
    if (w->quiet < QUIET_ANSWERS * (int64_t)w->base)
        w->quiet = QUIET_ANSWERS * (int64_t)w->base;
    if (w->quiet > QUIET_MOST)
        w->quiet = QUIET_MOST;
    w->too_many = too_many;
    w->retry_at = now + w->quiet;
}

void width_refused(struct width *w, int in_flight, int64_t sent_at, int64_t now) {
    if (in_flight <= 1)
        return;
    if (sent_at > w->lowered_at) {
        // those sent together may arrive in any order, so the refused one need not be the last
        int most = in_flight < w->width / 2 ? 2 * in_flight : w->width;
        w->floor = at_least_one(most / 2);
        fall_to(w, most - 1, now);
        bar(w, most, now);
    } else if (w->too_many && w->width > w->floor) {
        // sent together with that one: one more that is too many
        set_width(w, w->width - 1);
        w->too_many = w->width + 1;
    }
}
