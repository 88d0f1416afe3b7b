// openai_answer.c: OpenAI chat completions as the provider speaks them: requests read, replies
// built. Pure.
// SPDX-License-Identifier: MIT
#include "pool/wire/openai.h"

// -- the other side: what a client asks for --

// Adds up a message's text and leaves its last text token in *last.
static void read_content(struct slice content, size_t *bytes, struct slice *last) {
    if (json_type(content) == JSON_STRING) {
        *last = content;
        *bytes += content.n - 2;
        return;
    }
    struct json_walk walk = json_walk(wire_only(content, JSON_ARRAY));
    struct slice part;
    while (json_next_element(&walk, &part)) {
        struct slice text = openai_part_text(part);
        if (!text.n)
            continue;
        *last = text;
        *bytes += text.n - 2;
    }
}

static enum wire_answer read_messages(struct slice messages, struct wire_request *request,
                                      bool *after_tool, const char **what) {
    struct json_walk walk = json_walk(wire_only(messages, JSON_ARRAY));
    struct slice message, role, content;
    const struct json_field fields[] = {{"role", &role}, {"content", &content}};
    size_t count = 0;
    for (; json_next_element(&walk, &message); count++) {
        if (!json_fields(message, fields, COUNT(fields)))
            return wire_not_mine(what, "Invalid type for 'messages': expected objects.");
        if (json_type(role) != JSON_STRING)
            return wire_not_mine(what, "Missing required parameter: 'messages[].role'.");
        struct slice text = SLICE_NONE;
        read_content(content, &request->prompt_bytes, &text);
        if (json_string_is(role, "user"))
            request->prompt = text;
        *after_tool = json_string_is(role, "tool");
    }
    if (!count)
        return wire_not_mine(what,
                             "Invalid 'messages': expected an array with at least one message.");
    return WIRE_OK;
}

// The tool the answer is to call: the one tool_choice names, else the first; none after a tool has
// answered, so that a client's loop of calls comes to an end.
static struct slice tool_wanted(struct slice tools, struct slice choice) {
    if (json_string_is(choice, "none"))
        return SLICE_NONE;
    struct slice named = json_get(json_get(choice, "function"), "name");
    if (json_type(named) == JSON_STRING)
        return named;
    struct json_walk walk = json_walk(wire_only(tools, JSON_ARRAY));
    struct slice tool;
    if (!json_next_element(&walk, &tool))
        return SLICE_NONE;
    return wire_only(json_get(json_get(tool, "function"), "name"), JSON_STRING);
}

enum wire_answer openai_read_request(struct slice body, struct wire_request *request,
                                     const char **what) {
    struct slice model, messages, stream, stream_options, max_tokens, max_completion, tools, choice;
    const struct json_field fields[] = {
        {"model", &model},           {"messages", &messages},
        {"stream", &stream},         {"stream_options", &stream_options},
        {"max_tokens", &max_tokens}, {"max_completion_tokens", &max_completion},
        {"tools", &tools},           {"tool_choice", &choice},
    };
    *request = (struct wire_request){.max_tokens = -1};
    if (!json_fields(body, fields, COUNT(fields)))
        return wire_not_mine(what, "The body of the request must be a JSON object.");
    if (json_type(model) != JSON_STRING)
        return wire_not_mine(what, "you must provide a model parameter");
    bool after_tool = false;
    if (read_messages(messages, request, &after_tool, what) != WIRE_OK)
        return WIRE_NOT_MINE;
    request->model = model;
    request->stream = slice_is(stream, "true");
    request->stream_usage = slice_is(json_get(stream_options, "include_usage"), "true");
    request->max_tokens = wire_count(max_completion.n ? max_completion : max_tokens);
    request->tool_name = after_tool ? SLICE_NONE : tool_wanted(tools, choice);
    return WIRE_OK;
}

// -- answering --

// A call's arguments, {"text": the answer's text}, as the inside of a string token.
static void add_arguments(struct buf *b, struct slice text) {
    buf_add_char(b, '{');
    if (text.n) {
        buf_add_str(b, "\\\"text\\\":");
        json_add_escaped(b, text);
    }
    buf_add_char(b, '}');
}

static void add_usage(struct buf *b, const struct wire_response *r) {
    buf_add_str(b, "{\"prompt_tokens\":");
    buf_add_int(b, r->input_tokens);
    buf_add_str(b, ",\"completion_tokens\":");
    buf_add_int(b, r->output_tokens);
    buf_add_str(b, ",\"total_tokens\":");
    buf_add_int(b, r->input_tokens + r->output_tokens);
    buf_add_str(b, ",\"prompt_tokens_details\":{\"cached_tokens\":");
    buf_add_int(b, r->cached_tokens);
    buf_add_str(b, ",\"audio_tokens\":0},"
                   "\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0,"
                   "\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}");
}

