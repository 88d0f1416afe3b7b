// row.c: copies a row into its job and gives it an id. Reader thread; owns nothing.
// SPDX-License-Identifier: MIT
#include "jobs/in/row.h"

#include "jobs/base/die.h"
#include "jobs/base/log.h"
#include "jobs/base/utf8.h"
#include "jobs/in/nan.h"
#include "jobs/in/shape.h"

static bool fail(struct job *job, const char *what) {
    job_fail(job, OUTCOME_BAD_INPUT, "%s", what);
    return false;
}

static bool has_failed(const struct job *job) {
    return job->result.outcome != OUTCOME_NONE;
}

// Copying.

static size_t token_size(const struct rows *rows, size_t field) {
    return field == FIELD_NONE ? 0 : rows->fields.found[field].n;
}

// What may be written behind the row: texts without their escapes, a numbered id.
static size_t room_for_texts(const struct rows *rows) {
    static const enum field texts[] = {FIELD_ID, FIELD_CUSTOM_ID, FIELD_KEY};
    size_t id = token_size(rows, rows->fields.id);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (id < token_size(rows, texts[i]))
            id = token_size(rows, texts[i]);
    return id + ROWID_ROOM(id) + FIELDS_ROOM + token_size(rows, FIELD_PROVIDER) +
           token_size(rows, FIELD_URL) + token_size(rows, FIELD_METHOD);
}

static void keep_nothing(struct rows *rows, struct job *job) {
    buf_clear(&job->line);
    fields_clear(&rows->fields);
    if (!has_failed(job))
        job_fail(job, OUTCOME_BAD_INPUT, "the row takes more than %zu bytes (--max-line-bytes)",
                 job->line.max);
    BUG_IF(!buf_reserve(&job->line, ROWID_ROOM(0)));
}

// Copies the row and what was rendered to job->line, with room for what follows, so that slices
// stay where they are.
static bool keep(struct rows *rows, struct slice text, size_t object, struct job *job) {
    struct buf *line = &job->line;
    size_t most = line->max - line->n;
    if (rows->rendered.failed || text.n > most || rows->rendered.n > most - text.n ||
        !buf_reserve(line, text.n + rows->rendered.n + room_for_texts(rows)))
        return false;
    buf_add_slice(line, text);
    fields_move(&rows->fields, text, line->p);
    job->input = slice_of(line->p, object);
    if (rows->rendered.n) {
        size_t start = line->n;
        buf_add_slice(line, buf_slice(&rows->rendered));
        job->request.prompt = slice_of(line->p + start, line->n - start);
    }
    return true;
}

void row_too_big(struct rows *rows, struct job *job) {
    keep_nothing(rows, job);
    rowid_assign(&rows->ids, job, SLICE_NONE);
}

static void render(struct rows *rows, struct job *job) {
    struct slice missing;
    buf_recycle(&rows->rendered, 64 * 1024);
    rows->rendered.max = job->line.max;
    if (!rows->template || template_render(rows->template, fields_for_template, &rows->fields,
                                           &rows->rendered, &missing))
        return;
    buf_clear(&rows->rendered);
    job_fail(job, OUTCOME_BAD_INPUT, "the template needs \"%.*s\", the row has no such field",
             SLICE_ARG(missing));
}

// Ids.

static struct slice id_token(const struct rows *rows) {
    const struct fields *f = &rows->fields;
    if (f->id != FIELD_NONE)
        return fields_get(f, f->id);
    static const enum field own[] = {FIELD_ID, FIELD_CUSTOM_ID};
    for (size_t i = 0; i < 2; i++)
        if (fields_get(f, own[i]).p)
            return fields_get(f, own[i]);
    return !f->cells && json_type(f->found[FIELD_REQUEST]) == JSON_OBJECT ? f->found[FIELD_KEY]
                                                                          : SLICE_NONE;
}

// The row's own id as text; SLICE_NONE when it has none or the job failed over it.
static struct slice own_id(const struct rows *rows, struct job *job) {
    struct slice token = id_token(rows), id = SLICE_NONE;
    const char *fault = NULL;
    switch (json_type(token)) {
    case JSON_ABSENT: return SLICE_NONE;
    case JSON_STRING:
        id = shape_text(job, token);
        fault = !id.p  ? "the id holds half a surrogate pair"
                : id.n ? NULL
                       : "the id is empty: give it a value or leave it out";
        break;
    case JSON_NUMBER:
        id = token;
        fault = memchr(token.p, '.', token.n) || memchr(token.p, 'e', token.n) ||
                        memchr(token.p, 'E', token.n)
                    ? "the id must be a string or an integer"
                    : NULL;
        break;
    default: fault = "the id must be a string or an integer";
    }
    if (!fault)
        return id;
    if (!has_failed(job))
        fail(job, fault);
    return SLICE_NONE;
}

// Rows.

void row_from_fields(struct rows *rows, struct slice text, size_t object, struct job *job) {
    if (!has_failed(job))
        render(rows, job);
    else
        buf_clear(&rows->rendered);
    if (!keep(rows, text, object, job))
        keep_nothing(rows, job);
    struct slice own = own_id(rows, job);
    if (!has_failed(job))
        shape_fill(rows, job);
    rowid_assign(&rows->ids, job, own);
}

