// shape.c: finds out in which way a row says what it asks for. Reader thread; owns nothing.
// SPDX-License-Identifier: MIT
#include "jobs/in/shape.h"

#include <strings.h>

static bool fail(struct job *job, const char *what) {
    job_fail(job, OUTCOME_BAD_INPUT, "%s", what);
    return false;
}

static const char *name_of(const struct rows *rows, size_t field) {
    return rows->fields.want[field].name;
}

struct slice shape_text(struct job *job, struct slice token) {
    if (!memchr(token.p, '\\', token.n))
        return slice_of(token.p + 1, token.n - 2);
    size_t start = job->line.n;
    if (!json_string_decode(token, &job->line))
        return SLICE_NONE;
    return slice_of(job->line.p + start, job->line.n - start);
}

static bool read_text(const struct rows *rows, size_t field, struct job *job, struct slice *text) {
    struct slice token = fields_get(&rows->fields, field);
    *text = SLICE_NONE;
    if (!token.p)
        return true;
    if (json_type(token) != JSON_STRING) {
        job_fail(job, OUTCOME_BAD_INPUT, "\"%s\" must be a string, it is %s", name_of(rows, field),
                 fields_type_name(token));
        return false;
    }
    *text = shape_text(job, token);
    if (!text->p)
        job_fail(job, OUTCOME_BAD_INPUT, "\"%s\" holds half a surrogate pair",
                 name_of(rows, field));
    return text->p != NULL;
}

static bool in_batch(const struct fields *f, size_t field) {
    if (json_type(f->found[field]) != JSON_OBJECT)
        return false;
    return f->found[FIELD_CUSTOM_ID].p || (field == FIELD_REQUEST && f->found[FIELD_KEY].p);
}

static bool is_there(const struct fields *f, size_t field) {
    return f->found[field].p != NULL;
}

static bool set_prompt(struct rows *rows, struct job *job) {
    size_t field = rows->fields.prompt;
    struct slice token = fields_get(&rows->fields, field);
    if (!token.p && is_there(&rows->fields, field)) {
        job_fail(job, OUTCOME_BAD_INPUT, "no prompt: the column \"%s\" is empty",
                 name_of(rows, field));
        return false;
    }
    if (!token.p) {
        job_fail(job, OUTCOME_BAD_INPUT, "no prompt: the row has no field \"%s\"",
                 name_of(rows, field));
        return false;
    }
    if (json_type(token) != JSON_STRING) {
        job_fail(job, OUTCOME_BAD_INPUT, "\"%s\" must be a string, it is %s", name_of(rows, field),
                 fields_type_name(token));
        return false;
    }
    job->request.shape = ROW_PROMPT;
    job->request.prompt = token;
    return fields_steer(&rows->fields, job);
}

static bool set_messages(struct rows *rows, struct job *job) {
    struct slice token = rows->fields.found[FIELD_MESSAGES], element;
    struct json_walk walk = json_walk(token);
    size_t count = 0;
    if (json_type(token) != JSON_ARRAY) {
        job_fail(job, OUTCOME_BAD_INPUT, "\"messages\" must be an array of objects, it is %s",
                 fields_type_name(token));
        return false;
    }
    for (; json_next_element(&walk, &element); count++)
        if (json_type(element) != JSON_OBJECT) {
            job_fail(job, OUTCOME_BAD_INPUT,
                     "\"messages\" must hold objects only, number %zu is %s", count + 1,
                     fields_type_name(element));
            return false;
        }
    if (!count)
        return fail(job, "\"messages\" is empty");
    job->request.shape = ROW_MESSAGES;
    job->request.messages = token;
    return fields_steer(&rows->fields, job);
}

// A path that may be put behind a base URL as it is.
static bool is_path(struct slice url) {
    if (!url.n || url.p[0] != '/')
        return false;
    for (size_t i = 0; i < url.n; i++)
        if (url.p[i] < 0x21 || url.p[i] > 0x7e)
            return false;
    return true;
}

