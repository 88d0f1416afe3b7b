// line_gemini.c: result lines as a Gemini batch output file has them. Pure; any thread.
// `key` is the row's id there, so the key that served it is called `api_key`. Errors are
// google.rpc.Status; what it has no member for stands in a google.rpc.ErrorInfo.
// Source: ai.google.dev/gemini-api/docs/batch-api; googleapis, google/rpc/code.proto and
// error_details.proto.
// SPDX-License-Identifier: MIT
#include "jobs/out/line_parts.h"

static const struct {
    int code;
    const char *status;
} errors[OUTCOME_COUNT] = {
    [OUTCOME_BAD_INPUT] = {400, "INVALID_ARGUMENT"},
    [OUTCOME_INVALID_REQUEST] = {400, "INVALID_ARGUMENT"},
    [OUTCOME_CONTENT_FILTER] = {400, "INVALID_ARGUMENT"},
    [OUTCOME_AUTH] = {401, "UNAUTHENTICATED"},
    [OUTCOME_NO_KEY] = {401, "UNAUTHENTICATED"},
    [OUTCOME_QUOTA] = {429, "RESOURCE_EXHAUSTED"},
    [OUTCOME_RATE_LIMITED] = {429, "RESOURCE_EXHAUSTED"},
    [OUTCOME_MODEL] = {404, "NOT_FOUND"},
    [OUTCOME_NETWORK] = {503, "UNAVAILABLE"},
    [OUTCOME_TIMEOUT] = {504, "DEADLINE_EXCEEDED"},
    [OUTCOME_DEADLINE] = {504, "DEADLINE_EXCEEDED"},
};

// Google's own words for this failure; SLICE_NONE when there are none.
static struct slice own_error(const struct job *job) {
    struct slice body = buf_slice(&job->body);
    if (job->result.shape != REPLY_GEMINI || job->result.outcome == OUTCOME_DEADLINE ||
        job->result.assembled || !json_check(body, NULL))
        return SLICE_NONE;
    struct slice error = json_get(body, "error");
    return json_type(error) == JSON_OBJECT ? error : SLICE_NONE;
}

static void add_error(struct buf *out, const struct job *job) {
    enum outcome outcome = job->result.outcome;
    struct slice own = own_error(job);
    if (own.n) {
        line_add_json(out, own);
        return;
    }
    bool known = errors[outcome].code;
    buf_add_char(out, '{');
    line_add_int(out, "code", known ? errors[outcome].code : 500);
    json_add_name(out, "message");
    line_add_string(out, slice_str(job->result.message));
    line_add_text(out, "status", known ? errors[outcome].status : "INTERNAL");
    buf_add_str(out, ",\"details\":[{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\"");
    line_add_text(out, "reason", line_error_code(&job->result));
    buf_add_str(out, ",\"domain\":\"batch-run\"}]}");
}

static void add(struct buf *out, const struct job *job, const struct line_options *options) {
    (void)options; // Gemini's line has no input, and always the response
    bool ok = job->result.outcome == OUTCOME_OK;
    json_add_name(out, "key");
    line_add_string(out, job->id);
    json_add_name(out, ok ? "response" : "error");
    if (ok)
        line_add_reply(out, job, REPLY_GEMINI);
    else
        add_error(out, job);
    line_add_text(out, "api_key", job->result.key);
    line_add_sent(out, job);
}

static bool is_bad_input(struct slice error) {
    struct slice details = json_get(error, "details"), detail;
    if (json_type(details) != JSON_ARRAY)
        return false;
    struct json_walk walk = json_walk(details);
    return json_next_element(&walk, &detail) &&
           json_string_is(json_get(detail, "reason"), "bad_input");
}

static bool read(struct slice line, struct line_facts *facts) {
    struct slice response, error, key, hash;
    const struct json_field fields[] = {{"key", &facts->id_token},
                                        {"response", &response},
                                        {"error", &error},
                                        {"api_key", &key},
                                        {"input_hash", &hash}};
    if (json_type(line) != JSON_OBJECT || !json_check(line, NULL))
        return false;
    json_fields(line, fields, 5);
    facts->sent = line_read_hash(hash);
    facts->ok = json_type(response) == JSON_OBJECT && !error.n;
    facts->bad_input = json_type(key) == JSON_NULL && is_bad_input(error);
    return json_type(facts->id_token) == JSON_STRING && line_is_type_or_null(key, JSON_STRING) &&
           (facts->ok || (json_type(error) == JSON_OBJECT && !response.n));
}

const struct line_format line_gemini = {"{\"key\":\"", add, read};
