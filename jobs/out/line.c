// line.c: a finished job as one line of JSON, and what such a line says. Pure; any thread.
// SPDX-License-Identifier: MIT
#include "jobs/out/line.h"

#include "jobs/base/clock.h"
#include "jobs/base/hash.h"
#include "jobs/base/json.h"
#include "jobs/base/utf8.h"

static void add_null(struct buf *out) {
    buf_add(out, "null", 4);
}

static void breaks_to_spaces(char *p, char *end, char line_break) {
    while (p < end && (p = memchr(p, line_break, (size_t)(end - p))))
        *p++ = ' ';
}

// JSON as it stands. A line break can only be white space between tokens there: strings have theirs
// escaped.
static void add_json(struct buf *out, struct slice json) {
    size_t start = out->n;
    buf_add_slice(out, json);
    if (out->failed)
        return;
    breaks_to_spaces(out->p + start, out->p + out->n, '\n');
    breaks_to_spaces(out->p + start, out->p + out->n, '\r');
}

// Any bytes as a string token.
static void add_string(struct buf *out, struct slice s) {
    buf_add_char(out, '"');
    while (s.n) {
        size_t good = utf8_valid_prefix(s);
        json_add_escaped(out, slice_of(s.p, good));
        s.p += good, s.n -= good;
        if (s.n) {
            utf8_add(out, 0xfffd);
            s.p++, s.n--;
        }
    }
    buf_add_char(out, '"');
}

static void add_token(struct buf *out, const char *name, struct slice token) {
    json_add_name(out, name);
    if (token.n)
        add_json(out, token);
    else
        add_null(out);
}

static void add_token_if_any(struct buf *out, const char *name, struct slice token) {
    if (token.n)
        add_token(out, name, token);
}

// NULL and "" are null.
static void add_text(struct buf *out, const char *name, const char *text) {
    json_add_name(out, name);
    if (text && *text)
        add_string(out, slice_str(text));
    else
        add_null(out);
}

static void add_int(struct buf *out, const char *name, int64_t value) {
    json_add_name(out, name);
    buf_add_int(out, value);
}

static void add_status(struct buf *out, const char *name, int http_status) {
    json_add_name(out, name);
    if (http_status)
        buf_add_int(out, http_status);
    else
        add_null(out);
}

static void add_count_if_known(struct buf *out, const char *name, int64_t count) {
    if (count >= 0)
        add_int(out, name, count);
}

static int64_t total_tokens(const struct usage *usage) {
    int64_t total;
    if (usage->total_tokens >= 0 || usage->input_tokens < 0 || usage->output_tokens < 0)
        return usage->total_tokens;
    if (__builtin_add_overflow(usage->input_tokens, usage->output_tokens, &total))
        return -1;
    return total;
}

static bool usage_is_known(const struct usage *usage) {
    return usage->input_tokens >= 0 || usage->output_tokens >= 0 || usage->total_tokens >= 0 ||
           usage->cached_tokens >= 0 || usage->reasoning_tokens >= 0;
}

static void add_usage(struct buf *out, const struct usage *usage) {
    json_add_name(out, "usage");
    if (!usage_is_known(usage)) {
        add_null(out);
        return;
    }
    buf_add_char(out, '{');
    add_count_if_known(out, "input_tokens", usage->input_tokens);
    add_count_if_known(out, "output_tokens", usage->output_tokens);
    add_count_if_known(out, "total_tokens", total_tokens(usage));
    add_count_if_known(out, "cached_tokens", usage->cached_tokens);
    add_count_if_known(out, "reasoning_tokens", usage->reasoning_tokens);
    buf_add_char(out, '}');
}

static void add_reply(struct buf *out, const struct reply *reply) {
    add_token(out, "text", reply->text);
    add_token(out, "finish_reason", reply->finish_reason);
    add_token_if_any(out, "tool_calls", reply->tool_calls);
    add_token_if_any(out, "reasoning", reply->reasoning);
    add_token_if_any(out, "refusal", reply->refusal);
    add_usage(out, &reply->usage);
}

