// summary.c: the table at the end of a run, and what to do next. Main thread.
// SPDX-License-Identifier: MIT
#include "runner/screen/summary.h"

#include "jobs/base/die.h"
#include "jobs/base/log.h"
#include "runner/screen/show.h"

#include <stdlib.h>

#define TABLE_BYTES ((size_t)1024 * 1024)
#define NAME_MOST   40
#define REASON_MOST 200

static bool is_healthy(const struct summary_key *key) {
    return strcmp(key->state, "healthy") == 0;
}

static double share_of(const struct summary *s, int64_t requests) {
    return s->attempts > 0 ? 100.0 * (double)requests / (double)s->attempts : 0;
}

// ---- cells: a column is a heading, a way to fill a cell, and a side to keep to ----

struct column {
    const char *heading;
    void (*fill)(const struct summary *s, const struct summary_key *key, struct buf *out);
    bool left; // text; numbers keep to the right
};

static void fill_name(const struct summary *s, const struct summary_key *key, struct buf *out) {
    (void)s;
    show_plain(out, key->name, NAME_MOST);
}

static void fill_state(const struct summary *s, const struct summary_key *key, struct buf *out) {
    (void)s;
    buf_add_str(out, key->state);
}

#define COUNT_COLUMN(field)                                                                        \
    static void fill_##field(const struct summary *s, const struct summary_key *key,               \
                             struct buf *out) {                                                    \
        (void)s;                                                                                   \
        show_count(out, key->field);                                                               \
    }

COUNT_COLUMN(requests)
COUNT_COLUMN(ok)
COUNT_COLUMN(failed)
COUNT_COLUMN(rate_limited)
COUNT_COLUMN(input_tokens)
COUNT_COLUMN(output_tokens)

static void add_latency(struct buf *out, int64_t usec) {
    if (usec > 0)
        show_latency(out, usec);
    else
        buf_add_char(out, '-');
}

static void fill_p50(const struct summary *s, const struct summary_key *key, struct buf *out) {
    (void)s;
    add_latency(out, key->p50);
}

static void fill_p95(const struct summary *s, const struct summary_key *key, struct buf *out) {
    (void)s;
    add_latency(out, key->p95);
}

static void fill_share(const struct summary *s, const struct summary_key *key, struct buf *out) {
    buf_addf(out, "%.1f%%", share_of(s, key->requests));
}

static const struct column columns[] = {
    {"key", fill_name, true},
    {"state", fill_state, true},
    {"requests", fill_requests, false},
    {"ok", fill_ok, false},
    {"failed", fill_failed, false},
    {"429s", fill_rate_limited, false},
    {"tokens in", fill_input_tokens, false},
    {"tokens out", fill_output_tokens, false},
    {"p50", fill_p50, false},
    {"p95", fill_p95, false},
    {"share", fill_share, false},
};

#define COLUMNS (sizeof columns / sizeof *columns)

// ---- which keys have a row ----

struct rows {
    const struct summary_key **list;
    size_t count;
    struct summary_key rest; // the sum of those without a row; its name says how many
    char rest_name[40];
    bool has_rest;
};

static int busier(const void *a, const void *b) {
    const struct summary_key *x = *(const struct summary_key *const *)a;
    const struct summary_key *y = *(const struct summary_key *const *)b;
    if (x->requests != y->requests)
        return x->requests > y->requests ? -1 : 1;
    return x < y ? -1 : x > y; // equals keep their order
}

static void add_to_rest(struct summary_key *rest, const struct summary_key *key) {
    rest->requests += key->requests;
    rest->ok += key->ok;
    rest->failed += key->failed;
    rest->rate_limited += key->rate_limited;
    rest->input_tokens += key->input_tokens;
    rest->output_tokens += key->output_tokens;
    rest->cached_tokens += key->cached_tokens;
}

// The list is in order of business: the first ones stay, then unhealthy ones as far as there is
// room.
static void shorten(struct rows *rows) {
    size_t kept = SUMMARY_KEYS_BUSIEST, left_out = 0;
    rows->rest = (struct summary_key){.name = rows->rest_name, .state = ""};
    for (size_t i = SUMMARY_KEYS_BUSIEST; i < rows->count; i++)
        if (!is_healthy(rows->list[i]) && kept < 2 * SUMMARY_KEYS_BUSIEST) {
            rows->list[kept++] = rows->list[i];
        } else {
            add_to_rest(&rows->rest, rows->list[i]);
            left_out++;
        }
    rows->count = kept;
    rows->has_rest = true;
    snprintf(rows->rest_name, sizeof rows->rest_name, "(%zu more)", left_out);
}

