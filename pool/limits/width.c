// width.c: how many at once, by doubling, stepping back and trying again. Pure; loop thread.
// SPDX-License-Identifier: MIT
#include "pool/limits/width.h"

#include "jobs/base/clock.h"

// A width that was too many is tried again after so long without a refusal, doubling with every time.
#define QUIET_FIRST (10 * USEC_PER_SEC)
#define QUIET_MOST  (600 * USEC_PER_SEC)

// Latencies of single answers differ by factors: fewer than these are no average.
#define SAMPLES_LEAST 32

// The average latency over the least one: up to GROWS there is room for more; from FALLS on too many
// wait. In between the width stays for so many averages, then tries one more.
#define GROWS      1.4
#define FALLS      1.8
#define HOLDS_MOST 4

// A fall by latency goes at least to half, for less would not show, and leaves this much above what
// the provider was seen to work on at once. When it brought the latency to no less than this share,
// the width was not why.
#define MARGIN 1.1
#define HELPS  0.75

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
    w->is_searching = false;
    w->lowered_at = now;
}

// A whole round without a refusal, and no sign from latency.
static void grow(struct width *w, int64_t now) {
    if (w->too_many && w->width >= w->too_many) // what was too many is not any more
        w->too_many = 0, w->quiet = 0;
    int wider = w->is_searching ? w->width * 2 : w->width + 1;
    bool is_barred = w->too_many && wider >= w->too_many && now < w->retry_at;
    if (!is_barred)
        set_width(w, wider);
}

// The provider works on width × least / average of ours at once, the others wait there.
static void fall_by_latency(struct width *w, double average, int64_t now) {
    int seen = (int)(w->width * w->base / average * MARGIN), half = w->width / 2;
    w->before_fall = average;
    fall_to(w, seen < half ? seen : half, now);
}

// Takes the least average; or this one, when it can be no queue of ours that it shows.
static void learn_base(struct width *w, double average) {
    bool is_same = w->before_fall > 0 && average >= HELPS * w->before_fall;
    if (w->width == 1 || is_same || average < w->base || w->base <= 0)
        w->base = average;
    if (is_same) // then nothing is known to be too much but what was refused
        w->is_searching = !w->too_many;
    w->is_base_sure = true;
    w->before_fall = 0;
}

static void judge(struct width *w, int64_t now) {
    double average = w->longer.sum / w->longer.count;
    w->longer = (struct average){0};
    learn_base(w, average);
    if (average >= FALLS * w->base && w->width > 1)
        fall_by_latency(w, average, now);
    w->holds = average <= GROWS * w->base || w->holds >= HOLDS_MOST ? 0 : w->holds + 1;
}

static void end_round(struct width *w, int64_t now) {
    double average = w->round.sum / w->round.count;
    if (!w->is_base_sure && (w->base <= 0 || average < w->base))
        w->base = average;
    w->round = (struct average){0};
    if (w->holds == 0 && w->before_fall <= 0)
        grow(w, now);
}

static void add(struct average *to, int64_t latency) {
    to->count++;
    to->sum += (double)latency;
}

void width_passed(struct width *w, int64_t latency, int in_flight, int64_t now) {
    if (in_flight != w->width) // says nothing about this width
        return;
    add(&w->round, latency);
    add(&w->longer, latency);
    int width = w->width;
    if (!w->is_fixed && w->longer.count >= SAMPLES_LEAST && w->longer.count >= width)
        judge(w, now);
    if (w->round.count >= width)
        end_round(w, now);
}

// Too many: not again before a quiet time, longer each time in a row.
static void bar(struct width *w, int too_many, int64_t now) {
    w->quiet = w->quiet ? w->quiet * 2 : QUIET_FIRST;
    if (w->quiet > QUIET_MOST)
        w->quiet = QUIET_MOST;
    w->too_many = too_many;
    w->retry_at = now + w->quiet;
}

void width_refused(struct width *w, int in_flight, int64_t sent_at, int64_t now) {
    int refused = in_flight < w->width ? in_flight : w->width;
    if (in_flight <= 1)
        return;
    if (sent_at > w->lowered_at) {
        bar(w, refused, now);
        w->floor = at_least_one(w->width / 2);
        fall_to(w, refused - 1, now);
    } else if (in_flight <= w->width) { // sent together with the one that lowered it: even less
        w->too_many = in_flight;
        set_width(w, in_flight - 1 > w->floor ? in_flight - 1 : w->floor);
    }
}