static void add_failure(struct buf *out, const struct job *job) {
    const struct result *result = &job->result;
    json_add_name(out, "error");
    buf_add_char(out, '{');
    add_text(out, "class", outcome_name(result->outcome));
    add_text(out, "code", result->code);
    json_add_name(out, "message");
    add_string(out, slice_str(result->message));
    add_status(out, "http_status", result->http_status);
    buf_add_char(out, '}');
    if (result->outcome == OUTCOME_BAD_INPUT)
        add_int(out, "line", job->line_no);
}

static void add_milliseconds(struct buf *out, const char *name, int64_t usec) {
    json_add_name(out, name);
    json_add_thousandths(out, usec > 0 ? usec : 0);
}

// How it went: the same fields for an answer and for a failure. What needs an attempt to have a
// meaning is null without one.
static void add_attempts(struct buf *out, const struct result *result) {
    bool tried = result->attempts > 0 && result->started_at > 0;
    add_int(out, "attempts", result->attempts);
    add_status(out, "http_status", result->http_status);
    json_add_name(out, "started_at");
    if (tried) {
        buf_add_char(out, '"');
        clock_add_rfc3339(out, result->started_at);
        buf_add_char(out, '"');
        add_milliseconds(out, "latency_ms", result->latency);
        if (result->ttft)
            add_milliseconds(out, "ttft_ms", result->ttft);
    } else {
        add_null(out);
        add_token(out, "latency_ms", SLICE_NONE);
    }
    add_milliseconds(out, "wait_ms", result->wait);
}

static void add_body(struct buf *out, const char *name, const struct job *job) {
    struct slice body = buf_slice(&job->body);
    json_add_name(out, name);
    if (body.n && json_check(body, NULL))
        add_json(out, body);
    else if (body.n || job->result.http_status)
        add_string(out, body);
    else
        add_null(out);
}

static void add_native(struct buf *out, const struct job *job, const struct line_options *options) {
    const struct result *result = &job->result;
    bool ok = result->outcome == OUTCOME_OK;
    json_add_name(out, "id");
    add_string(out, job->id);
    add_int(out, "index", job->index);
    add_text(out, "status", ok ? "ok" : "error");
    add_text(out, "provider", result->provider);
    add_text(out, "key", result->key);
    struct slice answered_by = ok ? result->reply.model : SLICE_NONE;
    add_token(out, "model", answered_by.n ? answered_by : result->model_sent);
    if (ok)
        add_reply(out, &result->reply);
    else
        add_failure(out, job);
    add_attempts(out, result);
    if (!options->no_input)
        add_token(out, "input", job->input);
    if (options->include_response)
        add_body(out, "response", job);
}

// The row's id, hashed: an id of OpenAI's shape whatever characters the row's has.
static void add_request_name(struct buf *out, struct slice id) {
    struct hash128 hash = hash_bytes(id, (const uint64_t[2]){0, 0});
    json_add_name(out, "id");
    buf_addf(out, "\"batch_req_%016llx%016llx\"", (unsigned long long)hash.high,
             (unsigned long long)hash.low);
}

static void add_http_answer(struct buf *out, const struct job *job, bool ok) {
    json_add_name(out, "response");
    struct slice body = buf_slice(&job->body);
    bool shown = ok || (job->result.http_status && body.n && json_check(body, NULL));
    if (!shown) {
        add_null(out);
        return;
    }
    buf_add_char(out, '{');
    add_status(out, "status_code", job->result.http_status);
    add_token(out, "request_id", ok ? job->result.reply.request_id : SLICE_NONE);
    add_body(out, "body", job);
    buf_add_char(out, '}');
}

