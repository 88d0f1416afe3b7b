// csv.c: feeds libcsv line by line and makes a JSON row of each record. Reader thread.
// SPDX-License-Identifier: MIT
#include "jobs/in/csv.h"

#include "jobs/base/die.h"
#include "jobs/base/utf8.h"

#include <csv.h>
#include <stdlib.h>

#define COLUMNS_MAX 10000
#define KEEP_BYTES  (64 * 1024) // buffers that grew beyond it for one record are given back

struct span {
    size_t at;
    size_t n;
};

struct column {
    struct span name;  // string token in names
    size_t field;      // or FIELD_NONE
    struct span token; // of the record at hand, in rows->built: its cell as a string token
    struct span json;  // and as it is, for a field that may hold JSON; .n is 0 for others
};

struct csv {
    struct lines *lines;
    struct csv_parser parser;
    bool guess; // the delimiter is the header's to say

    struct buf names;
    struct column *columns;
    size_t column_count; // 0: the header has not been read

    // The record at hand. Of cells beyond the last column only their number is kept.
    struct buf text;
    struct span *cells;
    size_t cell_cap;
    size_t cell_count;
    bool has_text;    // some cell is not empty
    bool has_surplus; // and one of them lies beyond the last column
    int ends;         // records ended on the line
    bool torn;        // something followed the end
};

// RFC 4180: spaces are part of a field.
static int no_space(unsigned char c) {
    (void)c;
    return 0;
}

static void start_parser(struct csv *c, char delimiter) {
    csv_init(&c->parser, CSV_STRICT);
    csv_set_delim(&c->parser, (unsigned char)delimiter);
    csv_set_space_func(&c->parser, no_space);
    csv_set_realloc_func(&c->parser, mem_resize);
    csv_set_blk_size(&c->parser, 4096);
}

struct csv *csv_new(struct lines *lines, char delimiter) {
    struct csv *c = mem_zero(1, sizeof *c);
    c->lines = lines;
    c->names = c->text = BUF_INIT(SIZE_MAX); // bounded by a record, which lines bounds
    c->guess = !delimiter;
    start_parser(c, delimiter ? delimiter : ',');
    return c;
}

void csv_delete(struct csv *c) {
    if (!c)
        return;
    csv_free(&c->parser);
    buf_free(&c->names);
    buf_free(&c->text);
    free(c->columns);
    free(c->cells);
    free(c);
}

// Reading a record.

static void on_cell(void *p, size_t n, void *context) {
    struct csv *c = context;
    size_t most = c->column_count ? c->column_count : COLUMNS_MAX, i = c->cell_count++;
    c->torn |= c->ends > 0;
    c->has_text |= n > 0;
    c->has_surplus |= n > 0 && i >= most;
    if (i >= most)
        return;
    if (i == c->cell_cap) {
        c->cell_cap = c->cell_cap ? c->cell_cap * 2 : 16;
        c->cells = mem_resize(c->cells, c->cell_cap * sizeof *c->cells);
    }
    c->cells[i] = (struct span){c->text.n, n};
    buf_add(&c->text, p, n);
}

static void on_end(int end, void *context) {
    struct csv *c = context;
    (void)end;
    c->torn |= c->ends > 0;
    c->ends++;
}

static struct slice cell(const struct csv *c, size_t i) {
    return slice_of(c->text.p ? c->text.p + c->cells[i].at : "", c->cells[i].n);
}

static void forget_record(struct csv *c) {
    char delimiter = (char)csv_get_delim(&c->parser);
    if (csv_get_buffer_size(&c->parser) > KEEP_BYTES) {
        csv_free(&c->parser);
        start_parser(c, delimiter);
    } else {
        csv_fini(&c->parser, NULL, NULL, NULL);
    }
    buf_recycle(&c->text, KEEP_BYTES);
    c->cell_count = 0;
    c->has_text = c->has_surplus = c->torn = false;
    c->ends = 0;
}

