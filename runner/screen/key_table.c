// key_table.c: which keys have a row, which columns fit, and how wide each is. Main thread.
// SPDX-License-Identifier: MIT
#include "runner/screen/key_table.h"

#include "jobs/base/die.h"
#include "runner/screen/show.h"

#include <limits.h>
#include <stdlib.h>

#define NAME_MOST   40
#define NAME_LEAST  9 // of a name that is shortened further
#define REASON_MOST 200

// Nothing is known against it.
static bool is_healthy(const struct summary_key *key) {
    static const char *const words[] = {"healthy", "unused", "unknown"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(key->state, words[i]) == 0)
            return true;
    return false;
}

static double share_of(const struct summary *s, int64_t requests) {
    return s->attempts > 0 ? 100.0 * (double)requests / (double)s->attempts : 0;
}

// ---- cells: a column is a heading, a way to fill a cell, and a side to keep to ----

struct column {
    const char *heading;
    void (*fill)(const struct summary *s, const struct summary_key *key, struct buf *out);
    bool left; // text; numbers keep to the right
    int rank;  // where columns are left out, the lowest is first
};

#define RANK_NEEDED 6 // from here on a column is worth more than a name in full

static void fill_name(const struct summary *s, const struct summary_key *key, struct buf *out) {
    (void)s;
    show_middle(out, key->name, NAME_MOST);
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
    {"key", fill_name, true, 9},
    {"state", fill_state, true, 8},
    {"requests", fill_requests, false, 4},
    {"ok", fill_ok, false, 7},
    {"failed", fill_failed, false, 6},
    {"429s", fill_rate_limited, false, 5},
    {"tokens in", fill_input_tokens, false, 1},
    {"tokens out", fill_output_tokens, false, 2},
    {"p50", fill_p50, false, 3},
    {"p95", fill_p95, false, 1},
    {"share", fill_share, false, 0},
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

#define BETWEEN 2

// How wide each column is; 0: it is left out.
struct layout {
    int widths[COLUMNS];
};

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

static int table_width(const struct layout *layout) {
    int width = -BETWEEN;
    for (size_t i = 0; i < COLUMNS; i++)
        width += layout->widths[i] ? layout->widths[i] + BETWEEN : 0;
    return width;
}

static size_t least_important(const struct layout *layout) {
    size_t least = 0;
    for (size_t i = 1; i < COLUMNS; i++)
        if (layout->widths[i] && columns[i].rank <= columns[least].rank)
            least = i;
    return least;
}

static void shorten_names(struct layout *layout, int least, int width) {
    int over = table_width(layout) - width;
    if (over > 0 && layout->widths[0] > least)
        layout->widths[0] = layout->widths[0] - over > least ? layout->widths[0] - over : least;
}

// Columns below that rank, as long as the table is too wide. The names always stay.
static void leave_out(struct layout *layout, int rank, int width) {
    while (table_width(layout) > width) {
        size_t least = least_important(layout);
        if (!least || columns[least].rank >= rank)
            return;
        layout->widths[least] = 0;
    }
}

// First long names give way, then columns that can be missed, then names again, then the others.
static struct layout lay_out(const struct summary *s, const struct rows *rows) {
    struct layout layout;
    for (size_t i = 0; i < COLUMNS; i++)
        layout.widths[i] = width_of(s, &columns[i], rows);
    if (!s->width)
        return layout;
    shorten_names(&layout, 2 * NAME_LEAST, s->width);
    leave_out(&layout, RANK_NEEDED, s->width);
    shorten_names(&layout, NAME_LEAST, s->width);
    leave_out(&layout, INT_MAX, s->width);
    shorten_names(&layout, 1, s->width);
    return layout;
}

static void add_cell(const struct column *column, int width, struct slice text, struct buf *out) {
    int gap = width - code_points(text);
    pad(out, column->left ? 0 : gap);
    buf_add_slice(out, text);
    pad(out, column->left ? gap : 0);
}

// The last column of a line is not padded to its right.
static void end_line(struct buf *out) {
    while (out->n && out->p[out->n - 1] == ' ')
        out->n--;
    buf_add_char(out, '\n');
}

static void add_name(const struct summary_key *key, int width, struct buf *out) {
    struct buf name = BUF_INIT(1024);
    show_middle(&name, key->name, width < NAME_MOST ? width : NAME_MOST);
    add_cell(&columns[0], width, buf_slice(&name), out);
    buf_free(&name);
}

static void add_row(const struct summary *s, const struct summary_key *key,
                    const struct layout *layout, struct buf *out) {
    struct buf cell = BUF_INIT(1024);
    add_name(key, layout->widths[0], out);
    for (size_t i = 1; i < COLUMNS; i++) {
        if (!layout->widths[i])
            continue;
        pad(out, BETWEEN);
        buf_clear(&cell);
        columns[i].fill(s, key, &cell);
        add_cell(&columns[i], layout->widths[i], buf_slice(&cell), out);
    }
    end_line(out);
    buf_free(&cell);
}

static void add_heading(const struct layout *layout, struct buf *out) {
    for (size_t i = 0; i < COLUMNS; i++) {
        if (!layout->widths[i])
            continue;
        pad(out, i ? BETWEEN : 0);
        add_cell(&columns[i], layout->widths[i], slice_str(columns[i].heading), out);
    }
    end_line(out);
}

static void add_reason(const struct summary *s, const struct summary_key *key, struct buf *out) {
    struct buf line = BUF_INIT(8192);
    show_middle(&line, key->name, NAME_MOST);
    buf_addf(&line, ": %s: ", key->state);
    show_plain(&line, key->reason, REASON_MOST);
    show_folded(out, buf_slice(&line), s->width, 4);
    buf_free(&line);
}

void key_table_add(const struct summary *s, struct buf *out) {
    struct rows rows;
    choose_rows(s, &rows);
    if (rows.count) {
        struct layout layout = lay_out(s, &rows);
        add_heading(&layout, out);
        for (size_t i = 0; i < rows.count; i++)
            add_row(s, rows.list[i], &layout, out);
        if (rows.has_rest)
            add_row(s, &rows.rest, &layout, out);
        for (size_t i = 0; i < rows.count; i++)
            if (!is_healthy(rows.list[i]) && rows.list[i]->reason)
                add_reason(s, rows.list[i], out);
        buf_add_char(out, '\n');
    }
    free(rows.list);
}
