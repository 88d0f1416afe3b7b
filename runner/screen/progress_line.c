// progress_line.c: the live line, as many of its parts as fit the terminal. Pure.
// SPDX-License-Identifier: MIT
#include "runner/screen/progress.h"

#include "runner/screen/show.h"

#include <stdio.h>

#define LINE_BYTES 2000

static const char *const key_words[PROGRESS_KEY_STATES] = {"idle", "busy", "cooling", "out"};

void progress_key_counts(const struct progress_view *view, struct buf *out) {
    static const enum progress_key order[] = {PROGRESS_KEY_BUSY, PROGRESS_KEY_IDLE,
                                              PROGRESS_KEY_COOLING, PROGRESS_KEY_OUT};
    const char *gap = "";
    for (int i = 0; i < PROGRESS_KEY_STATES; i++) {
        int64_t count = view->key_states[order[i]];
        if (!count)
            continue;
        buf_addf(out, "%s%lld %s", gap, (long long)count, key_words[order[i]]);
        gap = ", ";
    }
}

const char *progress_key_word(enum progress_key state) {
    return key_words[state];
}

static int64_t key_count(const struct progress_view *view) {
    int64_t count = 0;
    for (int i = 0; i < PROGRESS_KEY_STATES; i++)
        count += view->key_states[i];
    return count;
}

struct segment {
    struct buf text;
    int width; // columns: escape sequences and continuation bytes not counted
    int rank;  // the lowest is left out first
};

#define SEGMENTS_MOST 12
#define BETWEEN       2

struct segments {
    struct segment list[SEGMENTS_MOST];
    int count;
};

static int columns(struct slice text) {
    int count = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\033')
            while (i < text.n && text.p[i] != 'm')
                i++;
        else if (((unsigned char)text.p[i] & 0xc0) != 0x80)
            count++;
    }
    return count;
}

static struct buf *begin(struct segments *s, int rank) {
    struct segment *segment = &s->list[s->count++];
    *segment = (struct segment){.text = BUF_INIT(LINE_BYTES), .rank = rank};
    return &segment->text;
}

static void paint(const struct progress *p, struct buf *out, const char *color, const char *text) {
    if (p->color && *color)
        buf_addf(out, "\033[%sm%s\033[0m", color, text);
    else
        buf_add_str(out, text);
}

static void add_spinner(struct segments *s, const struct progress *p) {
    static const char *const braille[] = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧"};
    static const char *const ascii[] = {"|", "/", "-", "\\"};
    buf_add_str(begin(s, 1), p->utf8 ? braille[p->frame % 8] : ascii[p->frame % 4]);
}

#define BAR_WIDTH 20

// Braille cells: unlike blocks and arrows they are one column wide in every locale.
static void add_bar(struct segments *s, const struct progress *p, double share) {
    struct buf *out = begin(s, 0);
    int full = (int)(share * BAR_WIDTH / 100);
    buf_add_char(out, '[');
    for (int i = 0; i < BAR_WIDTH; i++)
        buf_add_str(out, p->utf8 ? (i < full ? "⣿" : "⣀") : (i < full ? "#" : "."));
    buf_add_char(out, ']');
}

static void add_done(struct segments *s, const struct progress_view *view, int64_t total,
                     bool estimate) {
    struct buf *out = begin(s, 9);
    buf_add_int(out, progress_finished(view) + view->skipped);
    if (total >= 0)
        buf_addf(out, "/%s%lld", estimate ? "~" : "", (long long)total);
    else
        buf_add_str(out, " done");
}

// The reason why nothing moves is worth more than all the rest, but is cut to what the rest leaves: the
// rows done stay beside it.
#define RANK_WHY  10
#define WHY_LEAST 24
#define DONE_ROOM 24

static void add_left(struct segments *s, const struct progress *p,
                     const struct progress_view *view) {
    int64_t left = progress_left(p, view);
    if (view->draining) {
        buf_add_str(begin(s, 8), "stopping");
    } else if (view->why) {
        show_plain(begin(s, RANK_WHY), view->why, LINE_BYTES);
    } else if (left >= 0) {
        struct buf *out = begin(s, 7);
        buf_add_str(out, "ETA ");
        show_span(out, left);
    }
}