static bool set_url(struct rows *rows, struct job *job) {
    struct slice method, url;
    if (!read_text(rows, FIELD_METHOD, job, &method) || !read_text(rows, FIELD_URL, job, &url))
        return false;
    if (method.p && (method.n != 4 || strncasecmp(method.p, "POST", 4) != 0))
        return fail(job, "\"method\" must be \"POST\"");
    if (url.p && !is_path(url))
        return fail(job, "\"url\" must be a path like \"/v1/chat/completions\"");
    job->request.url = url;
    job->request.shape = url.p ? ROW_BATCH_OPENAI : ROW_BATCH_MISTRAL;
    return true;
}

static bool set_body(struct rows *rows, struct job *job, size_t field) {
    struct slice body = rows->fields.found[field], model = json_get(body, "model");
    if (model.p && json_type(model) != JSON_STRING) {
        job_fail(job, OUTCOME_BAD_INPUT, "\"model\" in \"%s\" must be a string, it is %s",
                 name_of(rows, field), fields_type_name(model));
        return false;
    }
    job->request.body = body;
    job->request.model = model;
    return true;
}

static bool set_openai(struct rows *rows, struct job *job) {
    return set_url(rows, job) && set_body(rows, job, FIELD_BODY);
}

static bool set_anthropic(struct rows *rows, struct job *job) {
    job->request.shape = ROW_BATCH_ANTHROPIC;
    return set_body(rows, job, FIELD_PARAMS);
}

static bool set_gemini(struct rows *rows, struct job *job) {
    job->request.shape = ROW_BATCH_GEMINI;
    return set_body(rows, job, FIELD_REQUEST);
}

// The ways a JSON row can say what it asks for.
static const struct way {
    enum field field;
    bool (*is_there)(const struct fields *f, size_t field);
    bool (*set)(struct rows *rows, struct job *job);
} ways[] = {
    {FIELD_PROMPT, is_there, set_prompt},  {FIELD_MESSAGES, is_there, set_messages},
    {FIELD_BODY, in_batch, set_openai},    {FIELD_PARAMS, in_batch, set_anthropic},
    {FIELD_REQUEST, in_batch, set_gemini},
};

#define WAY_COUNT (sizeof ways / sizeof *ways)

// Why a row in none of the ways is none.
static bool fail_shapeless(struct rows *rows, struct job *job) {
    const struct fields *f = &rows->fields;
    for (size_t field = FIELD_BODY; field <= FIELD_REQUEST; field++) {
        struct slice token = f->found[field];
        if (json_type(token) == JSON_OBJECT) {
            job_fail(job, OUTCOME_BAD_INPUT,
                     "no prompt: \"%s\" makes a batch line only with \"%s\"", name_of(rows, field),
                     field == FIELD_REQUEST ? "key" : "custom_id");
            return false;
        }
        if (token.p && f->found[FIELD_CUSTOM_ID].p) {
            job_fail(job, OUTCOME_BAD_INPUT, "\"%s\" must be an object, it is %s",
                     name_of(rows, field), fields_type_name(token));
            return false;
        }
    }
    return fail(job, "no prompt: the row has neither \"prompt\" nor \"messages\" "
                     "(--prompt-field names another field)");
}

static bool set_by_shape(struct rows *rows, struct job *job) {
    const struct way *found = NULL;
    for (size_t i = 0; i < WAY_COUNT; i++) {
        if (!ways[i].is_there(&rows->fields, ways[i].field))
            continue;
        if (found) {
            job_fail(job, OUTCOME_BAD_INPUT,
                     "the row has both \"%s\" and \"%s\": keep one, or name the prompt with "
                     "--prompt-field",
                     name_of(rows, found->field), name_of(rows, ways[i].field));
            return false;
        }
        found = ways + i;
    }
    return found ? found->set(rows, job) : fail_shapeless(rows, job);
}

bool shape_fill(struct rows *rows, struct job *job) {
    if (fields_steers(&rows->fields, FIELD_PROVIDER) &&
        !read_text(rows, FIELD_PROVIDER, job, &job->request.provider))
        return false;
    if (rows->template) {
        job->request.shape = ROW_PROMPT;
        return fields_steer(&rows->fields, job);
    }
    if (rows->fields.record)
        return set_prompt(rows, job);
    return set_by_shape(rows, job);
}
