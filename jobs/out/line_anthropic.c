// line_anthropic.c: result lines as an Anthropic message batch has them. Pure; any thread.
// Source: anthropic-sdk-python, types/messages/message_batch_individual_response.py and error types.
// SPDX-License-Identifier: MIT
#include "jobs/out/line_parts.h"

static const char *const error_types[OUTCOME_COUNT] = {
    [OUTCOME_BAD_INPUT] = "invalid_request_error",
    [OUTCOME_INVALID_REQUEST] = "invalid_request_error",
    [OUTCOME_CONTENT_FILTER] = "invalid_request_error",
    [OUTCOME_AUTH] = "authentication_error",
    [OUTCOME_NO_KEY] = "authentication_error",
    [OUTCOME_QUOTA] = "billing_error",
    [OUTCOME_RATE_LIMITED] = "rate_limit_error",
    [OUTCOME_MODEL] = "not_found_error",
    [OUTCOME_TIMEOUT] = "timeout_error",
    [OUTCOME_DEADLINE] = "timeout_error",
};

// Anthropic's own words for this failure.
static bool has_its_own_error(const struct job *job) {
    struct slice body = buf_slice(&job->body), type, error;
    const struct json_field fields[] = {{"type", &type}, {"error", &error}};
    if (job->result.shape != REPLY_ANTHROPIC || job->result.outcome == OUTCOME_DEADLINE ||
        job->result.assembled || !json_check(body, NULL))
        return false;
    return json_fields(body, fields, 2) && json_string_is(type, "error") &&
           json_type(error) == JSON_OBJECT;
}

static void add_error(struct buf *out, const struct job *job) {
    const char *type = error_types[job->result.outcome];
    if (has_its_own_error(job)) {
        line_add_json(out, slice_trim(buf_slice(&job->body)));
        return;
    }
    buf_add_str(out, "{\"type\":\"error\",\"error\":{");
    line_add_text(out, "type", type ? type : "api_error");
    json_add_name(out, "message");
    line_add_string(out, slice_str(job->result.message));
    line_add_text(out, "code", line_error_code(&job->result)); // our addition
    buf_add_str(out, "}}");
}

static void add(struct buf *out, const struct job *job, const struct line_options *options) {
    (void)options; // Anthropic's line has no input, and always the message
    json_add_name(out, "custom_id");
    line_add_string(out, job->id);
    json_add_name(out, "result");
    if (job->result.outcome == OUTCOME_OK) {
        buf_add_str(out, "{\"type\":\"succeeded\",\"message\":");
        line_add_reply(out, job, REPLY_ANTHROPIC);
    } else {
        buf_add_str(out, "{\"type\":\"errored\",\"error\":");
        add_error(out, job);
    }
    buf_add_char(out, '}');
    line_add_text(out, "key", job->result.key);
    line_add_sent(out, job);
}

static bool read(struct slice line, struct line_facts *facts) {
    static const char *const names[] = {"custom_id", "result", "key", "input_hash"};
    struct slice v[LINE_FIELDS_MOST], type, message, error;
    const struct json_field fields[] = {{"type", &type}, {"message", &message}, {"error", &error}};
    if (json_type(line) != JSON_OBJECT || !json_check(line, NULL))
        return false;
    line_read_head(line, names, v, 4);
    if (json_type(v[0]) != JSON_STRING || !line_is_type_or_null(v[2], JSON_STRING) ||
        !json_fields(v[1], fields, 3))
        return false;
    facts->id_token = v[0];
    facts->sent = line_read_hash(v[3]);
    facts->ok = json_string_is(type, "succeeded") && json_type(message) == JSON_OBJECT;
    facts->bad_input = json_type(v[2]) == JSON_NULL &&
                       json_string_is(json_get(json_get(error, "error"), "code"), "bad_input");
    return facts->ok || (json_string_is(type, "errored") && json_type(error) == JSON_OBJECT);
}

const struct line_format line_anthropic = {"{\"custom_id\":\"", add, read};
