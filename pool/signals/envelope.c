// envelope.c: finds the error inside a JSON body that came with a good status. Pure.
// SPDX-License-Identifier: MIT
#include "jobs/base/json.h"
#include "pool/signals/signals.h"

#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

// The members in which errors are announced, of an object.
struct members {
    struct slice error, errors, success, status, object, code, error_code, base_resp, header;
    struct slice message, msg, error_msg, detail, fault, type, aws_type, response, aws_response;
    struct slice choices, title;
};

static bool read_members(struct slice object, struct members *m) {
    const struct json_field fields[] = {
        {"error", &m->error},
        {"errors", &m->errors},
        {"success", &m->success},
        {"status", &m->status},
        {"object", &m->object},
        {"code", &m->code},
        {"error_code", &m->error_code},
        {"base_resp", &m->base_resp},
        {"header", &m->header},
        {"message", &m->message},
        {"msg", &m->msg},
        {"error_msg", &m->error_msg},
        {"detail", &m->detail},
        {"fault", &m->fault},
        {"type", &m->type},
        {"__type", &m->aws_type},
        {"response", &m->response},
        {"Response", &m->aws_response},
        {"choices", &m->choices},
        {"title", &m->title},
    };
    return json_type(object) == JSON_OBJECT && json_fields(object, fields, COUNT(fields));
}

static bool has_elements(struct slice token) {
    struct slice element;
    struct json_walk walk = json_walk(token);
    return json_type(token) == JSON_ARRAY && json_next_element(&walk, &element);
}

static bool has_members(struct slice token) {
    struct slice name, value;
    struct json_walk walk = json_walk(token);
    return json_type(token) == JSON_OBJECT && json_next_member(&walk, &name, &value);
}

static bool is_filled_string(struct slice token) {
    return json_type(token) == JSON_STRING && token.n > 2;
}

static bool is_filled(struct slice token) {
    return is_filled_string(token) || has_elements(token) || has_members(token);
}

// Whether a code is one that means that something went wrong: absent, null and those of success are
// not. 20000 is SiliconFlow's success, "Success" DashScope's.
static bool is_bad_code(struct slice token) {
    static const char *const good[] = {"0",       "00000",   "200",       "20000", "ok",
                                       "success", "succeed", "succeeded", "true"};
    struct slice word = token;
    if (json_type(token) == JSON_STRING)
        word = slice_of(token.p + 1, token.n - 2);
    else if (json_type(token) != JSON_NUMBER)
        return false;
    for (size_t i = 0; i < COUNT(good); i++)
        if (word.n == strlen(good[i]) && strncasecmp(word.p, good[i], word.n) == 0)
            return false;
    return word.n > 0;
}

// An object that calls itself an error: {"code": "0", "message": ""} inside `error` does not.
static bool is_error_object(struct slice token) {
    struct members m;
    if (is_filled_string(token))
        return true;
    if (!read_members(token, &m))
        return false;
    bool neutral = (m.code.n && !is_bad_code(m.code)) && !is_filled(m.message);
    return has_members(token) && !neutral;
}

// "status": 429 or "449" (iFlow's) in a body that says why.
static bool is_bad_status(struct slice status) {
    struct slice digits = status;
    if (json_type(status) == JSON_STRING)
        digits = slice_of(status.p + 1, status.n - 2);
    else if (json_type(status) != JSON_NUMBER)
        return false;
    return digits.n == 3 && (*digits.p == '4' || *digits.p == '5');
}

static bool says_failed(const struct members *m) {
    static const char *const words[] = {"error",  "Error",  "ERROR",  "fail",
                                        "failed", "FAILED", "failure"};
    bool worded = is_filled(m->message) || is_filled(m->msg) || is_filled(m->title);
    if (worded && is_bad_status(m->status))
        return true;
    for (size_t i = 0; i < COUNT(words); i++)
        if (json_string_is(m->status, words[i]))
            return worded || m->code.n > 0;
    return slice_is(m->success, "false") || json_string_is(m->object, "error") ||
           (slice_is(m->error, "true") && worded);
}

static bool has_bad_code(const struct members *m) {
    bool worded = is_filled(m->message) || is_filled(m->msg) || is_filled(m->error_msg);
    return worded && (is_bad_code(m->code) || is_bad_code(m->error_code));
}

// The members whose value is an error if it has any.
static struct slice inner_error(const struct members *m) {
    struct slice aws =
        json_type(m->aws_response) == JSON_OBJECT ? json_get(m->aws_response, "Error") : SLICE_NONE;
    if (is_error_object(m->error))
        return m->error;
    if (json_type(m->base_resp) == JSON_OBJECT &&
        is_bad_code(json_get(m->base_resp, "status_code")))
        return m->base_resp;
    if (json_type(m->header) == JSON_OBJECT && is_bad_code(json_get(m->header, "code")))
        return m->header;
    if (is_error_object(aws))
        return aws;
    if (has_members(m->fault))
        return m->fault;
    return has_elements(m->errors) ? m->errors : SLICE_NONE;
}

// {"choices": [{"error": {…}}]}: OpenRouter's, when a provider fails in the middle of an answer.
static struct slice choice_error(struct slice choices) {
    struct slice choice, error;
    struct json_walk walk = json_walk(choices);
    const struct json_field fields[] = {{"error", &error}};
    if (json_type(choices) == JSON_ARRAY)
        while (json_next_element(&walk, &choice))
            if (json_type(choice) == JSON_OBJECT && json_fields(choice, fields, 1) &&
                is_error_object(error))
                return error;
    return SLICE_NONE;
}

static bool first_of(struct slice body, struct slice *object) {
    struct json_walk walk = json_walk(body);
    *object = body;
    return json_type(body) != JSON_ARRAY || json_next_element(&walk, object);
}

static bool has_answer(struct slice body) {
    static const char *const names[] = {"choices", "content", "candidates", "data",
                                        "output",  "results", "embeddings", "embedding"};
    struct slice values[COUNT(names)];
    struct json_field fields[COUNT(names)];
    for (size_t i = 0; i < COUNT(names); i++)
        fields[i] = (struct json_field){names[i], &values[i]};
    if (!json_fields(body, fields, COUNT(names)))
        return false;
    for (size_t i = 0; i < COUNT(names); i++)
        if (has_elements(values[i]))
            return true;
    return false;
}

static bool find_in(struct slice body, struct slice *error, const struct members *m) {
    struct members inner;
    *error = inner_error(m);
    if (!error->n)
        *error = choice_error(m->choices);
    if (!error->n && read_members(m->response, &inner)) // response.failed, of a stream of responses
        *error = inner_error(&inner);
    if (!error->n && (says_failed(m) || has_bad_code(m) || is_filled_string(m->aws_type) ||
                      (is_filled(m->detail) && !has_answer(body))))
        *error = body;
    return error->n > 0;
}

bool signals_find_error(struct slice body, struct slice *error) {
    struct members m;
    struct slice found;
    bool is = first_of(body, &body) && read_members(body, &m) && find_in(body, &found, &m);
    if (error)
        *error = is ? found : SLICE_NONE;
    return is;
}

bool signals_is_error_body(struct slice body) {
    struct members m;
    struct slice error;
    if (!first_of(body, &body) || !read_members(body, &m))
        return false;
    bool is = find_in(body, &error, &m) || is_filled_string(m.message) || is_filled_string(m.msg);
    return is && !has_answer(body);
}