static void fail_json(struct job *job, struct json_fault fault) {
    if (fault.what && strcmp(fault.what, "invalid UTF-8") == 0)
        job_fail(job, OUTCOME_BAD_INPUT, "invalid UTF-8 at byte %zu of the line" ENCODING_HINT,
                 fault.offset + 1);
    else
        job_fail(job, OUTCOME_BAD_INPUT, "not JSON: %s at byte %zu of the line", fault.what,
                 fault.offset + 1);
}

// Whether what a field of this number holds goes out with the request.
static bool goes_out(const struct fields *f, size_t field) {
    return field != FIELD_NONE && (fields_steers(f, field) || field == f->prompt ||
                                   field >= FIELD_KNOWN || (!f->record && field <= FIELD_REQUEST));
}

// A field that is sent must not become null unseen.
static void fail_sent_nan(const struct rows *rows, const struct nan_places *places,
                          struct job *job) {
    struct json_walk walk = json_walk(buf_slice(&rows->built));
    struct slice name, value;
    while (json_next_member(&walk, &name, &value)) {
        struct slice plain = slice_of(name.p + 1, name.n - 2);
        if (nan_is_in(places, &rows->built, value) &&
            goes_out(&rows->fields, fields_index(&rows->fields, plain))) {
            job_fail(job, OUTCOME_BAD_INPUT,
                     "\"%.*s\" holds NaN or Infinity, which JSON does not have",
                     SLICE_ARG(utf8_cut(plain, 60)));
            return;
        }
    }
}

// A row that would be JSON but for NaN and Infinity. False: it is something else.
static bool read_with_nan(struct rows *rows, struct slice *text, struct job *job) {
    struct nan_places places;
    struct buf *built = &rows->built;
    buf_recycle(built, 64 * 1024);
    built->max = job->line.max;
    if (!nan_replace(slice_trim(*text), built, &places) ||
        !fields_check(&rows->fields, buf_slice(built)))
        return false;
    fail_sent_nan(rows, &places, job);
    *text = buf_slice(built);
    if (!rows->unsent.nan_told && !rows->unsent.silent)
        log_warn("NaN and Infinity are kept as null, since JSON does not have them");
    rows->unsent.nan_told = true;
    return true;
}

void row_from_json(struct rows *rows, struct slice text, struct job *job) {
    struct json_fault fault;
    bool is_object = fields_check(&rows->fields, text);
    if (!is_object && !json_check(text, &fault))
        is_object = read_with_nan(rows, &text, job);
    if (!is_object && !json_check(text, &fault)) {
        fail_json(job, fault);
        row_from_garbage(rows, text, job);
        return;
    }
    text = slice_trim(text);
    if (json_type(text) == JSON_STRING)
        rows->fields.found[FIELD_PROMPT] = text;
    else if (!is_object)
        job_fail(job, OUTCOME_BAD_INPUT, "a row must be an object or a string, it is %s",
                 fields_type_name(text));
    row_from_fields(rows, text, text.n, job);
    if (is_object && !has_failed(job))
        unsent_look(&rows->unsent, &rows->fields, job);
}

void row_from_text(struct rows *rows, struct slice text, struct job *job) {
    size_t good = utf8_valid_prefix(text);
    if (good < text.n) {
        job_fail(job, OUTCOME_BAD_INPUT, "invalid UTF-8 at byte %zu of the line" ENCODING_HINT,
                 good + 1);
        row_from_garbage(rows, text, job);
        return;
    }
    static const char head[] = "{\"prompt\":";
    struct buf *built = &rows->built;
    buf_recycle(built, 64 * 1024);
    built->max = job->line.max;
    buf_add_str(built, head);
    json_add_string(built, text);
    size_t end = built->n;
    buf_add_char(built, '}');
    fields_clear(&rows->fields);
    if (built->failed) {
        row_too_big(rows, job);
        return;
    }
    size_t start = sizeof head - 1;
    rows->fields.found[FIELD_PROMPT] = slice_of(built->p + start, end - start);
    row_from_fields(rows, buf_slice(built), built->n, job);
}

// As a string token, each invalid byte replaced.
static void add_repaired(struct buf *out, struct slice text) {
    buf_add_char(out, '"');
    while (text.n) {
        size_t good = utf8_valid_prefix(text);
        json_add_escaped(out, slice_of(text.p, good));
        if (good < text.n) {
            utf8_add(out, 0xfffd);
            good++;
        }
        text = slice_of(text.p + good, text.n - good);
    }
    buf_add_char(out, '"');
}

void row_from_garbage(struct rows *rows, struct slice text, struct job *job) {
    struct buf *line = &job->line;
    if (text.p)
        add_repaired(line, text);
    size_t n = line->n;
    if (!buf_reserve(line, ROWID_ROOM(0)))
        keep_nothing(rows, job);
    else if (text.p)
        job->input = slice_of(line->p, n);
    rowid_assign(&rows->ids, job, SLICE_NONE);
}