static void add_openai_error(struct buf *out, const struct result *result) {
    buf_add_char(out, '{');
    add_text(out, "code", result->code[0] ? result->code : outcome_name(result->outcome));
    json_add_name(out, "message");
    add_string(out, slice_str(result->message));
    buf_add_char(out, '}');
}

static void add_openai(struct buf *out, const struct job *job, const struct line_options *options) {
    (void)options; // OpenAI's line has no input, and always the body
    bool ok = job->result.outcome == OUTCOME_OK;
    add_request_name(out, job->id);
    json_add_name(out, "custom_id");
    add_string(out, job->id);
    add_http_answer(out, job, ok);
    json_add_name(out, "error");
    if (ok)
        add_null(out);
    else
        add_openai_error(out, &job->result);
    add_text(out, "key", job->result.key);
}

void line_add(struct buf *out, const struct job *job, const struct line_options *options) {
    buf_add_char(out, '{');
    if (options->format == OUTPUT_OPENAI)
        add_openai(out, job, options);
    else
        add_native(out, job, options);
    buf_add(out, "}\n", 2);
}

#define FIELDS_MOST 6

// The members that a line begins with, in that order: the rest of it is not looked at. Another
// order (somebody's jq) is found the long way.
static void read_head(struct slice line, const char *const *names, struct slice *values,
                      size_t count) {
    struct json_field fields[FIELDS_MOST];
    struct json_walk walk = json_walk(line);
    struct slice name;
    size_t i = 0;
    while (i < count && json_next_member(&walk, &name, &values[i]) &&
           json_string_is(name, names[i]))
        i++;
    if (i == count)
        return;
    for (i = 0; i < count; i++)
        fields[i] = (struct json_field){names[i], &values[i]};
    json_fields(line, fields, count);
}

static bool is_type_or_null(struct slice token, enum json_type type) {
    return json_type(token) == type || json_type(token) == JSON_NULL;
}

static bool read_native(struct slice line, struct line_facts *facts) {
    static const char *const names[] = {"id", "index", "status", "provider", "key", "model"};
    struct slice v[FIELDS_MOST];
    int64_t index;
    read_head(line, names, v, 6);
    facts->id_token = v[0];
    facts->ok = json_string_is(v[2], "ok");
    if (json_type(v[0]) != JSON_STRING || !json_int(v[1], &index) || index < 0)
        return false;
    if (!is_type_or_null(v[3], JSON_STRING) || !is_type_or_null(v[4], JSON_STRING) ||
        !is_type_or_null(v[5], JSON_STRING))
        return false;
    if (facts->ok)
        return true;
    struct slice class = json_get(json_get(line, "error"), "class");
    facts->bad_input = json_string_is(class, "bad_input");
    return json_string_is(v[2], "error") && json_type(class) == JSON_STRING;
}

static bool read_openai(struct slice line, struct line_facts *facts) {
    static const char *const names[] = {"id", "custom_id", "response", "error", "key"};
    struct slice v[FIELDS_MOST];
    read_head(line, names, v, 5);
    facts->id_token = v[1];
    facts->ok = json_type(v[3]) == JSON_NULL && json_type(v[2]) == JSON_OBJECT;
    facts->bad_input = json_type(v[2]) == JSON_NULL && json_type(v[4]) == JSON_NULL &&
                       json_string_is(json_get(v[3], "code"), "bad_input");
    return json_type(v[0]) == JSON_STRING && json_type(v[1]) == JSON_STRING &&
           is_type_or_null(v[2], JSON_OBJECT) && is_type_or_null(v[4], JSON_STRING) &&
           (facts->ok || json_type(v[3]) == JSON_OBJECT);
}

bool line_read(struct slice line, enum output_format format, struct line_facts *facts) {
    *facts = (struct line_facts){0};
    if (json_type(line) != JSON_OBJECT || !json_check(line, NULL))
        return false;
    return format == OUTPUT_OPENAI ? read_openai(line, facts) : read_native(line, facts);
}
