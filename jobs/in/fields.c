// fields.c: the wanted names of a run and the type rules of steering fields. Reader thread.
// SPDX-License-Identifier: MIT
#include "jobs/in/fields.h"

#include "jobs/base/die.h"

#include <stdlib.h>

static const char *const known[FIELD_PARAM] = {
    [FIELD_PROMPT] = "prompt",       [FIELD_MESSAGES] = "messages", [FIELD_BODY] = "body",
    [FIELD_PARAMS] = "params",       [FIELD_REQUEST] = "request",   [FIELD_ID] = "id",
    [FIELD_CUSTOM_ID] = "custom_id", [FIELD_KEY] = "key",           [FIELD_URL] = "url",
    [FIELD_METHOD] = "method",       [FIELD_PROVIDER] = "provider", [FIELD_SYSTEM] = "system",
    [FIELD_MODEL] = "model",
};

static const char *known_name(size_t field) {
    return field < FIELD_PARAM ? known[field] : param_rules[field - FIELD_PARAM].name;
}

static size_t want(struct fields *f, struct slice name) {
    size_t i = fields_index(f, name);
    if (i != FIELD_NONE)
        return i;
    f->want = mem_resize(f->want, (f->count + 1) * sizeof *f->want);
    f->want[f->count].name = mem_text(name.p, name.n);
    return f->count++;
}

// A place for the token of each name.
static void make_places(struct fields *f) {
    f->found = mem_zero(f->count, sizeof *f->found);
    f->null = mem_zero(f->count, sizeof *f->null);
    for (size_t i = 0; i < f->count; i++)
        f->want[i].value = f->found + i;
}

void fields_init(struct fields *f, const char *prompt_field, const char *id_field,
                 const struct template *t) {
    *f = (struct fields){.prompt = FIELD_PROMPT, .id = FIELD_NONE};
    f->record = prompt_field || t;
    for (size_t i = 0; i < FIELD_KNOWN; i++)
        want(f, slice_str(known_name(i)));
    if (prompt_field)
        f->prompt = want(f, slice_str(prompt_field));
    if (id_field)
        f->id = want(f, slice_str(id_field));
    for (size_t i = 0; t && template_name(t, i).p; i++)
        want(f, template_name(t, i));
    make_places(f);
}

void fields_copy(struct fields *f, const struct fields *from) {
    *f = *from;
    f->want = mem_new(f->count * sizeof *f->want);
    for (size_t i = 0; i < f->count; i++)
        f->want[i].name = mem_text(from->want[i].name, strlen(from->want[i].name));
    make_places(f);
}

void fields_free(struct fields *f) {
    for (size_t i = 0; i < f->count; i++)
        free((char *)f->want[i].name);
    free(f->want);
    free(f->found);
    free(f->null);
}

size_t fields_index(const struct fields *f, struct slice name) {
    for (size_t i = 0; i < f->count; i++)
        if (slice_is(name, f->want[i].name))
            return i;
    return FIELD_NONE;
}

void fields_clear(struct fields *f) {
    memset(f->found, 0, f->count * sizeof *f->found);
    memset(f->null, 0, f->count * sizeof *f->null);
}

static void drop_nulls(struct fields *f) {
    for (size_t i = 0; i < f->count; i++) {
        f->null[i] = f->found[i].p && json_type(f->found[i]) == JSON_NULL;
        if (f->null[i])
            f->found[i] = SLICE_NONE;
    }
}

void fields_read(struct fields *f, struct slice object) {
    json_fields(object, f->want, f->count);
    drop_nulls(f);
}

bool fields_check(struct fields *f, struct slice text) {
    bool is_object = json_check_fields(text, f->want, f->count, JSON_MAX_DEPTH - 1);
    if (is_object)
        drop_nulls(f);
    else
        fields_clear(f);
    return is_object;
}

void fields_move(struct fields *f, struct slice from, const char *to) {
    for (size_t i = 0; i < f->count; i++)
        if (f->found[i].p)
            f->found[i].p = to + (f->found[i].p - from.p);
}

struct slice fields_get(const struct fields *f, size_t field) {
    struct slice token = f->found[field];
    return f->cells && slice_is(token, "\"\"") ? SLICE_NONE : token;
}

struct slice fields_for_template(void *fields, struct slice name) {
    const struct fields *f = fields;
    size_t field = fields_index(f, name); // init wanted all names of the template
    return f->null[field] ? SLICE("\"\"") : f->found[field];
}

const char *fields_type_name(struct slice token) {
    static const char *const names[] = {"missing",  "null",     "a boolean", "a number",
                                        "a string", "an array", "an object"};
    return names[json_type(token)];
}

// -- steering --

// The fields that can steer a row.
static bool can_steer(size_t field) {
    return field >= FIELD_PROVIDER && field < FIELD_KNOWN;
}

bool fields_steers(const struct fields *f, size_t field) {
    return can_steer(field) && field != f->prompt && field != f->id &&
           (!f->record || f->named[field]);
}

static bool refuse_name(struct slice name, struct error *err) {
    return error_set(
        err, ERROR_USAGE,
        "--fields: \"%.*s\" cannot steer a row; what can: all, provider, system, model, "
        "extra_body and the parameters of OpenAI's chat completions (temperature, "
        "max_tokens, stop, seed, tools, response_format …)",
        SLICE_ARG(name));
}