// {"id":…,"object":…,"created":…,"model":…  and no closing brace
static void add_head(struct buf *b, const struct wire_response *r, const char *object) {
    buf_add_str(b, "{\"id\":");
    json_add_string(b, slice_str(r->id));
    buf_add_str(b, ",\"object\":\"");
    buf_add_str(b, object);
    buf_add_str(b, "\",\"created\":");
    buf_add_int(b, r->created);
    buf_add_str(b, ",\"model\":");
    buf_add_slice(b, r->model);
}

static void add_answer(struct buf *b, const struct wire_response *r) {
    if (!r->tool_name.n) {
        buf_add_str(b, "\"content\":");
        buf_add_slice(b, r->text.n ? r->text : SLICE("null"));
        return;
    }
    buf_add_str(b, "\"content\":null,\"tool_calls\":[{\"id\":");
    wire_add_id(b, "call_", r->id);
    buf_add_str(b, ",\"type\":\"function\",\"function\":{\"name\":");
    buf_add_slice(b, r->tool_name);
    buf_add_str(b, ",\"arguments\":\"");
    add_arguments(b, r->text);
    buf_add_str(b, "\"}}]");
}

void openai_build_reply(const struct wire_response *r, struct buf *out) {
    add_head(out, r, "chat.completion");
    buf_add_str(out, ",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",");
    add_answer(out, r);
    buf_add_str(out, ",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"");
    buf_add_str(out, r->finish_reason);
    buf_add_str(out, "\"}],\"usage\":");
    add_usage(out, r);
    buf_add_str(out, ",\"system_fingerprint\":null}");
}

// -- answering in pieces --

static void add_chunk_head(struct buf *b, const struct wire_response *r) {
    buf_add_str(b, "data: ");
    add_head(b, r, "chat.completion.chunk");
    buf_add_str(b, ",\"system_fingerprint\":null,\"choices\":[");
}

static void open_delta(struct buf *b, const struct wire_response *r) {
    add_chunk_head(b, r);
    buf_add_str(b, "{\"index\":0,\"delta\":{");
}

static void close_delta(struct buf *b, const char *finish_reason, bool usage) {
    buf_add_str(b, "},\"logprobs\":null,\"finish_reason\":");
    buf_add_str(b, finish_reason ? "\"" : "null");
    buf_add_str(b, finish_reason ? finish_reason : "");
    buf_add_str(b, finish_reason ? "\"}]" : "}]");
    buf_add_str(b, usage ? ",\"usage\":null}\n\n" : "}\n\n");
}

static void stream_text(const struct wire_response *r, bool usage, struct buf *out) {
    open_delta(out, r);
    buf_add_str(out, "\"role\":\"assistant\",\"content\":\"\",\"refusal\":null");
    close_delta(out, NULL, usage);
    struct slice rest = r->text.n ? slice_of(r->text.p + 1, r->text.n - 2) : SLICE_NONE;
    while (rest.n) {
        open_delta(out, r);
        buf_add_str(out, "\"content\":\"");
        buf_add_slice(out, wire_next_piece(&rest));
        buf_add_char(out, '"');
        close_delta(out, NULL, usage);
    }
}

static void stream_call(const struct wire_response *r, bool usage, struct buf *out) {
    open_delta(out, r);
    buf_add_str(out,
                "\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"index\":0,\"id\":");
    wire_add_id(out, "call_", r->id);
    buf_add_str(out, ",\"type\":\"function\",\"function\":{\"name\":");
    buf_add_slice(out, r->tool_name);
    buf_add_str(out, ",\"arguments\":\"\"}}],\"refusal\":null");
    close_delta(out, NULL, usage);
    struct buf arguments = BUF_INIT(out->max);
    add_arguments(&arguments, r->text);
    for (struct slice rest = buf_slice(&arguments); rest.n;) {
        open_delta(out, r);
        buf_add_str(out, "\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"");
        buf_add_slice(out, wire_next_piece(&rest));
        buf_add_str(out, "\"}}]");
        close_delta(out, NULL, usage);
    }
    out->failed |= arguments.failed;
    buf_free(&arguments);
}

void openai_build_stream(const struct wire_response *r, bool usage, struct buf *out) {
    if (r->tool_name.n)
        stream_call(r, usage, out);
    else
        stream_text(r, usage, out);
    open_delta(out, r);
    close_delta(out, r->finish_reason, usage);
    if (usage) {
        add_chunk_head(out, r);
        buf_add_str(out, "],\"usage\":");
        add_usage(out, r);
        buf_add_str(out, "}\n\n");
    }
    buf_add_str(out, "data: [DONE]\n\n");
}
