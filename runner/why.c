// why.c: what the loop waits for, in words. Set by the loop thread, read by the main thread.
// SPDX-License-Identifier: MIT
#include "runner/why.h"

#include "jobs/base/clock.h"
#include "runner/screen/show.h"

#include <time.h>

// What passes sooner is not worth a word.
#define MOMENT USEC_PER_SEC

void why_init(struct why *why) {
    pthread_mutex_init(&why->lock, NULL);
    why->note = (struct why_note){.cause = WHY_NOTHING};
}

void why_free(struct why *why) {
    pthread_mutex_destroy(&why->lock);
}

void why_set(struct why *why, const struct why_note *note) {
    pthread_mutex_lock(&why->lock);
    why->note = *note;
    pthread_mutex_unlock(&why->lock);
}

struct why_note why_get(struct why *why) {
    pthread_mutex_lock(&why->lock);
    struct why_note note = why->note;
    pthread_mutex_unlock(&why->lock);
    return note;
}

// "40 s", "3m20s": whole seconds, none of them 0.
static void add_span(struct buf *out, int64_t usec) {
    int64_t seconds = (usec + USEC_PER_SEC - 1) / USEC_PER_SEC;
    if (seconds < 100)
        buf_addf(out, "%lld s", (long long)(seconds > 1 ? seconds : 1));
    else
        show_span(out, usec);
}

// "until 14:05" by the local clock, with the day when it is another one; "for 12 s" when that is soon.
static void add_until(struct buf *out, int64_t left, int64_t wall) {
    char text[40];
    struct tm today, then;
    time_t seconds = (time_t)(wall / USEC_PER_SEC), end = (time_t)((wall + left) / USEC_PER_SEC);
    if (left < 100 * USEC_PER_SEC) {
        buf_add_str(out, " for ");
        add_span(out, left);
        return;
    }
    localtime_r(&seconds, &today);
    localtime_r(&end, &then);
    bool same_day = today.tm_yday == then.tm_yday && today.tm_year == then.tm_year;
    strftime(text, sizeof text, same_day ? " until %H:%M" : " until %Y-%m-%d %H:%M", &then);
    buf_add_str(out, text);
}

static void add_words(const struct why_note *note, struct buf *out) {
    if (!note->words[0])
        return;
    buf_add_str(out, " (");
    show_plain(out, note->words, WHY_WORDS_MAX);
    buf_add_char(out, ')');
}

// What was said comes last: where the line is short, it is cut.
static void describe_provider(const struct why_note *note, int64_t now, bool has_ended,
                              struct buf *out) {
    if (note->http_status >= 400)
        buf_addf(out, "%s: HTTP %d since ", note->who, note->http_status);
    else
        buf_addf(out, "%s: no answer since ", note->who);
    add_span(out, now - note->since);
    if (!has_ended && note->until != TIME_NEVER && note->until > now) {
        buf_add_str(out, ", next try in ");
        add_span(out, note->until - now);
    }
    add_words(note, out);
}

static void describe_limits(const struct why_note *note, int64_t now, int64_t wall,
                            struct buf *out) {
    bool refused = note->cause == WHY_LIMITED;
    buf_add_str(out, refused ? "all keys are rate limited" : "the limits of all keys are used up");
    if (note->until != TIME_NEVER && note->until > now)
        add_until(out, note->until - now, wall);
    add_words(note, out);
}

// Limits are told with their end, so they are worth a word when that is not near.
static bool is_brief(const struct why_note *note, int64_t now) {
    bool soon = note->until != TIME_NEVER && note->until - now < MOMENT;
    if (note->cause == WHY_LIMITED || note->cause == WHY_LIMITS)
        return soon && now - note->since < MOMENT;
    return now - note->since < MOMENT;
}

void why_describe(const struct why_note *note, int64_t now, int64_t wall, bool has_ended,
                  struct buf *out) {
    if (note->cause == WHY_NOTHING || is_brief(note, now))
        return;
    switch (note->cause) {
    case WHY_NOTHING: break;
    case WHY_PROVIDER: describe_provider(note, now, has_ended, out); break;
    case WHY_LIMITED:
    case WHY_LIMITS: describe_limits(note, now, wall, out); break;
    case WHY_DISK: buf_add_str(out, "paused: results wait for the disk"); break;
    case WHY_INPUT: buf_add_str(out, "waiting for input"); break;
    }
}
