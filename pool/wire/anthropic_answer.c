// anthropic_answer.c: Anthropic Messages as the provider speaks them: requests read, replies built.
// Pure.
// SPDX-License-Identifier: MIT
#include "pool/wire/anthropic.h"

// -- the other side: what a client asks for --

// What of the messages matters to the one who answers.
struct heard {
    struct slice text; // the last text token
    size_t bytes;      // of all of them
    bool result;       // a tool's result was among them
};

static void hear_text(struct heard *h, struct slice text) {
    if (json_type(text) != JSON_STRING)
        return;
    h->text = text;
    h->bytes += text.n - 2;
}

static void hear_content(struct heard *h, struct slice content) {
    struct json_walk walk = json_walk(wire_only(content, JSON_ARRAY));
    struct slice block, type, text, inner;
    const struct json_field fields[] = {{"type", &type}, {"text", &text}, {"content", &inner}};
    hear_text(h, content);
    while (json_next_element(&walk, &block)) {
        json_fields(block, fields, COUNT(fields));
        if (json_string_is(type, "text"))
            hear_text(h, text);
        if (!json_string_is(type, "tool_result"))
            continue;
        h->result = true;
        h->bytes += wire_inside(wire_only(inner, JSON_STRING)).n;
    }
}

static enum wire_answer read_messages(struct slice messages, struct wire_request *request,
                                      bool *after_tool, const char **what) {
    struct json_walk walk = json_walk(wire_only(messages, JSON_ARRAY));
    struct slice message, role, content;
    const struct json_field fields[] = {{"role", &role}, {"content", &content}};
    size_t count = 0;
    for (; json_next_element(&walk, &message); count++) {
        struct heard h = {0};
        if (!json_fields(message, fields, COUNT(fields)))
            return wire_not_mine(what, "messages: Input should be a valid dictionary");
        bool user = json_string_is(role, "user");
        if (!user && !json_string_is(role, "assistant") && !json_string_is(role, "system"))
            return wire_not_mine(what, "messages.role: Input should be 'user' or 'assistant'");
        if (json_type(content) != JSON_STRING && json_type(content) != JSON_ARRAY)
            return wire_not_mine(what, "messages.content: Field required");
        hear_content(&h, content);
        if (user)
            request->prompt = h.text;
        request->prompt_bytes += h.bytes;
        *after_tool = h.result;
    }
    if (!count)
        return wire_not_mine(what, "messages: at least one message is required");
    return WIRE_OK;
}

static size_t system_bytes(struct slice system) {
    struct heard h = {0};
    hear_content(&h, system);
    return h.bytes;
}

// The tool the answer is to call: the one tool_choice names, else the first.
static struct slice tool_wanted(struct slice tools, struct slice choice) {
    struct slice type, name, tool;
    const struct json_field fields[] = {{"type", &type}, {"name", &name}};
    struct json_walk walk = json_walk(wire_only(tools, JSON_ARRAY));
    json_fields(choice, fields, COUNT(fields));
    if (json_string_is(type, "none"))
        return SLICE_NONE;
    if (json_string_is(type, "tool"))
        return wire_only(name, JSON_STRING);
    if (!json_next_element(&walk, &tool))
        return SLICE_NONE;
    return wire_only(json_get(tool, "name"), JSON_STRING);
}

enum wire_answer anthropic_read_request(struct slice body, struct wire_request *request,
                                        const char **what) {
    struct slice model, messages, max_tokens, system, stream, tools, choice;
    const struct json_field fields[] = {
        {"model", &model},        {"messages", &messages}, {"max_tokens", &max_tokens},
        {"system", &system},      {"stream", &stream},     {"tools", &tools},
        {"tool_choice", &choice},
    };
    bool after_tool = false;
    *request = (struct wire_request){.max_tokens = -1};
    if (!json_fields(body, fields, COUNT(fields)))
        return wire_not_mine(what, "The request body must be a JSON object");
    if (json_type(model) != JSON_STRING)
        return wire_not_mine(what, "model: Field required");
    request->max_tokens = wire_count(max_tokens);
    if (request->max_tokens < 1)
        return wire_not_mine(what, "max_tokens: Field required, an integer of 1 or more");
    if (read_messages(messages, request, &after_tool, what) != WIRE_OK)
        return WIRE_NOT_MINE;
    request->model = model;
    request->stream = slice_is(stream, "true");
    request->stream_usage = true;
    request->prompt_bytes += system_bytes(system);
    request->tool_name = after_tool ? SLICE_NONE : tool_wanted(tools, choice);
    return WIRE_OK;
}

// -- answering --

static const char *stop_reason_of(const struct wire_response *r) {
    static const char *const words[][2] = {
        {"stop", "end_turn"}, {"length", "max_tokens"}, {"tool_calls", "tool_use"}};
    for (size_t i = 0; i < COUNT(words); i++)
        if (strcmp(r->finish_reason, words[i][0]) == 0)
            return words[i][1];
    return r->finish_reason;
}

