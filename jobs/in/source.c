// source.c: opens the input, chooses its reader and hands out jobs. Reader thread; owns the file.
// SPDX-License-Identifier: MIT
#include "jobs/in/source.h"

#include "jobs/base/die.h"
#include "jobs/in/csv.h"
#include "jobs/in/elements.h"
#include "jobs/in/lines.h"
#include "jobs/in/row.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

struct source {
    struct lines lines;
    struct rows rows;
    struct elements elements;
    bool by_elements; // the input is one array, or values over several lines
    bool looked;      // at its first line
    struct csv *csv;  // or NULL
    enum input_format format;
    char *name; // for messages
    struct ids *own_ids;
    bool opened;   // the file is ours to close
    bool regular;  // reading it never waits
    int64_t index; // of the next row
    int64_t limit;
    int64_t total; // bytes, or -1
    atomic_int_least64_t
        done; // bytes; relaxed: progress wants a recent number, nothing depends on it
};

static bool is_standard_input(const char *path) {
    return strcmp(path, "-") == 0;
}

static const struct ending {
    const char *text;
    enum input_format format;
} endings[] = {
    {".jsonl", INPUT_JSONL}, {".ndjson", INPUT_JSONL}, {".csv", INPUT_CSV},
    {".tsv", INPUT_TSV},     {".txt", INPUT_TXT},      {".json", INPUT_JSON},
};

static enum input_format format_by_name(const char *path) {
    size_t n = strlen(path);
    static const char *const packed[] = {".gz", ".zst"};
    for (size_t i = 0; i < 2; i++) {
        size_t size = strlen(packed[i]);
        if (n > size && strcasecmp(path + n - size, packed[i]) == 0) {
            n -= size;
            break;
        }
    }
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t size = strlen(endings[i].text);
        if (n >= size && strncasecmp(path + n - size, endings[i].text, size) == 0)
            return endings[i].format;
    }
    return INPUT_AUTO;
}

// What the file is goes before what its name says.
static bool check_content(const struct source *s, struct error *err) {
    char head[32];
    ssize_t n = s->regular ? pread(s->lines.fd, head, sizeof head, 0) : 0;
    const char *what = n > 0 ? lines_unreadable(slice_of(head, (size_t)n)) : NULL;
    return !what || error_set(err, ERROR_USAGE, "%s %s", s->name, what);
}

static bool choose_format(struct source *s, const struct source_options *o, struct error *err) {
    s->format = o->format ? o->format : format_by_name(o->path);
    if (s->format == INPUT_AUTO && (is_standard_input(o->path) || !s->regular))
        s->format = INPUT_JSONL;
    return s->format != INPUT_AUTO ||
           error_set(
               err, ERROR_USAGE,
               "the name %s does not say what it holds: give --input-format jsonl, json, csv, "
               "tsv or txt",
               s->name);
}

