// The fields a run looks for in its rows: the known ones, --prompt-field, --id-field and what the
// template names. And the rules of the fields that steer one job.
//
// One set per run; `found` holds the tokens of the row at hand. Reader thread only.
// SPDX-License-Identifier: MIT
#ifndef JOBS_IN_FIELDS_H
#define JOBS_IN_FIELDS_H

#include "jobs/base/error.h"
#include "jobs/base/json.h"
#include "jobs/in/template.h"
#include "jobs/job.h"

enum field {
    FIELD_PROMPT,
    FIELD_MESSAGES,
    FIELD_BODY,    // OpenAI, BigModel, Mistral batch lines
    FIELD_PARAMS,  // Anthropic
    FIELD_REQUEST, // Gemini
    FIELD_ID,
    FIELD_CUSTOM_ID,
    FIELD_KEY,
    FIELD_URL,
    FIELD_METHOD,
    FIELD_PROVIDER,
    FIELD_SYSTEM,
    FIELD_MODEL,
    FIELD_PARAM,                             // the first of the parameters (jobs/params.h)
    FIELD_KNOWN = FIELD_PARAM + PARAM_COUNT, // so many; what the user named follows
};

#define FIELD_NONE SIZE_MAX

struct fields {
    struct json_field *want; // names, each once, and where its token goes
    struct slice *found;     // the row's tokens; SLICE_NONE: absent or null
    bool *null;              // which of them are null
    size_t count;
    size_t prompt; // which one is the prompt
    size_t id;     // --id-field, or FIELD_NONE
    bool cells;    // the row is of csv or tsv: values are text and empty ones are absent
    bool record;   // rows are records: their fields are data, unless they are named (--fields)
    bool named[FIELD_KNOWN];
    bool all_named; // by --fields all
};

// The names may be NULL.
void fields_init(struct fields *f, const char *prompt_field, const char *id_field,
                 const struct template *t);
// Takes the names of --fields: "model,temperature", or "all". False with err filled when one of them
// can steer nothing.
bool fields_name(struct fields *f, const char *list, struct error *err);
// Whether the rows' field of this number says how they are sent; ids and the prompt do not count.
bool fields_steers(const struct fields *f, size_t field);
// The same names, to be found on their own.
void fields_copy(struct fields *f, const struct fields *from);
void fields_free(struct fields *f);

// The number of the field of this name, or FIELD_NONE.
size_t fields_index(const struct fields *f, struct slice name);

// Forgets the row.
void fields_clear(struct fields *f);

// Finds the tokens of a checked JSON object.
void fields_read(struct fields *f, struct slice object);

// The same for text that nobody has checked. False when it is not exactly one JSON object: no tokens.
bool fields_check(struct fields *f, struct slice text);

// After the bytes at `from` were copied to `to`: tokens that lie in them move along.
void fields_move(struct fields *f, struct slice from, const char *to);

// The token of a field, SLICE_NONE when absent; in csv an empty cell is absent.
struct slice fields_get(const struct fields *f, size_t field);

// For template_render(): here an empty cell is an empty text, and so is null.
struct slice fields_for_template(void *fields, struct slice name);

// Whether a cell of this field may stand for a value that is no string.
bool fields_is_json_cell(const struct fields *f, size_t field);

// Puts such a cell into the form of its type: a number's digits or JSON text instead of a string.
// `cell` is what the string token in found[] means and must live as long. False: the job has
// failed.
bool fields_read_cell(struct fields *f, size_t field, struct slice cell, struct job *job);

// What job->line must have room for behind the row before fields_steer().
#define FIELDS_ROOM ((size_t)160)

// Checks the steering fields and sets them in job->request. A whole number that is written as a
// fraction (100.0) is put into job->line as digits. False: the job has failed.
bool fields_steer(const struct fields *f, struct job *job);

// Appends the names of a row's members that steer it and of those that are data, each list with
// commas, in the row's order. The prompt and the id are in neither.
void fields_describe(const struct fields *f, struct slice object, struct buf *steering,
                     struct buf *data);

// "a number", "an object" … "missing".
const char *fields_type_name(struct slice token);

#endif
