// line.c: a finished job as one line of JSON, and what such a line says. Pure; any thread.
// SPDX-License-Identifier: MIT
#include "jobs/out/line.h"

#include "jobs/base/clock.h"
#include "jobs/out/line_parts.h"

static bool usage_is_known(const struct usage *usage) {
    return usage->input_tokens >= 0 || usage->output_tokens >= 0 || usage->total_tokens >= 0 ||
           usage->cached_tokens >= 0 || usage->reasoning_tokens >= 0 ||
           usage->cache_write_tokens >= 0;
}

static void add_usage(struct buf *out, const struct usage *usage) {
    json_add_name(out, "usage");
    if (!usage_is_known(usage)) {
        line_add_null(out);
        return;
    }
    buf_add_char(out, '{');
    line_add_count_if_known(out, "input_tokens", usage->input_tokens);
    line_add_count_if_known(out, "output_tokens", usage->output_tokens);
    line_add_count_if_known(out, "total_tokens", line_total_tokens(usage));
    line_add_count_if_known(out, "cached_tokens", usage->cached_tokens);
    line_add_count_if_known(out, "reasoning_tokens", usage->reasoning_tokens);
    line_add_count_if_known(out, "cache_write_tokens", usage->cache_write_tokens);
    buf_add_char(out, '}');
}

static void add_reply(struct buf *out, const struct reply *reply) {
    line_add_token(out, "text", reply->text);
    line_add_token(out, "finish_reason", reply->finish_reason);
    line_add_token_if_any(out, "tool_calls", reply->tool_calls);
    line_add_token_if_any(out, "reasoning", reply->reasoning);
    line_add_token_if_any(out, "refusal", reply->refusal);
    line_add_token_if_any(out, "audio", reply->audio);
    line_add_token_if_any(out, "choices", reply->choices);
    add_usage(out, &reply->usage);
}

static void add_failure(struct buf *out, const struct job *job) {
    const struct result *result = &job->result;
    json_add_name(out, "error");
    buf_add_char(out, '{');
    line_add_text(out, "class", outcome_name(result->outcome));
    line_add_text(out, "code", result->code);
    json_add_name(out, "message");
    line_add_string(out, slice_str(result->message));
    line_add_status(out, "http_status", result->http_status);
    buf_add_char(out, '}');
    if (result->outcome == OUTCOME_BAD_INPUT)
        line_add_int(out, "line", job->line_no);
}

static void add_milliseconds(struct buf *out, const char *name, int64_t usec) {
    json_add_name(out, name);
    json_add_thousandths(out, usec > 0 ? usec : 0);
}

// How it went: the same fields for an answer and for a failure. What needs an attempt to have a
// meaning is null without one.
static void add_attempts(struct buf *out, const struct result *result) {
    bool tried = result->attempts > 0 && result->started_at > 0;
    line_add_int(out, "attempts", result->attempts);
    line_add_status(out, "http_status", result->http_status);
    json_add_name(out, "started_at");
    if (tried) {
        buf_add_char(out, '"');
        clock_add_rfc3339(out, result->started_at);
        buf_add_char(out, '"');
        add_milliseconds(out, "latency_ms", result->latency);
        if (result->ttft)
            add_milliseconds(out, "ttft_ms", result->ttft);
    } else {
        line_add_null(out);
        line_add_token(out, "latency_ms", SLICE_NONE);
    }
    add_milliseconds(out, "wait_ms", result->wait);
}

static void add_native(struct buf *out, const struct job *job, const struct line_options *options) {
    const struct result *result = &job->result;
    bool ok = result->outcome == OUTCOME_OK;
    json_add_name(out, "id");
    line_add_string(out, job->id);
    line_add_int(out, "index", job->index);
    line_add_text(out, "status", ok ? "ok" : "error");
    line_add_text(out, "provider", result->provider);
    line_add_text(out, "key", result->key);
    struct slice answered_by = ok ? result->reply.model : SLICE_NONE;
    line_add_token(out, "model", answered_by.n ? answered_by : result->model_sent);
    if (ok)
        add_reply(out, &result->reply);
    else
        add_failure(out, job);
    add_attempts(out, result);
    if (options->no_input)
        line_add_sent(out, job);
    else
        line_add_token(out, "input", job->input);
    if (!options->include_response)
        return;
    json_add_name(out, "response");
    if (result->assembled)
        line_build_body(out, job, result->shape);
    else
        line_add_body(out, job);
}

static bool read_native(struct slice line, struct line_facts *facts) {
    struct slice number, status, provider, key, model, error, hash;
    const struct json_field fields[] = {{"id", &facts->id_token},
                                        {"index", &number},
                                        {"status", &status},
                                        {"provider", &provider},
                                        {"key", &key},
                                        {"model", &model},
                                        {"error", &error},
                                        {"input", &facts->input},
                                        {"input_hash", &hash}};
    int64_t index;
    if (!json_check_fields(line, fields, sizeof fields / sizeof *fields, JSON_MAX_DEPTH))
        return false;
    facts->ok = json_string_is(status, "ok");
    facts->sent = line_read_hash(hash);
    if (json_type(facts->id_token) != JSON_STRING || !json_int(number, &index) || index < 0)
        return false;
    if (!line_is_type_or_null(provider, JSON_STRING) || !line_is_type_or_null(key, JSON_STRING) ||
        !line_is_type_or_null(model, JSON_STRING))
        return false;
    if (facts->ok)
        return true;
    struct slice class = json_get(error, "class");
    facts->bad_input = json_string_is(class, "bad_input");
    return json_string_is(status, "error") && json_type(class) == JSON_STRING;
}

const struct line_format line_native = {"{\"id\":\"", add_native, read_native};

// -- of any format --

static const struct line_format *const formats[OUTPUT_FORMATS] = {
    [OUTPUT_NATIVE] = &line_native,
    [OUTPUT_OPENAI] = &line_openai,
    [OUTPUT_ANTHROPIC] = &line_anthropic,
    [OUTPUT_GEMINI] = &line_gemini,
};

void line_add(struct buf *out, const struct job *job, const struct line_options *options) {
    buf_add_char(out, '{');
    formats[options->format]->add(out, job, options);
    if (options->settings && job->result.outcome != OUTCOME_BAD_INPUT)
        settings_add(out, &job->settings, options->settings, options->tell_settings);
    buf_add(out, "}\n", 2);
}

bool line_read(struct slice line, enum output_format format, struct line_facts *facts) {
    *facts = (struct line_facts){0};
    if (!formats[format]->read(line, facts))
        return false;
    facts->has_settings = settings_read(line, &facts->settings, &facts->tells_settings);
    return true;
}

bool line_may_begin_with(struct slice piece, enum output_format format) {
    struct line_facts facts;
    struct slice start = slice_str(formats[format]->start);
    if (json_check(piece, NULL))
        return line_read(piece, format, &facts);
    return memcmp(piece.p, start.p, piece.n < start.n ? piece.n : start.n) == 0;
}
