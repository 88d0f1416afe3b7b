// line_openai.c: result lines as an OpenAI batch output file has them. Pure; any thread.
// SPDX-License-Identifier: MIT
#include "jobs/out/line_parts.h"

static void add_http_answer(struct buf *out, const struct job *job, bool ok) {
    struct slice body = buf_slice(&job->body);
    bool shown = ok || (job->result.http_status && body.n && json_check(body, NULL));
    json_add_name(out, "response");
    if (!shown) {
        line_add_null(out);
        return;
    }
    buf_add_char(out, '{');
    line_add_status(out, "status_code", job->result.http_status);
    line_add_token(out, "request_id", ok ? job->result.reply.request_id : SLICE_NONE);
    json_add_name(out, "body");
    if (ok || job->result.assembled)
        line_add_reply(out, job, REPLY_OPENAI);
    else
        line_add_body(out, job);
    buf_add_char(out, '}');
}

static void add_error(struct buf *out, const struct result *result) {
    buf_add_char(out, '{');
    line_add_text(out, "code", line_error_code(result));
    json_add_name(out, "message");
    line_add_string(out, slice_str(result->message));
    buf_add_char(out, '}');
}

static void add(struct buf *out, const struct job *job, const struct line_options *options) {
    (void)options; // OpenAI's line has no input, and always the body
    bool ok = job->result.outcome == OUTCOME_OK;
    json_add_name(out, "id");
    line_add_made_id(out, "batch_req_", job);
    json_add_name(out, "custom_id");
    line_add_string(out, job->id);
    add_http_answer(out, job, ok);
    json_add_name(out, "error");
    if (ok)
        line_add_null(out);
    else
        add_error(out, &job->result);
    line_add_text(out, "key", job->result.key);
}

static bool read(struct slice line, struct line_facts *facts) {
    static const char *const names[] = {"id", "custom_id", "response", "error", "key"};
    struct slice v[LINE_FIELDS_MOST];
    if (json_type(line) != JSON_OBJECT || !json_check(line, NULL))
        return false;
    line_read_head(line, names, v, 5);
    facts->id_token = v[1];
    facts->sent = line_read_made_id(v[0], "batch_req_");
    facts->ok = json_type(v[3]) == JSON_NULL && json_type(v[2]) == JSON_OBJECT;
    facts->bad_input = json_type(v[2]) == JSON_NULL && json_type(v[4]) == JSON_NULL &&
                       json_string_is(json_get(v[3], "code"), "bad_input");
    return json_type(v[0]) == JSON_STRING && json_type(v[1]) == JSON_STRING &&
           line_is_type_or_null(v[2], JSON_OBJECT) && line_is_type_or_null(v[4], JSON_STRING) &&
           (facts->ok || json_type(v[3]) == JSON_OBJECT);
}

const struct line_format line_openai = {"{\"id\":\"", add, read};
