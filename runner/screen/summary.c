// summary.c: what came of the jobs, why some failed, and what to do next. Main thread.
// SPDX-License-Identifier: MIT
#include "runner/screen/summary.h"

#include "jobs/base/die.h"
#include "jobs/base/log.h"
#include "runner/screen/advice.h"
#include "runner/screen/key_table.h"
#include "runner/screen/show.h"

#include <stdlib.h>

#define TABLE_BYTES  ((size_t)1024 * 1024)
#define LINE_BYTES   8192
#define ID_MOST      60
#define MESSAGE_MOST 300

static int64_t left_undone(const struct summary *s) {
    int64_t rest = s->total - s->ok - s->failed - s->skipped;
    return rest > 0 ? rest : 0;
}

static void add_counted(struct buf *out, const char *before, int64_t n, const char *after) {
    buf_add_str(out, before);
    show_count(out, n);
    buf_add_str(out, after);
}

static void add_jobs(const struct summary *s, struct buf *out) {
    add_counted(out, "jobs: ", s->ok, " ok");
    add_counted(out, ", ", s->failed, " failed");
    if (s->skipped)
        add_counted(out, ", ", s->skipped, " done before");
    if (left_undone(s) || s->at_least)
        add_counted(out, s->at_least ? ", at least " : ", ", left_undone(s), " not done");
    buf_add_char(out, '\n');
}

static void add_requests(const struct summary *s, struct buf *out) {
    add_counted(out, "requests: ", s->attempts, " in ");
    show_span(out, s->elapsed);
    buf_add_str(out, " (");
    show_rate(out, s->elapsed > 0 ? (double)s->attempts * 1e6 / (double)s->elapsed : 0);
    add_counted(out, "/s), ", s->rate_limited, " rate limited");
    if (s->copies) {
        add_counted(out, ", ", s->copies, s->copies == 1 ? " copy (" : " copies (");
        add_counted(out, "", s->copies_won, " answered first)");
    }
    if (s->input_tokens || s->output_tokens) {
        add_counted(out, "; tokens: ", s->input_tokens, " in");
        add_counted(out, ", ", s->output_tokens, " out");
        if (s->cached_tokens)
            add_counted(out, ", ", s->cached_tokens, " cached");
    }
    buf_add_char(out, '\n');
}

static void add_times(const char *what, const struct summary_times *t, struct buf *out) {
    const struct {
        const char *name;
        int64_t usec;
    } parts[] = {{": p50 ", t->p50},
                 {", p90 ", t->p90},
                 {", p95 ", t->p95},
                 {", p99 ", t->p99},
                 {", max ", t->max}};
    if (t->max <= 0)
        return;
    buf_add_str(out, what);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        buf_add_str(out, parts[i].name);
        show_latency(out, parts[i].usec);
    }
    buf_add_char(out, '\n');
}

// ---- why ----

// Rows that failed count before attempts that were made good later.
static int commoner(const void *a, const void *b) {
    const struct summary_error *x = *(const struct summary_error *const *)a;
    const struct summary_error *y = *(const struct summary_error *const *)b;
    if (x->rows != y->rows)
        return x->rows > y->rows ? -1 : 1;
    if (x->attempts != y->attempts)
        return x->attempts > y->attempts ? -1 : 1;
    return x < y ? -1 : x > y;
}

static void add_error(const struct summary *s, const struct summary_error *error, struct buf *out) {
    struct buf line = BUF_INIT(LINE_BYTES);
    int64_t count = error->rows ? error->rows : error->attempts;
    const char *what = error->rows ? " row" : " attempt";
    add_counted(&line, "", count, what);
    buf_addf(&line, "%s failed: %s, %s", count == 1 ? "" : "s", error->class,
             count == 1 ? "row " : "for example row ");
    show_plain(&line, error->example_id, ID_MOST);
    buf_add_str(&line, ": ");
    show_plain(&line, error->message, MESSAGE_MOST);
    show_folded(out, buf_slice(&line), s->width, 4);
    buf_clear(&line);
    buf_add_str(&line, "    ");
    advice_add(&line, error);
    if (line.n > 4)
        show_folded(out, buf_slice(&line), s->width, 4);
    buf_free(&line);
}

