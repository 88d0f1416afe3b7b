// The fields a run looks for in its rows: the known ones, --prompt-field, --id-field and what the
// template names. And the rules of the fields that steer one job.
//
// One set per run; `found` holds the tokens of the row at hand. Reader thread only.
// SPDX-License-Identifier: MIT
#ifndef JOBS_IN_FIELDS_H
#define JOBS_IN_FIELDS_H

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
    FIELD_TEMPERATURE,
    FIELD_TOP_P,
    FIELD_MAX_TOKENS,
    FIELD_STOP,
    FIELD_RESPONSE_FORMAT,
    FIELD_TOOLS,
    FIELD_TOOL_CHOICE,
    FIELD_SEED,
    FIELD_KNOWN, // so many; what the user named follows
};

#define FIELD_NONE SIZE_MAX

struct fields {
    struct json_field *want; // names, each once, and where its token goes
    struct slice *found;     // the row's tokens; SLICE_NONE: absent or null
    size_t count;
    size_t prompt; // which one is the prompt
    size_t id;     // --id-field, or FIELD_NONE
    bool cells;    // the row is of csv or tsv: values are text and empty ones are absent
};

// The names may be NULL.
void fields_init(struct fields *f, const char *prompt_field, const char *id_field,
                 const struct template *t);
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

// For template_render(): here an empty cell is an empty text.
struct slice fields_for_template(void *fields, struct slice name);

// Whether a cell of this field may stand for a value that is no string.
bool fields_is_json_cell(const struct fields *f, size_t field);

// Puts such a cell into the form of its type: a number's digits or JSON text instead of a string.
// `cell` is what the string token in found[] means and must live as long. False: the job has
// failed.
bool fields_read_cell(struct fields *f, size_t field, struct slice cell, struct job *job);

// Checks the steering fields and sets them in job->request. False: the job has failed.
bool fields_steer(const struct fields *f, struct job *job);

// "a number", "an object" … "missing".
const char *fields_type_name(struct slice token);

#endif
