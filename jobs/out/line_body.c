// line_body.c: the reply inside a result line: the provider's bytes, or its tokens in the shape that
// is wanted. Pure; any thread.
// Sources of the shapes: OpenAI's API reference (chat completion object), anthropic-sdk-python
// (types/message.py), ai.google.dev/api/generate-content.
// SPDX-License-Identifier: MIT
#include "jobs/out/line_parts.h"

#include "jobs/base/clock.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

void line_add_body(struct buf *out, const struct job *job) {
    struct slice body = buf_slice(&job->body);
    if (body.n && json_check(body, NULL))
        line_add_json(out, body);
    else if (body.n || job->result.http_status)
        line_add_string(out, body);
    else
        line_add_null(out);
}

// -- why it ended, in three languages --

enum { BY_REPLY_SHAPE = REPLY_GEMINI + 1 };

// The first row with the word is taken; others serve the way back.
static const char *const reasons[][BY_REPLY_SHAPE] = {
    {"stop", "end_turn", "STOP"},
    {"length", "max_tokens", "MAX_TOKENS"},
    {"tool_calls", "tool_use", "STOP"},
    {"content_filter", "refusal", "SAFETY"},
    {"stop", "stop_sequence", "STOP"},
    {"stop", "pause_turn", "STOP"},
    {"length", "model_context_window_exceeded", "MAX_TOKENS"},
    {"model_length", "max_tokens", "MAX_TOKENS"}, // Mistral
    {"function_call", "tool_use", "STOP"},
    {"sensitive", "refusal", "SAFETY"}, // Z.AI
    {"content_filter", "refusal", "RECITATION"},
    {"content_filter", "refusal", "PROHIBITED_CONTENT"},
    {"content_filter", "refusal", "BLOCKLIST"},
    {"content_filter", "refusal", "SPII"},
    {"content_filter", "refusal", "IMAGE_SAFETY"},
};
enum { BY_STOP = 0, BY_TOOL_CALLS = 2 };

static size_t reason_row(const struct reply *reply, enum reply_shape from) {
    size_t i = 0;
    while (i < COUNT(reasons) && !json_string_is(reply->finish_reason, reasons[i][from]))
        i++;
    return i == BY_STOP && reply->tool_calls.n ? BY_TOOL_CALLS : i; // both are STOP for Google
}

// A word that is not known is passed on as it is.
static void add_reason(struct buf *out, const char *name, const struct reply *reply,
                       enum reply_shape from, enum reply_shape to) {
    size_t row = reason_row(reply, from);
    if (to == from || row == COUNT(reasons) || !reply->finish_reason.n)
        line_add_token(out, name, reply->finish_reason);
    else
        line_add_text(out, name, reasons[row][to]);
}

// -- what all shapes have --

static void add_id(struct buf *out, const char *name, const char *prefix, const struct job *job) {
    struct slice id = job->result.reply.request_id;
    json_add_name(out, name);
    if (id.n)
        line_add_json(out, id);
    else
        line_add_made_id(out, prefix, job);
}

static void add_model(struct buf *out, const char *name, const struct result *result) {
    line_add_token(out, name, result->reply.model.n ? result->reply.model : result->model_sent);
}

static int64_t or_zero(int64_t count) {
    return count < 0 ? 0 : count;
}

// A part of a sum, where the sum is known and not smaller.
static int64_t without(int64_t sum, int64_t part) {
    return sum < or_zero(part) ? sum : sum - or_zero(part);
}

// -- tool calls: in OpenAI's shape they are as they came, see struct reply --

struct call {
    struct slice id, name, arguments, signature; // string tokens
};

static bool next_call(struct json_walk *walk, struct call *call) {
    struct slice element, function, custom, extra;
    const struct json_field fields[] = {
        {"id", &call->id}, {"function", &function}, {"custom", &custom}, {"extra_content", &extra}};
    if (!json_next_element(walk, &element))
        return false;
    json_fields(element, fields, COUNT(fields));
    const struct json_field inner[] = {{"name", &call->name},
                                       {custom.n ? "input" : "arguments", &call->arguments}};
    json_fields(custom.n ? custom : function, inner, COUNT(inner));
    call->signature = json_get(json_get(extra, "google"), "thought_signature");
    return true;
}