static void choose_rows(const struct summary *s, struct rows *rows) {
    rows->list = mem_new((s->key_count + 1) * sizeof *rows->list);
    rows->count = s->key_count;
    rows->has_rest = false;
    for (size_t i = 0; i < s->key_count; i++)
        rows->list[i] = &s->keys[i];
    if (s->key_count <= SUMMARY_KEYS_SHOWN)
        return;
    qsort(rows->list, rows->count, sizeof *rows->list, busier);
    shorten(rows);
}

// ---- the table ----

static int code_points(struct slice s) {
    int count = 0;
    for (size_t i = 0; i < s.n; i++)
        count += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return count;
}

static void pad(struct buf *out, int count) {
    while (count-- > 0)
        buf_add_char(out, ' ');
}

static int width_of(const struct summary *s, const struct column *column, const struct rows *rows) {
    struct buf cell = BUF_INIT(1024);
    int width = (int)strlen(column->heading);
    for (size_t i = 0; i < rows->count + rows->has_rest; i++) {
        buf_clear(&cell);
        column->fill(s, i < rows->count ? rows->list[i] : &rows->rest, &cell);
        int n = code_points(buf_slice(&cell));
        width = n > width ? n : width;
    }
    buf_free(&cell);
    return width;
}

static void add_cell(const struct column *column, int width, struct slice text, struct buf *out) {
    int gap = width - code_points(text);
    bool last = column == &columns[COLUMNS - 1];
    pad(out, column->left ? 0 : gap);
    buf_add_slice(out, text);
    pad(out, column->left ? gap : 0);
    buf_add_str(out, last ? "\n" : "  ");
}

static void add_row(const struct summary *s, const struct summary_key *key, const int *widths,
                    struct buf *out) {
    struct buf cell = BUF_INIT(1024);
    for (size_t i = 0; i < COLUMNS; i++) {
        buf_clear(&cell);
        columns[i].fill(s, key, &cell);
        add_cell(&columns[i], widths[i], buf_slice(&cell), out);
    }
    buf_free(&cell);
}

static void add_table(const struct summary *s, const struct rows *rows, struct buf *out) {
    int widths[COLUMNS];
    for (size_t i = 0; i < COLUMNS; i++)
        widths[i] = width_of(s, &columns[i], rows);
    for (size_t i = 0; i < COLUMNS; i++)
        add_cell(&columns[i], widths[i], slice_str(columns[i].heading), out);
    for (size_t i = 0; i < rows->count; i++)
        add_row(s, rows->list[i], widths, out);
    if (rows->has_rest)
        add_row(s, &rows->rest, widths, out);
}

static void add_reasons(const struct rows *rows, struct buf *out) {
    for (size_t i = 0; i < rows->count; i++) {
        const struct summary_key *key = rows->list[i];
        if (is_healthy(key) || !key->reason)
            continue;
        show_plain(out, key->name, NAME_MOST);
        buf_addf(out, ": %s: ", key->state);
        show_plain(out, key->reason, REASON_MOST);
        buf_add_char(out, '\n');
    }
}

// ---- below the table ----

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
    if (left_undone(s))
        add_counted(out, ", ", left_undone(s), " not done");
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

static void add_retry_hint(const struct summary *s, struct buf *out) {
    int64_t to_retry = s->failed - s->bad_rows;
    if (to_retry > 0)
        add_counted(out, "", to_retry, " failed: run the same command again to retry them\n");
    if (s->bad_rows > 0)
        add_counted(out, "", s->bad_rows,
                    s->bad_rows == 1
                        ? " row is no good: its error.message says why; mend it and run again\n"
                        : " rows are no good: error.message says why; mend them and run again\n");
    if (s->stopped)
        buf_add_str(out, "stopped before the end: run the same command again to go on\n");
}

static void add_next(const struct summary *s, struct buf *out) {
    bool standard = s->output && strcmp(s->output, "-") == 0;
    if (s->output && !standard) {
        buf_add_str(out, "results: ");
        show_plain(out, s->output, 4096);
        buf_add_char(out, '\n');
        add_retry_hint(s, out);
    } else if (s->failed || s->stopped) {
        buf_add_str(out, "to go on where a run ended, write to a file: -o FILE\n");
    }
}

void summary_table(const struct summary *s, struct buf *out) {
    struct rows rows;
    choose_rows(s, &rows);
    if (rows.count) {
        add_table(s, &rows, out);
        add_reasons(&rows, out);
        buf_add_char(out, '\n');
    }
    free(rows.list);
    add_jobs(s, out);
    add_requests(s, out);
    add_times("latency", &s->latency, out);
    add_times("first token", &s->ttft, out);
    add_next(s, out);
}

void summary_print(const struct summary *s) {
    struct buf out = BUF_INIT(TABLE_BYTES);
    summary_table(s, &out);
    log_text(buf_slice(&out));
    buf_free(&out);
}