static bool open_file(struct source *s, const struct source_options *o, struct error *err) {
    struct stat st;
    s->lines.fd = STDIN_FILENO;
    if (!is_standard_input(o->path)) {
        // a named pipe opens at once and is waited for with wake_fd; files do not care
        s->lines.fd = open(o->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (s->lines.fd < 0)
            return error_set(err, ERROR_USAGE, "cannot open %s: %s", s->name, strerror(errno));
        s->opened = true;
    }
    if (fstat(s->lines.fd, &st) != 0)
        return error_set(err, ERROR_USAGE, "cannot read %s: %s", s->name, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return error_set(err, ERROR_USAGE, "%s is a directory: give one input file", s->name);
    s->regular = S_ISREG(st.st_mode);
    off_t at = s->regular ? lseek(s->lines.fd, 0, SEEK_CUR) : -1;
    s->total = at < 0 ? -1 : at < st.st_size ? (int64_t)(st.st_size - at) : 0;
    return true;
}

static bool check_options(const struct source *s, const struct source_options *o,
                          struct error *err) {
    if (o->template && o->prompt_field)
        return error_set(err, ERROR_USAGE,
                         "--template and --prompt-field both say what the prompt is: give one");
    if (s->format != INPUT_TXT)
        return true;
    if (o->prompt_field && strcmp(o->prompt_field, "prompt") != 0)
        return error_set(err, ERROR_USAGE,
                         "--prompt-field %s: the lines of %s have no fields (--input-format?)",
                         o->prompt_field, s->name);
    if (o->id_field)
        return error_set(err, ERROR_USAGE,
                         "--id-field %s: the lines of %s have no fields (--input-format?)",
                         o->id_field, s->name);
    return true;
}

static bool prepare_rows(struct source *s, const struct source_options *o, struct error *err) {
    if (o->template && !(s->rows.template = template_parse(slice_str(o->template), err)))
        return false;
    fields_init(&s->rows.fields, o->prompt_field, o->id_field, s->rows.template);
    s->rows.fields.cells = s->format == INPUT_CSV || s->format == INPUT_TSV;
    s->rows.fields.record |= s->rows.fields.cells;
    if (o->fields && !fields_name(&s->rows.fields, o->fields, err))
        return false;
    s->rows.unsent.silent = o->silent;
    s->rows.ids.set = s->own_ids = ids_new();
    s->rows.ids.number_them = o->allow_duplicate_ids;
    if (s->rows.fields.cells)
        s->csv = csv_new(&s->lines, o->delimiter             ? o->delimiter
                                    : s->format == INPUT_TSV ? '\t'
                                                             : 0);
    // a header that is no good is known before anything else happens, where that needs no waiting
    return !s->csv || !s->regular || csv_start(s->csv, &s->rows, err) == LINES_LINE;
}

struct source *source_open(const struct source_options *o, struct error *err) {
    struct source *s = mem_zero(1, sizeof *s);
    const char *name = is_standard_input(o->path) ? "standard input" : o->path;
    s->name = mem_text(name, strlen(name));
    s->lines.name = s->name;
    s->lines.wake_fd = o->wake_fd;
    s->lines.encoding = o->encoding;
    s->lines.max = o->max_line_bytes ? o->max_line_bytes : SOURCE_MAX_LINE_BYTES;
    s->limit = o->limit;
    if (open_file(s, o, err) && check_content(s, err) && choose_format(s, o, err) &&
        check_options(s, o, err) && prepare_rows(s, o, err))
        return s;
    source_close(s);
    return NULL;
}

void source_share_ids(struct source *s, struct ids *ids) {
    s->rows.ids.set = ids ? ids : s->own_ids;
}

void source_close(struct source *s) {
    if (!s)
        return;
    csv_delete(s->csv);
    lines_free(&s->lines);
    fields_free(&s->rows.fields);
    template_free(s->rows.template);
    ids_free(s->own_ids);
    unsent_free(&s->rows.unsent);
    buf_free(&s->rows.rendered);
    buf_free(&s->rows.built);
    if (s->opened)
        close(s->lines.fd);
    free(s->name);
    free(s);
}

static enum lines_status next_text(struct source *s, struct line *line, struct error *err) {
    enum lines_status status;
    if (s->by_elements)
        return elements_next(&s->elements, &s->lines, line, err);
    do
        status = lines_next(&s->lines, line, err);
    while (status == LINES_LINE && line_is_blank(line->text));
    return status;
}

// An array that begins on the first line and goes on behind it is no JSON Lines, whatever the name.
static bool is_array_over_lines(struct slice first) {
    return slice_trim(first).p[0] == '[' && !json_check(first, NULL);
}

static enum lines_status first_text(struct source *s, struct line *line, struct error *err) {
    s->looked = true;
    s->by_elements = s->format == INPUT_JSON;
    enum lines_status status = lines_begin(&s->lines, err);
    if (status == LINES_LINE)
        status = next_text(s, line, err);
    if (status != LINES_LINE || s->format != INPUT_JSONL || !is_array_over_lines(line->text))
        return status;
    lines_again(&s->lines);
    s->by_elements = true;
    return next_text(s, line, err);
}

static enum lines_status next_line(struct source *s, struct job *job, struct error *err) {
    struct line line;
    enum lines_status status = s->looked ? next_text(s, &line, err) : first_text(s, &line, err);
    job->line_no = s->by_elements ? s->lines.first_no : s->lines.line_no;
    if (status != LINES_LINE)
        return status;
    if (s->format == INPUT_TXT)
        row_from_text(&s->rows, line.text, job);
    else
        row_from_json(&s->rows, line.text, job);
    return status;
}

static void fill_too_long(struct source *s, struct job *job) {
    job_fail(job, OUTCOME_BAD_INPUT, "the line is longer than %zu bytes (--max-line-bytes)",
             s->lines.max);
    row_from_garbage(&s->rows, SLICE_NONE, job);
}

static enum source_status hand_out(struct source *s) {
    s->index++;
    atomic_store_explicit(&s->done, lines_offset(&s->lines), memory_order_relaxed);
    return SOURCE_JOB;
}

enum source_status source_next(struct source *s, struct job *job, struct error *err) {
    if (s->limit && s->index >= s->limit)
        return SOURCE_END;
    job->index = s->index;
    switch (s->csv ? csv_next(s->csv, &s->rows, job, err) : next_line(s, job, err)) {
    case LINES_LINE: return hand_out(s);
    case LINES_TOO_LONG: fill_too_long(s, job); return hand_out(s);
    case LINES_END:
        atomic_store_explicit(&s->done, lines_offset(&s->lines), memory_order_relaxed);
        return SOURCE_END;
    case LINES_STOPPED: return SOURCE_STOPPED;
    case LINES_FAILED: return SOURCE_FAILED;
    }
    return SOURCE_FAILED;
}

bool source_may_wait(const struct source *s) {
    bool at_limit = s->limit && s->index >= s->limit;
    return !at_limit && !s->regular && !s->lines.eof &&
           (s->by_elements || s->lines.unpack || !lines_has_record(&s->lines, s->csv != NULL));
}

static void add_names(struct buf *out, const char *head, const struct buf *names) {
    if (names->n)
        buf_addf(out, "  %s  %.*s%s\n", head, SLICE_ARG(buf_slice(names)),
                 names->failed ? " …" : "");
}

void source_describe(const struct source *s, const struct job *job, struct buf *out) {
    struct buf steering = BUF_INIT(1000), data = BUF_INIT(1000);
    bool batch = job->request.body.n > 0;
    if (!batch)
        fields_describe(&s->rows.fields, job->input, &steering, &data);
    add_names(out, "steers  ", &steering);
    add_names(out, s->rows.fields.record ? "data    " : "not sent", &data);
    buf_free(&steering);
    buf_free(&data);
}

bool source_has_records(const struct source *s) {
    return s->rows.fields.record;
}

int64_t source_bytes_done(const struct source *s) {
    return atomic_load_explicit(&s->done, memory_order_relaxed);
}

int64_t source_bytes_total(const struct source *s) {
    return s->total;
}