// The object that the string holds; what is none goes in as a member, so that nothing is lost.
static void add_arguments(struct buf *out, const char *name, struct slice token) {
    struct buf text = BUF_INIT(token.n + 1);
    if (json_type(token) == JSON_STRING)
        json_string_decode(token, &text);
    struct slice object = slice_trim(buf_slice(&text));
    json_add_name(out, name);
    if (json_type(object) == JSON_OBJECT && json_check(object, NULL)) {
        line_add_json(out, object);
    } else {
        buf_add_char(out, '{');
        if (object.n)
            line_add_token(out, "arguments", token);
        buf_add_char(out, '}');
    }
    buf_free(&text);
}

static struct json_walk walk_calls(const struct reply *reply) {
    return json_walk(reply->tool_calls.n ? reply->tool_calls : SLICE("[]"));
}

// Begins the next element of an array that ends in *out.
static void open_element(struct buf *out) {
    if (out->n && out->p[out->n - 1] != '[')
        buf_add_char(out, ',');
    buf_add_char(out, '{');
}

// -- OpenAI --

static void add_openai_usage(struct buf *out, const struct usage *usage) {
    buf_add_str(out, ",\"usage\":{");
    line_add_count(out, "prompt_tokens", usage->input_tokens);
    line_add_count(out, "completion_tokens", usage->output_tokens);
    line_add_count(out, "total_tokens", line_total_tokens(usage));
    if (usage->cached_tokens >= 0 || usage->cache_write_tokens >= 0) {
        buf_add_str(out, ",\"prompt_tokens_details\":{");
        line_add_count_if_known(out, "cached_tokens", usage->cached_tokens);
        line_add_count_if_known(out, "cache_write_tokens", usage->cache_write_tokens);
        buf_add_char(out, '}');
    }
    if (usage->reasoning_tokens >= 0) {
        buf_add_str(out, ",\"completion_tokens_details\":{");
        line_add_int(out, "reasoning_tokens", usage->reasoning_tokens);
        buf_add_char(out, '}');
    }
    buf_add_char(out, '}');
}

static void add_openai_message(struct buf *out, const struct reply *reply) {
    buf_add_str(out, ",\"message\":{\"role\":\"assistant\"");
    line_add_token(out, "content", reply->text);
    line_add_token_if_any(out, "reasoning_content", reply->reasoning);
    line_add_token(out, "refusal", reply->refusal);
    line_add_token_if_any(out, "tool_calls", reply->tool_calls);
    line_add_token_if_any(out, "audio", reply->audio);
    buf_add_char(out, '}');
}

// One of several answers, as struct reply has them.
static void add_openai_choice(struct buf *out, const struct result *result, struct slice choice) {
    struct reply reply = {0};
    struct slice index;
    const struct json_field fields[] = {
        {"index", &index},
        {"text", &reply.text},
        {"refusal", &reply.refusal},
        {"reasoning", &reply.reasoning},
        {"audio", &reply.audio},
        {"tool_calls", &reply.tool_calls},
        {"finish_reason", &reply.finish_reason},
    };
    json_fields(choice, fields, COUNT(fields));
    open_element(out);
    line_add_token(out, "index", index);
    add_openai_message(out, &reply);
    add_reason(out, "finish_reason", &reply, result->shape, REPLY_OPENAI);
    buf_add_char(out, '}');
}