// Gives one line to the parser. NULL, or what is wrong with it.
static const char *feed(struct csv *c, struct slice raw) {
    size_t n = csv_parse(&c->parser, raw.p, raw.n, on_cell, on_end, c);
    if (n == raw.n && raw.p[raw.n - 1] != '\n')
        csv_parse(&c->parser, "\n", 1, on_cell, on_end, c);
    if (n < raw.n)
        return "a quotation mark in a field that is not quoted, or not doubled in one that is";
    return c->torn ? "a carriage return in a field that is not quoted" : NULL;
}

// Up to the end of the next record that is not blank. LINES_LINE: it was taken, or *fault says why
// not and the record is its first line.
static enum lines_status read_record(struct csv *c, const char **fault, struct error *err) {
    struct line line;
    enum lines_status status;
    do
        status = lines_next(c->lines, &line, err);
    while (status == LINES_LINE && line_is_blank(line.text));
    if (status != LINES_LINE)
        return status;
    forget_record(c);
    *fault = feed(c, line.raw);
    while (!*fault && !c->ends) {
        status = lines_more(c->lines, &line, err);
        if (status == LINES_LINE)
            *fault = feed(c, line.raw);
        else if (status == LINES_END)
            *fault = "a quotation mark is not closed";
        else if (status == LINES_TOO_LONG)
            *fault = "a quoted field goes on beyond --max-line-bytes";
        else
            return status;
    }
    if (*fault)
        lines_back(c->lines);
    return LINES_LINE;
}

// The header.

static bool header_failed(const struct csv *c, struct error *err, const char *what) {
    return error_set(err, ERROR_USAGE, "%s, line %lld: the header cannot be read: %s",
                     c->lines->name, (long long)c->lines->first_no, what);
}

static bool check_header(const struct csv *c, const char *fault, struct error *err) {
    struct slice text = lines_record(c->lines);
    if (fault)
        return header_failed(c, err, fault);
    if (!utf8_is_valid(text))
        return header_failed(c, err, "invalid UTF-8" ENCODING_HINT);
    if (c->cell_count > COLUMNS_MAX)
        return header_failed(c, err, "it has more than 10000 columns");
    return true;
}

static void name_columns(struct csv *c, const struct fields *f) {
    c->column_count = c->cell_count;
    c->columns = mem_zero(c->column_count, sizeof *c->columns);
    for (size_t i = 0; i < c->column_count; i++) {
        struct column *column = c->columns + i;
        char made_up[40];
        struct slice name = slice_trim(cell(c, i));
        if (!name.n)
            name =
                slice_of(made_up, (size_t)snprintf(made_up, sizeof made_up, "column_%zu", i + 1));
        column->field = fields_index(f, name);
        column->name.at = c->names.n;
        json_add_string(&c->names, name);
        column->name.n = c->names.n - column->name.at;
    }
}

static struct slice column_name(const struct csv *c, const struct column *column) {
    return slice_of(c->names.p + column->name.at, column->name.n);
}

static int by_name(const void *a, const void *b, void *context) {
    const struct csv *c = context;
    struct slice x = column_name(c, c->columns + *(const size_t *)a);
    struct slice y = column_name(c, c->columns + *(const size_t *)b);
    int order = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);
    return order ? order : (x.n > y.n) - (x.n < y.n);
}

static bool check_unique(struct csv *c, struct error *err) {
    size_t n = c->column_count, *order = mem_new(n * sizeof *order), i;
    for (i = 0; i < n; i++)
        order[i] = i;
    qsort_r(order, n, sizeof *order, by_name, c);
    for (i = 1; i < n && by_name(order + i - 1, order + i, c) != 0; i++)
        ;
    bool good = i >= n;
    if (!good) {
        size_t one = order[i - 1], other = order[i];
        struct slice name = utf8_cut(column_name(c, c->columns + one), 100);
        error_set(err, ERROR_USAGE,
                  "%s, line %lld: columns %zu and %zu are both named %.*s: rename one",
                  c->lines->name, (long long)c->lines->first_no, (one < other ? one : other) + 1,
                  (one < other ? other : one) + 1, SLICE_ARG(name));
    }
    free(order);
    return good;
}

