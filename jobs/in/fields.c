// fields.c: the wanted names of a run and the type rules of steering fields. Reader thread.
// SPDX-License-Identifier: MIT
#include "jobs/in/fields.h"

#include "jobs/base/die.h"

#include <stddef.h>
#include <stdlib.h>

static const char *const known[FIELD_KNOWN] = {
    [FIELD_PROMPT] = "prompt",
    [FIELD_MESSAGES] = "messages",
    [FIELD_BODY] = "body",
    [FIELD_PARAMS] = "params",
    [FIELD_REQUEST] = "request",
    [FIELD_ID] = "id",
    [FIELD_CUSTOM_ID] = "custom_id",
    [FIELD_KEY] = "key",
    [FIELD_URL] = "url",
    [FIELD_METHOD] = "method",
    [FIELD_PROVIDER] = "provider",
    [FIELD_SYSTEM] = "system",
    [FIELD_MODEL] = "model",
    [FIELD_TEMPERATURE] = "temperature",
    [FIELD_TOP_P] = "top_p",
    [FIELD_MAX_TOKENS] = "max_tokens",
    [FIELD_STOP] = "stop",
    [FIELD_RESPONSE_FORMAT] = "response_format",
    [FIELD_TOOLS] = "tools",
    [FIELD_TOOL_CHOICE] = "tool_choice",
    [FIELD_SEED] = "seed",
};

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
    for (size_t i = 0; i < f->count; i++)
        f->want[i].value = f->found + i;
}

void fields_init(struct fields *f, const char *prompt_field, const char *id_field,
                 const struct template *t) {
    *f = (struct fields){.prompt = FIELD_PROMPT, .id = FIELD_NONE};
    for (size_t i = 0; i < FIELD_KNOWN; i++)
        want(f, slice_str(known[i]));
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
}

size_t fields_index(const struct fields *f, struct slice name) {
    for (size_t i = 0; i < f->count; i++)
        if (slice_is(name, f->want[i].name))
            return i;
    return FIELD_NONE;
}

void fields_clear(struct fields *f) {
    memset(f->found, 0, f->count * sizeof *f->found);
}

static void drop_nulls(struct fields *f) {
    for (size_t i = 0; i < f->count; i++)
        if (f->found[i].p && json_type(f->found[i]) == JSON_NULL)
            f->found[i] = SLICE_NONE;
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
    return f->found[fields_index(f, name)]; // init wanted all names of the template
}

const char *fields_type_name(struct slice token) {
    static const char *const names[] = {"missing",  "null",     "a boolean", "a number",
                                        "a string", "an array", "an object"};
    return names[json_type(token)];
}

// How the rules go beyond the type.

static bool is_integer(struct slice token) {
    size_t i = token.p[0] == '-' ? 1 : 0;
    for (; i < token.n; i++)
        if (token.p[i] < '0' || token.p[i] > '9')
            return false;
    return true;
}

static bool is_stop(struct slice token) {
    struct json_walk walk = json_walk(token);
    struct slice element;
    while (json_type(token) == JSON_ARRAY && json_next_element(&walk, &element))
        if (json_type(element) != JSON_STRING)
            return false;
    return true;
}

// How a cell of csv becomes a value.
enum cell {
    CELL_TEXT,
    CELL_JSON,       // must be JSON, the type is checked with all others
    CELL_JSON_IF_SO, // JSON when it is of another type the rule allows, else text
};

#define BIT(type) (1u << (type))

static const struct rule {
    enum field field;
    size_t place; // of its slice in struct request
    unsigned types;
    enum cell cell;
    bool (*also)(struct slice token);
    const char *must;
} rules[] = {
    {FIELD_SYSTEM, offsetof(struct request, system), BIT(JSON_STRING), CELL_TEXT, NULL, "a string"},
    {FIELD_MODEL, offsetof(struct request, model), BIT(JSON_STRING), CELL_TEXT, NULL, "a string"},
    {FIELD_TEMPERATURE, offsetof(struct request, temperature), BIT(JSON_NUMBER), CELL_JSON, NULL,
     "a number"},
    {FIELD_TOP_P, offsetof(struct request, top_p), BIT(JSON_NUMBER), CELL_JSON, NULL, "a number"},
    {FIELD_MAX_TOKENS, offsetof(struct request, max_tokens), BIT(JSON_NUMBER), CELL_JSON,
     is_integer, "an integer"},
    {FIELD_STOP, offsetof(struct request, stop), BIT(JSON_STRING) | BIT(JSON_ARRAY),
     CELL_JSON_IF_SO, is_stop, "a string or an array of strings"},
    {FIELD_RESPONSE_FORMAT, offsetof(struct request, response_format), BIT(JSON_OBJECT), CELL_JSON,
     NULL, "an object"},
    {FIELD_TOOLS, offsetof(struct request, tools), BIT(JSON_ARRAY), CELL_JSON, NULL, "an array"},
    {FIELD_TOOL_CHOICE, offsetof(struct request, tool_choice), BIT(JSON_STRING) | BIT(JSON_OBJECT),
     CELL_JSON_IF_SO, NULL, "a string or an object"},
    {FIELD_SEED, offsetof(struct request, seed), BIT(JSON_NUMBER), CELL_JSON, is_integer,
     "an integer"},
};

#define RULE_COUNT (sizeof rules / sizeof *rules)

// A field that the user named as the prompt or the id steers nothing.
static bool steers(const struct fields *f, const struct rule *rule) {
    return rule->field != f->prompt && rule->field != f->id;
}

static const struct rule *rule_of(const struct fields *f, size_t field) {
    for (size_t i = 0; i < RULE_COUNT; i++)
        if (rules[i].field == field)
            return steers(f, rules + i) ? rules + i : NULL;
    return NULL;
}

bool fields_is_json_cell(const struct fields *f, size_t field) {
    const struct rule *rule = rule_of(f, field);
    return rule && rule->cell != CELL_TEXT;
}

bool fields_read_cell(struct fields *f, size_t field, struct slice cell, struct job *job) {
    const struct rule *rule = rule_of(f, field);
    cell = slice_trim(cell);
    bool json = json_check(cell, NULL);
    unsigned type = json ? BIT(json_type(cell)) : 0;
    if (rule->cell == CELL_JSON_IF_SO) {
        if (type & rule->types & ~BIT(JSON_STRING))
            f->found[field] = cell;
        return true;
    }
    f->found[field] = type & ~BIT(JSON_NULL) ? cell : SLICE_NONE;
    if (json || !cell.n)
        return true;
    job_fail(job, OUTCOME_BAD_INPUT, "\"%s\" must be %s, it is not JSON", known[field], rule->must);
    return false;
}

static bool obeys(const struct rule *rule, struct slice token) {
    return BIT(json_type(token)) & rule->types && (!rule->also || rule->also(token));
}

bool fields_steer(const struct fields *f, struct job *job) {
    for (size_t i = 0; i < RULE_COUNT; i++) {
        const struct rule *rule = rules + i;
        struct slice token = fields_get(f, rule->field);
        if (!token.p || !steers(f, rule))
            continue;
        if (!obeys(rule, token)) {
            bool right_type = BIT(json_type(token)) & rule->types;
            job_fail(job, OUTCOME_BAD_INPUT, "\"%s\" must be %s%s%s", known[rule->field],
                     rule->must, right_type ? "" : ", it is ",
                     right_type ? "" : fields_type_name(token));
            return false;
        }
        *(struct slice *)((char *)&job->request + rule->place) = token;
    }
    return true;
}