static void add_usage(struct buf *b, const struct wire_response *r, int64_t output) {
    buf_add_str(b, "{\"input_tokens\":");
    buf_add_int(b, r->input_tokens - r->cached_tokens);
    buf_add_str(b, ",\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":");
    buf_add_int(b, r->cached_tokens);
    buf_add_str(b, ",\"output_tokens\":");
    buf_add_int(b, output);
    buf_add_char(b, '}');
}

// {"id":…,"type":"message","role":"assistant","model":…,"content":[  and what closes it
static void open_message(struct buf *b, const struct wire_response *r) {
    buf_add_str(b, "{\"id\":");
    wire_add_id(b, "msg_", r->id);
    buf_add_str(b, ",\"type\":\"message\",\"role\":\"assistant\",\"model\":");
    buf_add_slice(b, r->model);
    buf_add_str(b, ",\"content\":[");
}

static void close_message(struct buf *b, const struct wire_response *r, const char *stop_reason,
                          int64_t output) {
    buf_add_str(b, "],\"stop_reason\":");
    buf_add_str(b, stop_reason ? "\"" : "null");
    buf_add_str(b, stop_reason ? stop_reason : "");
    buf_add_str(b, stop_reason ? "\"" : "");
    buf_add_str(b, ",\"stop_sequence\":null,\"usage\":");
    add_usage(b, r, output);
    buf_add_char(b, '}');
}

// {"type":"tool_use",…,"input":  and no more
static void open_call(struct buf *b, const struct wire_response *r) {
    buf_add_str(b, "{\"type\":\"tool_use\",\"id\":");
    wire_add_id(b, "toolu_", r->id);
    buf_add_str(b, ",\"name\":");
    buf_add_slice(b, r->tool_name);
    buf_add_str(b, ",\"input\":");
}

// A call's input, {"text": the answer's text}.
static void add_input(struct buf *b, struct slice text) {
    buf_add_char(b, '{');
    wire_add_member(b, "text", text);
    buf_add_char(b, '}');
}

void anthropic_build_reply(const struct wire_response *r, struct buf *out) {
    open_message(out, r);
    if (r->tool_name.n) {
        open_call(out, r);
        add_input(out, r->text);
    } else {
        buf_add_str(out, "{\"type\":\"text\",\"text\":");
        buf_add_slice(out, r->text.n ? r->text : SLICE("\"\""));
    }
    buf_add_char(out, '}');
    close_message(out, r, stop_reason_of(r), r->output_tokens);
}

// -- answering in pieces --

static void open_event(struct buf *b, const char *name) {
    buf_add_str(b, "event: ");
    buf_add_str(b, name);
    buf_add_str(b, "\ndata: {\"type\":\"");
    buf_add_str(b, name);
    buf_add_char(b, '"');
}

static void close_event(struct buf *b) {
    buf_add_str(b, "}\n\n");
}

static void stream_start(const struct wire_response *r, struct buf *out) {
    open_event(out, "message_start");
    buf_add_str(out, ",\"message\":");
    open_message(out, r);
    close_message(out, r, NULL, 1);
    close_event(out);
    open_event(out, "content_block_start");
    buf_add_str(out, ",\"index\":0,\"content_block\":");
    if (r->tool_name.n) {
        open_call(out, r);
        buf_add_str(out, "{}}");
    } else {
        buf_add_str(out, "{\"type\":\"text\",\"text\":\"\"}");
    }
    close_event(out);
    open_event(out, "ping");
    close_event(out);
}

// `inside` of a string token, piece by piece, as the member `name` of deltas of a kind.
static void stream_pieces(struct slice inside, const char *kind, const char *name,
                          struct buf *out) {
    while (inside.n) {
        open_event(out, "content_block_delta");
        buf_add_str(out, ",\"index\":0,\"delta\":{\"type\":\"");
        buf_add_str(out, kind);
        buf_add_str(out, "\",\"");
        buf_add_str(out, name);
        buf_add_str(out, "\":\"");
        buf_add_slice(out, wire_next_piece(&inside));
        buf_add_str(out, "\"}");
        close_event(out);
    }
}

static void stream_input(const struct wire_response *r, struct buf *out) {
    struct buf input = BUF_INIT(out->max), token = BUF_INIT(out->max);
    add_input(&input, r->text);
    json_add_escaped(&token, buf_slice(&input));
    stream_pieces(buf_slice(&token), "input_json_delta", "partial_json", out);
    out->failed |= input.failed || token.failed;
    buf_free(&input);
    buf_free(&token);
}

// Usage is always in these streams: at the start and, cumulative, at the end.
void anthropic_build_stream(const struct wire_response *r, bool usage, struct buf *out) {
    (void)usage;
    stream_start(r, out);
    if (r->tool_name.n)
        stream_input(r, out);
    else
        stream_pieces(wire_inside(r->text), "text_delta", "text", out);
    open_event(out, "content_block_stop");
    buf_add_str(out, ",\"index\":0");
    close_event(out);
    open_event(out, "message_delta");
    buf_add_str(out, ",\"delta\":{\"stop_reason\":\"");
    buf_add_str(out, stop_reason_of(r));
    buf_add_str(out, "\",\"stop_sequence\":null},\"usage\":");
    add_usage(out, r, r->output_tokens);
    close_event(out);
    open_event(out, "message_stop");
    close_event(out);
}