// Attempts that failed are of interest when no row did and the run stopped all the same.
static void add_errors(const struct summary *s, struct buf *out) {
    const struct summary_error **list = mem_new((s->error_count + 1) * sizeof *list);
    size_t count = 0, shown = 0;
    for (size_t i = 0; i < s->error_count; i++)
        list[i] = &s->errors[i];
    qsort(list, s->error_count, sizeof *list, commoner);
    while (count < s->error_count && (list[count]->rows || (s->stopped && !list[0]->rows)))
        count++;
    for (; shown < count && shown < SUMMARY_ERRORS_SHOWN; shown++)
        add_error(s, list[shown], out);
    if (shown < count)
        buf_addf(out, "%zu further kind%s of failure: see error.class in the results\n",
                 count - shown, count - shown == 1 ? "" : "s");
    free(list);
}

// ---- what to do next ----

static bool is_stopped_by(const struct summary *s, const char *what) {
    return s->stopped_by && strcmp(s->stopped_by, what) == 0;
}

static const char *how_to_go_on(const struct summary *s) {
    if (is_stopped_by(s, "no-key"))
        return "stopped before the end: once a key can be used again, the same command goes on";
    if (is_stopped_by(s, "outage"))
        return "stopped before the end: once the provider answers again, the same command goes on";
    if (is_stopped_by(s, "input"))
        return "stopped before the end: correct the input, then the same command goes on";
    if (is_stopped_by(s, "output"))
        return "stopped before the end: once results can be written, the same command goes on";
    return "stopped before the end: run the same command again to go on";
}

static void add_next(const struct summary *s, struct buf *out) {
    bool standard = s->output && strcmp(s->output, "-") == 0;
    if (s->output && !standard) {
        buf_add_str(out, "results: ");
        show_plain(out, s->output, 4096);
        buf_add_char(out, '\n');
        if (s->stopped)
            show_folded(out, slice_str(how_to_go_on(s)), s->width, 4);
    } else if (s->failed || s->stopped) {
        buf_add_str(out, "to go on where a run ended, write to a file: -o FILE\n");
    }
}

// Lines of numbers, folded where the terminal is narrow.
static void add_totals(const struct summary *s, struct buf *out) {
    struct buf lines = BUF_INIT(LINE_BYTES);
    add_jobs(s, &lines);
    add_requests(s, &lines);
    add_times("latency", &s->latency, &lines);
    add_times("first token", &s->ttft, &lines);
    struct slice rest = buf_slice(&lines);
    while (rest.n) {
        const char *end = memchr(rest.p, '\n', rest.n);
        struct slice line = slice_of(rest.p, (size_t)(end - rest.p));
        show_folded(out, line, s->width, 4);
        rest = slice_of(end + 1, rest.n - line.n - 1);
    }
    buf_free(&lines);
}

void summary_table(const struct summary *s, struct buf *out) {
    key_table_add(s, out);
    add_totals(s, out);
    add_errors(s, out);
    if (s->waited_for && s->stopped) {
        struct buf line = BUF_INIT(LINE_BYTES);
        buf_add_str(&line, "when it stopped: ");
        show_plain(&line, s->waited_for, MESSAGE_MOST);
        show_folded(out, buf_slice(&line), s->width, 4);
        buf_free(&line);
    }
    if (s->may_be_faster)
        show_folded(out,
                    SLICE("no key was rate limited, and each had one request at a time: "
                          "--slots-per-key auto may be faster"),
                    s->width, 4);
    add_next(s, out);
}

void summary_print(struct summary *s) {
    struct buf out = BUF_INIT(TABLE_BYTES);
    s->width = show_terminal_width();
    summary_table(s, &out);
    log_text(buf_slice(&out));
    buf_free(&out);
}