static bool has_column(const struct csv *c, size_t field) {
    for (size_t i = 0; i < c->column_count; i++)
        if (c->columns[i].field == field)
            return true;
    return field == FIELD_NONE;
}

static bool check_column(const struct csv *c, const struct fields *f, size_t field,
                         const char *option, struct error *err) {
    if (has_column(c, field))
        return true;
    struct buf list = BUF_INIT(300);
    for (size_t i = 0; i < c->column_count && !list.failed; i++) {
        buf_add_str(&list, i ? ", " : "");
        buf_add_slice(&list, column_name(c, c->columns + i));
    }
    error_set(err, ERROR_USAGE,
              "%s, line %lld: no column is named \"%s\" (there is %.*s%s); %s names "
              "another",
              c->lines->name, (long long)c->lines->first_no, f->want[field].name,
              SLICE_ARG(buf_slice(&list)), list.failed ? " …" : "", option);
    buf_free(&list);
    return false;
}

// What the template and --fields name must be there: no row could have it otherwise.
static bool check_named(const struct csv *c, const struct rows *rows, struct error *err) {
    const struct fields *f = &rows->fields;
    for (size_t i = 0; rows->template && template_name(rows->template, i).p; i++)
        if (!check_column(c, f, fields_index(f, template_name(rows->template, i)), "--template",
                          err))
            return false;
    for (size_t i = 0; i < FIELD_KNOWN; i++)
        if (f->named[i] && !f->all_named && !check_column(c, f, i, "--fields", err))
            return false;
    return true;
}

// How often a byte stands outside of quotation marks.
static size_t count_outside(struct slice line, char c) {
    size_t count = 0;
    bool quoted = false;
    for (size_t i = 0; i < line.n; i++) {
        quoted ^= line.p[i] == '"';
        count += !quoted && line.p[i] == c;
    }
    return count;
}

static void set_delimiter(struct csv *c, char delimiter) {
    csv_set_delim(&c->parser, (unsigned char)delimiter);
}

// The one that the header uses most; in doubt, the comma.
static void guess_delimiter(struct csv *c, struct slice header) {
    static const char marks[] = ",;\t|";
    char best = ',';
    for (const char *m = marks; *m; m++)
        if (count_outside(header, *m) > count_outside(header, best))
            best = *m;
    set_delimiter(c, best);
}

// Looks at the first line: "sep=;" is taken, any other is left to be read as the header.
static enum lines_status look_at_first(struct csv *c, struct error *err) {
    struct line line;
    enum lines_status status;
    do
        status = lines_next(c->lines, &line, err);
    while (status == LINES_LINE && line_is_blank(line.text));
    if (status != LINES_LINE)
        return status;
    bool quoted = slice_starts(line.text, "\"sep=");
    if (line.text.n == (quoted ? 7 : 5) && (quoted || slice_starts(line.text, "sep="))) {
        set_delimiter(c, line.text.p[quoted ? 5 : 4]);
        return LINES_LINE;
    }
    if (c->guess)
        guess_delimiter(c, line.text);
    lines_again(c->lines);
    return LINES_LINE;
}

static enum lines_status read_header(struct csv *c, const struct rows *rows, struct error *err) {
    const struct fields *f = &rows->fields;
    const char *fault = NULL;
    enum lines_status status = look_at_first(c, err);
    if (status == LINES_LINE)
        status = read_record(c, &fault, err);
    if (status == LINES_END)
        error_set(err, ERROR_USAGE, "%s is empty: its first line must name the columns",
                  c->lines->name);
    if (status == LINES_TOO_LONG)
        header_failed(c, err, "it is longer than --max-line-bytes");
    if (status == LINES_STOPPED)
        return status;
    if (status != LINES_LINE || !check_header(c, fault, err))
        return LINES_FAILED;
    name_columns(c, f);
    bool good = check_unique(c, err) && check_named(c, rows, err) &&
                (rows->template || check_column(c, f, f->prompt, "--prompt-field", err)) &&
                check_column(c, f, f->id, "--id-field", err);
    return good ? LINES_LINE : LINES_FAILED;
}