bool fields_name(struct fields *f, const char *list, struct error *err) {
    struct slice rest = slice_str(list), name;
    while (slice_next(&rest, ',', &name)) {
        name = slice_trim(name);
        bool all = slice_is(name, "all");
        size_t field = FIELD_PROVIDER;
        while (field < FIELD_KNOWN && !slice_is(name, known_name(field)))
            field++;
        if (!all && field == FIELD_KNOWN)
            return refuse_name(name, err);
        f->all_named |= all;
        for (size_t i = FIELD_PROVIDER; i < FIELD_KNOWN; i++)
            f->named[i] |= all || i == field;
    }
    return true;
}

// The two texts that steer, and the parameters.

#define TEXTS 2

static enum field text_field(size_t i) {
    return i ? FIELD_MODEL : FIELD_SYSTEM;
}

bool fields_is_json_cell(const struct fields *f, size_t field) {
    return field >= FIELD_PARAM && fields_steers(f, field);
}

bool fields_read_cell(struct fields *f, size_t field, struct slice cell, struct job *job) {
    enum param param = (enum param)(field - FIELD_PARAM);
    const struct param_rule *rule = &param_rules[param];
    cell = slice_trim(cell);
    bool json = json_check(cell, NULL);
    unsigned type = json ? PARAM_TYPE(json_type(cell)) : 0;
    if (param_text(param) == PARAM_TEXT_OR_JSON) {
        if (type & rule->types & ~PARAM_TYPE(JSON_STRING))
            f->found[field] = cell;
        return true;
    }
    f->found[field] = type & ~PARAM_TYPE(JSON_NULL) ? cell : SLICE_NONE;
    if (json || !cell.n)
        return true;
    job_fail(job, OUTCOME_BAD_INPUT, "\"%s\" must be %s, it is not JSON", rule->name, rule->must);
    return false;
}

static bool fail_value(struct job *job, const char *name, const char *must, bool right_type,
                       struct slice token) {
    job_fail(job, OUTCOME_BAD_INPUT, "\"%s\" must be %s%s%s", name, must,
             right_type ? "" : ", it is ", right_type ? "" : fields_type_name(token));
    return false;
}

static bool steer_text(const struct fields *f, enum field field, struct job *job) {
    struct slice token = fields_get(f, field);
    if (!token.p || !fields_steers(f, field))
        return true;
    if (json_type(token) != JSON_STRING)
        return fail_value(job, known[field], "a string", false, token);
    *(field == FIELD_MODEL ? &job->request.model : &job->request.system) = token;
    return true;
}

// As programs write whole numbers that went through a table of fractions: 100.0.
static struct slice in_digits(struct job *job, struct slice token) {
    int64_t value;
    size_t start = job->line.n;
    if (json_int(token, &value) || !param_whole_number(token, &value))
        return token;
    buf_add_int(&job->line, value);
    return slice_of(job->line.p + start, job->line.n - start);
}

static bool steer_param(const struct fields *f, enum param param, struct job *job) {
    const struct param_rule *rule = &param_rules[param];
    struct slice token = fields_get(f, FIELD_PARAM + param);
    if (!token.p || !fields_steers(f, FIELD_PARAM + param))
        return true;
    if (!param_obeys(param, token))
        return fail_value(job, rule->name, rule->must, PARAM_TYPE(json_type(token)) & rule->types,
                          token);
    job->request.params[param] = rule->integer ? in_digits(job, token) : token;
    job->request.has_params = true;
    return true;
}

// A model in there is the one that is asked for: it goes over the computed one.
static bool steer_model_of_extra(struct job *job) {
    struct slice extra = job->request.params[PARAM_EXTRA_BODY];
    struct slice model = extra.n ? json_get(extra, "model") : SLICE_NONE;
    if (!model.n)
        return true;
    if (json_type(model) != JSON_STRING)
        return fail_value(job, "model\" in \"extra_body", "a string", false, model);
    job->request.model = model;
    return true;
}

bool fields_steer(const struct fields *f, struct job *job) {
    for (size_t i = 0; i < TEXTS; i++)
        if (!steer_text(f, text_field(i), job))
            return false;
    for (int i = 0; i < PARAM_COUNT; i++)
        if (f->found[FIELD_PARAM + i].p && !steer_param(f, (enum param)i, job))
            return false;
    return steer_model_of_extra(job);
}

// -- in words --

static void add_to_list(struct buf *list, struct slice name) {
    buf_add_str(list, list->n ? ", " : "");
    buf_add(list, name.p + 1, name.n - 2);
}

static bool is_id_or_prompt(const struct fields *f, size_t field) {
    bool own = f->id == FIELD_NONE && (field == FIELD_ID || field == FIELD_CUSTOM_ID);
    return own || field == f->id || (field == f->prompt && field != FIELD_NONE) ||
           (!f->record && field == FIELD_MESSAGES);
}

void fields_describe(const struct fields *f, struct slice object, struct buf *steering,
                     struct buf *data) {
    struct json_walk walk = json_walk(object);
    struct slice name, value;
    if (json_type(object) != JSON_OBJECT)
        return;
    while (json_next_member(&walk, &name, &value)) {
        size_t field = fields_index(f, slice_of(name.p + 1, name.n - 2));
        if (field != FIELD_NONE && is_id_or_prompt(f, field))
            continue;
        bool steers = field != FIELD_NONE && fields_steers(f, field);
        add_to_list(steers ? steering : data, name);
    }
}