static void add_counts(struct segments *s, const struct progress *p,
                       const struct progress_view *view) {
    char text[40];
    buf_addf(begin(s, 3), "%lld in flight", (long long)view->in_flight);
    if (view->failed) {
        snprintf(text, sizeof text, "%lld failed", (long long)view->failed);
        paint(p, begin(s, 6), "31", text);
    }
    if (view->rate_limited) {
        snprintf(text, sizeof text, "%lld 429s", (long long)view->rate_limited);
        paint(p, begin(s, 4), "33", text);
    }
}

static void add_keys(struct segments *s, const struct progress *p,
                     const struct progress_view *view) {
    static const char *const marks[PROGRESS_KEY_STATES] = {".", "+", "~", "x"};
    static const char *const colors[PROGRESS_KEY_STATES] = {"", "32", "33", "31"};
    int64_t count = key_count(view);
    if (!count)
        return;
    struct buf *out = begin(s, 2);
    buf_add_str(out, "keys ");
    if (count > PROGRESS_KEYS_SHOWN || !view->keys) {
        progress_key_counts(view, out);
        return;
    }
    for (int64_t i = 0; i < count; i++)
        paint(p, out, colors[view->keys[i]], marks[view->keys[i]]);
}

static int least_of(const struct segments *s) {
    int least = 0;
    for (int i = 1; i < s->count; i++)
        if (s->list[i].rank < s->list[least].rank)
            least = i;
    return least;
}

static void cut_why(struct segments *s, int width) {
    int least = width < WHY_LEAST ? width : WHY_LEAST;
    int most = width - DONE_ROOM > least ? width - DONE_ROOM : least;
    for (int i = 0; i < s->count; i++) {
        struct segment *segment = &s->list[i];
        if (segment->rank != RANK_WHY || segment->width <= most)
            continue;
        struct buf cut = BUF_INIT(LINE_BYTES);
        show_plain(&cut, buf_cstr(&segment->text), most - 1);
        buf_add_str(&cut, most > 0 ? "\xe2\x80\xa6" : "");
        buf_free(&segment->text);
        segment->text = cut;
        segment->width = most;
    }
}

static int width_of(struct segments *s) {
    int width = (s->count - 1) * BETWEEN;
    for (int i = 0; i < s->count; i++)
        width += s->list[i].width;
    return width;
}

static void leave_out(struct segments *s, int which) {
    buf_free(&s->list[which].text);
    s->count--;
    memmove(&s->list[which], &s->list[which + 1], (size_t)(s->count - which) * sizeof *s->list);
}

static void put_together(struct segments *s, int width, struct buf *out) {
    for (int i = 0; i < s->count; i++)
        s->list[i].width = columns(buf_slice(&s->list[i].text));
    cut_why(s, width);
    while (s->count > 1 && width_of(s) > width)
        leave_out(s, least_of(s));
    if (s->list[0].width >
        width) // it is alone: the count of done rows, ASCII without escapes, or why
        s->list[0].text.n = width > 0 ? (size_t)width : 0;
    for (int i = 0; i < s->count; i++) {
        buf_add_str(out, i ? "  " : "");
        buf_add_slice(out, buf_slice(&s->list[i].text));
        buf_free(&s->list[i].text);
    }
}

void progress_line(const struct progress *p, const struct progress_view *view, int width,
                   struct buf *out) {
    struct segments s = {.count = 0};
    bool estimate;
    int64_t total = progress_total(view, &estimate);
    double share = progress_percent(view, total);
    add_spinner(&s, p);
    if (total >= 0)
        add_bar(&s, p, share);
    add_done(&s, view, total, estimate);
    if (total >= 0)
        buf_addf(begin(&s, 8), "%d%%", (int)share);
    struct buf *rate = begin(&s, 5);
    show_rate(rate, progress_rate(p, view));
    buf_add_str(rate, "/s");
    add_left(&s, p, view);
    add_counts(&s, p, view);
    add_keys(&s, p, view);
    put_together(&s, width, out);
}
