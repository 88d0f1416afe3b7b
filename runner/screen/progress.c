// progress.c: when to show what, the rate of the last seconds, plain and JSON lines. One thread
// ticks.
// SPDX-License-Identifier: MIT
#include "runner/screen/progress.h"

#include "jobs/base/clock.h"
#include "jobs/base/json.h"
#include "jobs/base/log.h"
#include "runner/screen/show.h"

#include <stdlib.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BAR_EVERY    (100 * USEC_PER_MS)
#define JSON_EVERY   USEC_PER_SEC
#define PLAIN_FIRST  (5 * USEC_PER_SEC)
#define PLAIN_MOST   (30 * USEC_PER_SEC)
#define SAMPLE_EVERY (500 * USEC_PER_MS)

#define RATE_WINDOW (8 * USEC_PER_SEC)
// With fewer finished in the window, the average of the whole run tells more.
#define RATE_ENOUGH 10

#define WIDTH_MOST 200 // so that the live line with all its colours fits into log_status()

static bool is_set(const char *name) {
    const char *value = getenv(name);
    return value && *value;
}

static bool locale_is_utf8(void) {
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < 3; i++)
        if (is_set(names[i])) {
            const char *value = getenv(names[i]);
            return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
        }
    return false;
}

struct progress_settings progress_settings(enum progress_mode mode, bool on_stdout) {
    const char *term = getenv("TERM");
    bool dumb = term && strcmp(term, "dumb") == 0;
    return (struct progress_settings){
        .mode = mode,
        .terminal = isatty(STDERR_FILENO) && !dumb && !(on_stdout && isatty(STDOUT_FILENO)),
        .color = !is_set("NO_COLOR") && !dumb,
        .utf8 = locale_is_utf8(),
    };
}

static int64_t first_gap(enum progress_mode mode) {
    switch (mode) {
    case PROGRESS_PLAIN: return PLAIN_FIRST;
    case PROGRESS_JSON: return JSON_EVERY;
    default: return BAR_EVERY;
    }
}

void progress_init(struct progress *p, const struct progress_settings *settings, int64_t now) {
    *p =
        (struct progress){.mode = settings->mode, .color = settings->color, .utf8 = settings->utf8};
    if (p->mode == PROGRESS_AUTO)
        p->mode = settings->terminal ? PROGRESS_BAR : PROGRESS_PLAIN;
    p->gap = first_gap(p->mode);
    p->due = p->mode == PROGRESS_OFF ? TIME_NEVER : now + p->gap;
    p->sampled = now - SAMPLE_EVERY;
}

int64_t progress_due(const struct progress *p) {
    return p->due;
}

int64_t progress_finished(const struct progress_view *view) {
    return view->ok + view->failed;
}

void progress_sample(struct progress *p, const struct progress_view *view, int64_t now) {
    if (now - p->sampled < SAMPLE_EVERY)
        return;
    p->sampled = now;
    unsigned slot = p->samples++ % PROGRESS_SAMPLES;
    p->sample[slot].at = now;
    p->sample[slot].finished = progress_finished(view);
}

// The sample that many steps before the newest.
static unsigned slot_of(const struct progress *p, unsigned back) {
    return (p->samples - 1 - back) % PROGRESS_SAMPLES;
}

// The oldest sample within the window, but at least the one before the newest: plain lines come
// seldom, and samples with them.
static unsigned window_start(const struct progress *p) {
    unsigned most = (p->samples < PROGRESS_SAMPLES ? p->samples : PROGRESS_SAMPLES) - 1;
    int64_t newest = p->sample[slot_of(p, 0)].at;
    unsigned back = 1;
    while (back < most && newest - p->sample[slot_of(p, back + 1)].at <= RATE_WINDOW)
        back++;
    return slot_of(p, back);
}

double progress_rate(const struct progress *p, const struct progress_view *view) {
    int64_t all = progress_finished(view);
    double average = view->elapsed > 0 ? (double)all * 1e6 / (double)view->elapsed : 0;
    if (p->samples < 2)
        return average;
    unsigned newest = slot_of(p, 0), oldest = window_start(p);
    int64_t span = p->sample[newest].at - p->sample[oldest].at;
    int64_t count = p->sample[newest].finished - p->sample[oldest].finished;
    return span > 0 && count >= RATE_ENOUGH ? (double)count * 1e6 / (double)span : average;
}

int64_t progress_total(const struct progress_view *view, bool *estimate) {
    *estimate = false;
    if (view->input_ended)
        return view->rows;
    if (view->total >= 0)
        return view->total;
    if (view->bytes_total < 0 || view->bytes_done <= 0 || view->rows <= 0)
        return -1;
    *estimate = true;
    double guess = (double)view->rows * (double)view->bytes_total / (double)view->bytes_done;
    if (guess > 1e15)
        guess = 1e15;
    return guess > (double)view->rows ? (int64_t)guess : view->rows;
}

int64_t progress_left(const struct progress *p, const struct progress_view *view) {
    bool estimate;
    int64_t total = progress_total(view, &estimate);
    double rate = progress_rate(p, view);
    double left = (double)(total - progress_finished(view) - view->skipped);
    if (view->why || progress_finished(view) < PROGRESS_ROWS_TOLD)
        return -1;
    if (total < 0 || rate <= 0 || left < 0 || left / rate > 1e8)
        return -1;
    return (int64_t)(left * 1e6 / rate);
}

