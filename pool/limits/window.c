// window.c: a sliding limit, counted in a ring of sub-periods. Pure.
// SPDX-License-Identifier: MIT
#include "pool/limits/window.h"

#include <string.h>

static uint32_t clamp(int64_t n) {
    if (n < 0)
        return 0;
    return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

void window_init(struct window *w, int64_t limit, int64_t period) {
    // one more sub-period than fit the period: what was taken at the end of one is a whole period
    // old when the ring comes round to it
    int64_t span = (period + WINDOW_SLOTS - 2) / (WINDOW_SLOTS - 1);
    *w = (struct window){.limit = clamp(limit), .span = span > 0 ? span : 1};
}

static uint32_t *slot(struct window *w, int64_t number) {
    return &w->counts[number & (WINDOW_SLOTS - 1)];
}

// Forgets what has become a period old.
static void advance(struct window *w, int64_t now) {
    int64_t number = now / w->span;
    if (number - w->newest >= WINDOW_SLOTS) {
        memset(w->counts, 0, sizeof w->counts);
        w->used = 0;
        w->newest = number;
    }
    while (w->newest < number) {
        uint32_t *oldest = slot(w, ++w->newest);
        w->used -= *oldest;
        *oldest = 0;
    }
}

int64_t window_ready_at(struct window *w, int64_t amount, int64_t now) {
    advance(w, now);
    int64_t room = amount < w->limit ? w->limit - amount : 0;
    int64_t used = w->used, number = w->newest - WINDOW_SLOTS;
    if (used <= room)
        return now;
    while (used > room)
        used -= *slot(w, ++number);
    return (number + WINDOW_SLOTS) * w->span;
}

static void add(struct window *w, int64_t number, int64_t amount) {
    uint32_t *count = slot(w, number);
    w->used -= *count;
    *count = clamp((int64_t)*count + amount);
    w->used += *count;
}

void window_take(struct window *w, int64_t amount, int64_t now) {
    advance(w, now);
    add(w, w->newest, clamp(amount));
}

void window_change(struct window *w, int64_t taken_at, int64_t difference, int64_t now) {
    advance(w, now);
    int64_t number = taken_at / w->span;
    if (number > w->newest)
        number = w->newest;
    if (w->newest - number < WINDOW_SLOTS)
        add(w, number, difference);
}