enum lines_status csv_start(struct csv *c, const struct rows *rows, struct error *err) {
    return c->column_count ? LINES_LINE : read_header(c, rows, err);
}

// Rows.

// Writes the record as a JSON object to rows->built, cells that may hold JSON behind it. Returns
// the size of the object.
static size_t build(struct csv *c, const struct fields *f, struct buf *out) {
    for (size_t i = 0; i < c->column_count; i++) {
        struct column *column = c->columns + i;
        buf_add_char(out, i ? ',' : '{');
        buf_add_slice(out, column_name(c, column));
        buf_add_char(out, ':');
        column->token.at = out->n;
        json_add_string(out, cell(c, i));
        column->token.n = out->n - column->token.at;
    }
    buf_add_char(out, '}');
    size_t object = out->n;
    for (size_t i = 0; i < c->column_count; i++) {
        struct column *column = c->columns + i;
        column->json = (struct span){out->n, 0};
        if (column->field == FIELD_NONE || !fields_is_json_cell(f, column->field))
            continue;
        buf_add_slice(out, cell(c, i));
        column->json.n = out->n - column->json.at;
    }
    return object;
}

static struct slice span_in(const struct buf *b, struct span span) {
    return slice_of(b->p + span.at, span.n);
}

static void find_fields(const struct csv *c, struct rows *rows, struct job *job) {
    struct fields *f = &rows->fields;
    fields_clear(f);
    for (size_t i = 0; i < c->column_count; i++)
        if (c->columns[i].field != FIELD_NONE)
            f->found[c->columns[i].field] = span_in(&rows->built, c->columns[i].token);
    for (size_t i = 0; i < c->column_count; i++) {
        const struct column *column = c->columns + i;
        if (column->json.n &&
            !fields_read_cell(f, column->field, span_in(&rows->built, column->json), job))
            return;
    }
}

static void fill_row(struct csv *c, struct rows *rows, struct job *job) {
    buf_recycle(&rows->built, KEEP_BYTES);
    rows->built.max = job->line.max;
    size_t object = build(c, &rows->fields, &rows->built);
    if (rows->built.failed) {
        row_too_big(rows, job);
        return;
    }
    find_fields(c, rows, job);
    row_from_fields(rows, buf_slice(&rows->built), object, job);
}

static void fail_count(const struct csv *c, struct job *job) {
    bool more = c->cell_count > c->column_count;
    job_fail(job, OUTCOME_BAD_INPUT, "the record has %zu field%s, the header has %zu: %s",
             c->cell_count, c->cell_count == 1 ? "" : "s", c->column_count,
             more ? "a field with a comma, tab or line end in it must be quoted"
                  : "is one missing, or a line end not quoted?");
}

static void fill_job(struct csv *c, const char *fault, struct rows *rows, struct job *job) {
    struct slice text = lines_record(c->lines);
    size_t good = utf8_valid_prefix(text);
    if (fault)
        job_fail(job, OUTCOME_BAD_INPUT, "malformed record: %s", fault);
    else if (good < text.n)
        job_fail(job, OUTCOME_BAD_INPUT, "invalid UTF-8 at byte %zu of the record" ENCODING_HINT,
                 good + 1);
    else if (c->cell_count < c->column_count || c->has_surplus)
        fail_count(c, job);
    if (job->result.outcome == OUTCOME_NONE)
        fill_row(c, rows, job);
    else
        row_from_garbage(rows, text, job);
}

enum lines_status csv_next(struct csv *c, struct rows *rows, struct job *job, struct error *err) {
    const char *fault = NULL;
    enum lines_status status = csv_start(c, rows, err);
    if (status != LINES_LINE)
        return status;
    do
        status = read_record(c, &fault, err);
    while (status == LINES_LINE && !fault && !c->has_text);
    job->line_no = c->lines->first_no;
    if (status == LINES_LINE)
        fill_job(c, fault, rows, job);
    return status;
}