double progress_percent(const struct progress_view *view, int64_t total) {
    double share =
        total > 0 ? 100.0 * (double)(progress_finished(view) + view->skipped) / (double)total : 100;
    return share < 100 ? share : 100;
}

void progress_plain(const struct progress *p, const struct progress_view *view, struct buf *out) {
    bool estimate;
    int64_t total = progress_total(view, &estimate), left = progress_left(p, view);
    show_count(out, progress_finished(view) + view->skipped);
    if (total >= 0) {
        buf_add_str(out, estimate ? " of ~" : " of ");
        show_count(out, total);
        buf_addf(out, " (%d%%)", (int)progress_percent(view, total));
    }
    buf_addf(out, " done, %lld failed, ", (long long)view->failed);
    show_rate(out, progress_rate(p, view));
    buf_addf(out, "/s, %lld in flight, %lld rate limited", (long long)view->in_flight,
             (long long)view->rate_limited);
    if (view->draining) {
        buf_add_str(out, ", stopping");
    } else if (view->why) {
        buf_addf(out, ", %s", view->why);
    } else if (left >= 0) {
        buf_add_str(out, ", ETA ");
        show_span(out, left);
    }
    size_t before = out->n;
    buf_add_str(out, "; keys: ");
    size_t named = out->n;
    progress_key_counts(view, out);
    if (out->n == named)
        out->n = before;
    buf_add_char(out, '\n');
}

static void add_number(struct buf *out, const char *name, int64_t value) {
    json_add_name(out, name);
    buf_add_int(out, value);
}

static void add_decimal(struct buf *out, const char *name, double value) {
    json_add_name(out, name);
    if (value >= 0 && value < 1e15)
        json_add_thousandths(out, (int64_t)(value * 1000 + 0.5));
    else
        buf_add_str(out, "null");
}

static void add_flag(struct buf *out, const char *name, bool value) {
    json_add_name(out, name);
    buf_add_str(out, value ? "true" : "false");
}

void progress_json(const struct progress *p, const struct progress_view *view, bool last,
                   struct buf *out) {
    bool estimate;
    int64_t total = progress_total(view, &estimate), left = progress_left(p, view);
    buf_addf(out, "{\"event\":\"%s\"", last ? "end" : "progress");
    add_decimal(out, "elapsed_s", (double)view->elapsed / 1e6);
    add_number(out, "done", progress_finished(view) + view->skipped);
    add_decimal(out, "total", total < 0 ? -1 : (double)total);
    add_flag(out, "total_is_estimate", estimate);
    add_number(out, "ok", view->ok);
    add_number(out, "failed", view->failed);
    add_number(out, "skipped", view->skipped);
    add_number(out, "in_flight", view->in_flight);
    add_number(out, "rate_limited", view->rate_limited);
    add_decimal(out, "jobs_per_s", progress_rate(p, view));
    add_decimal(out, "eta_s", left < 0 ? -1 : (double)left / 1e6);
    json_add_name(out, "keys");
    buf_add_char(out, '{');
    for (int i = 0; i < PROGRESS_KEY_STATES; i++)
        add_number(out, progress_key_word((enum progress_key)i), view->key_states[i]);
    buf_add_char(out, '}');
    add_flag(out, "draining", view->draining);
    if (view->why) {
        json_add_name(out, "waiting");
        json_add_string(out, slice_str(view->why));
    }
    buf_add_str(out, "}\n");
}

static int terminal_width(void) {
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 80;
    return size.ws_col < WIDTH_MOST ? size.ws_col : WIDTH_MOST;
}

// The last column stays free: terminals differ in what they do after writing it.
static void show_live(struct progress *p, const struct progress_view *view) {
    struct buf out = BUF_INIT(8192);
    progress_line(p, view, terminal_width() - 1, &out);
    log_status(buf_cstr(&out));
    buf_free(&out);
    p->frame++;
}

static void show_text(struct progress *p, const struct progress_view *view, bool last) {
    struct buf out = BUF_INIT(8192);
    if (p->mode == PROGRESS_JSON) {
        progress_json(p, view, last, &out);
        log_json(buf_slice(&out));
    } else {
        progress_plain(p, view, &out);
        log_text(buf_slice(&out));
    }
    buf_free(&out);
}

// A long run does not fill its log: plain lines come after 5 s, then 10, 15 … every 30 s.
static void set_due(struct progress *p, int64_t now) {
    if (p->mode == PROGRESS_PLAIN && p->gap < PLAIN_MOST)
        p->gap += PLAIN_FIRST;
    p->due = now + p->gap;
}

void progress_tick(struct progress *p, const struct progress_view *view, int64_t now) {
    if (p->mode == PROGRESS_OFF)
        return;
    progress_sample(p, view, now);
    if (now < p->due)
        return;
    if (p->mode == PROGRESS_BAR)
        show_live(p, view);
    else
        show_text(p, view, false);
    set_due(p, now);
}

void progress_end(struct progress *p, const struct progress_view *view, int64_t now) {
    progress_sample(p, view, now);
    if (p->mode == PROGRESS_BAR)
        log_status(NULL);
    else if (p->mode == PROGRESS_JSON)
        show_text(p, view, true);
    p->due = TIME_NEVER;
}