static void build_openai(struct buf *out, const struct job *job) {
    const struct reply *reply = &job->result.reply;
    struct json_walk walk = json_walk(reply->choices);
    struct slice choice;
    add_id(out, "id", "chatcmpl-", job);
    line_add_text(out, "object", "chat.completion");
    line_add_int(out, "created", job->result.started_at / USEC_PER_SEC);
    add_model(out, "model", &job->result);
    buf_add_str(out, ",\"choices\":[");
    while (reply->choices.n && json_next_element(&walk, &choice))
        add_openai_choice(out, &job->result, choice);
    if (!reply->choices.n) {
        buf_add_str(out, "{\"index\":0");
        add_openai_message(out, reply);
        add_reason(out, "finish_reason", reply, job->result.shape, REPLY_OPENAI);
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
    add_openai_usage(out, &reply->usage);
}

// -- Anthropic --

static void add_block(struct buf *out, const char *type, const char *name, struct slice token) {
    if (!token.n)
        return;
    open_element(out);
    line_add_text(out, "type", type);
    line_add_token(out, name, token);
    if (strcmp(type, "thinking") == 0)
        buf_add_str(out, ",\"signature\":\"\""); // the type has one, a reply's tokens have not
    buf_add_char(out, '}');
}

static void add_content(struct buf *out, const struct reply *reply) {
    struct json_walk walk = walk_calls(reply);
    struct call call;
    buf_add_str(out, ",\"content\":[");
    add_block(out, "thinking", "thinking", reply->reasoning);
    add_block(out, "text", "text", reply->text);
    add_block(out, "text", "text", reply->refusal);
    while (next_call(&walk, &call)) {
        open_element(out);
        line_add_text(out, "type", "tool_use");
        line_add_token(out, "id", call.id);
        line_add_token(out, "name", call.name);
        add_arguments(out, "input", call.arguments);
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}

static void build_anthropic(struct buf *out, const struct job *job) {
    const struct usage *usage = &job->result.reply.usage;
    add_id(out, "id", "msg_", job);
    line_add_text(out, "type", "message");
    line_add_text(out, "role", "assistant");
    add_model(out, "model", &job->result);
    add_content(out, &job->result.reply);
    add_reason(out, "stop_reason", &job->result.reply, job->result.shape, REPLY_ANTHROPIC);
    buf_add_str(out, ",\"stop_sequence\":null,\"usage\":{");
    // cached input is counted beside the rest there
    line_add_count(
        out, "input_tokens",
        without(without(usage->input_tokens, usage->cached_tokens), usage->cache_write_tokens));
    line_add_count_if_known(out, "cache_read_input_tokens", usage->cached_tokens);
    line_add_count_if_known(out, "cache_creation_input_tokens", usage->cache_write_tokens);
    line_add_count(out, "output_tokens", usage->output_tokens);
    buf_add_char(out, '}');
}

// -- Gemini --

static void add_part(struct buf *out, struct slice text, bool thought) {
    if (!text.n)
        return;
    open_element(out);
    line_add_token(out, "text", text);
    if (thought)
        buf_add_str(out, ",\"thought\":true");
    buf_add_char(out, '}');
}

static void add_parts(struct buf *out, const struct reply *reply) {
    struct json_walk walk = walk_calls(reply);
    struct call call;
    buf_add_str(out, "\"parts\":[");
    add_part(out, reply->reasoning, true);
    add_part(out, reply->text, false);
    add_part(out, reply->refusal, false);
    while (next_call(&walk, &call)) {
        open_element(out);
        buf_add_str(out, "\"functionCall\":{");
        line_add_token_if_any(out, "id", call.id);
        line_add_token(out, "name", call.name);
        add_arguments(out, "args", call.arguments);
        buf_add_char(out, '}');
        line_add_token_if_any(out, "thoughtSignature", call.signature);
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}

static void build_gemini(struct buf *out, const struct job *job) {
    const struct usage *usage = &job->result.reply.usage;
    buf_add_str(out, "\"candidates\":[{\"content\":{");
    add_parts(out, &job->result.reply);
    buf_add_str(out, ",\"role\":\"model\"}");
    add_reason(out, "finishReason", &job->result.reply, job->result.shape, REPLY_GEMINI);
    buf_add_str(out, ",\"index\":0}],\"usageMetadata\":{");
    // thoughts are counted beside the rest there
    line_add_count_if_known(out, "promptTokenCount", usage->input_tokens);
    line_add_count_if_known(out, "candidatesTokenCount",
                            without(usage->output_tokens, usage->reasoning_tokens));
    line_add_count_if_known(out, "thoughtsTokenCount", usage->reasoning_tokens);
    line_add_count_if_known(out, "cachedContentTokenCount", usage->cached_tokens);
    line_add_count_if_known(out, "totalTokenCount", line_total_tokens(usage));
    buf_add_char(out, '}');
    add_model(out, "modelVersion", &job->result);
    add_id(out, "responseId", "", job);
}

void line_build_body(struct buf *out, const struct job *job, enum reply_shape shape) {
    static void (*const build[BY_REPLY_SHAPE])(struct buf *, const struct job *) = {
        [REPLY_OPENAI] = build_openai,
        [REPLY_ANTHROPIC] = build_anthropic,
        [REPLY_GEMINI] = build_gemini,
    };
    buf_add_char(out, '{');
    build[shape](out, job);
    buf_add_char(out, '}');
}

void line_add_reply(struct buf *out, const struct job *job, enum reply_shape shape) {
    struct slice body = buf_slice(&job->body);
    bool fits = job->result.shape == shape || job->result.other_path;
    if (!job->result.assembled && fits && json_type(body) == JSON_OBJECT && json_check(body, NULL))
        line_add_json(out, body);
    else
        line_build_body(out, job, shape);
}
