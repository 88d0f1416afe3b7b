// gemini_answer.c: Gemini generateContent as the provider speaks it: requests read, replies built.
// Pure.
// SPDX-License-Identifier: MIT
#include "pool/wire/gemini.h"

// -- the other side: what a client asks for --

// Adds up the text of a content's parts; the last one is left in *last, and whether a function's
// response was among them in *response.
static void read_parts(struct slice content, struct wire_request *request, struct slice *last,
                       bool *response) {
    struct json_walk walk = json_walk(wire_only(json_get(content, "parts"), JSON_ARRAY));
    struct slice part;
    while (json_next_element(&walk, &part)) {
        struct slice text = wire_only(json_get(part, "text"), JSON_STRING);
        request->prompt_bytes += wire_inside(text).n;
        if (text.n)
            *last = text;
        if (gemini_get(part, "functionResponse", "function_response").n)
            *response = true;
    }
}

static enum wire_answer read_contents(struct slice contents, struct wire_request *request,
                                      bool *after_tool, const char **what) {
    struct json_walk walk = json_walk(wire_only(contents, JSON_ARRAY));
    struct slice content;
    size_t count = 0;
    for (; json_next_element(&walk, &content); count++) {
        struct slice role = json_get(content, "role"), text = SLICE_NONE;
        bool model = json_string_is(role, "model"), user = !role.n || json_string_is(role, "user");
        if (!user && !model && !json_string_is(role, "function"))
            return wire_not_mine(what, "Please use a valid role: user, model.");
        if (json_type(json_get(content, "parts")) != JSON_ARRAY)
            return wire_not_mine(what,
                                 "* GenerateContentRequest.contents: parts must not be empty");
        *after_tool = false;
        read_parts(content, request, &text, after_tool);
        if (user)
            request->prompt = text;
    }
    if (!count)
        return wire_not_mine(what, "* GenerateContentRequest.contents: contents is not specified");
    return WIRE_OK;
}

static struct slice first_of(struct slice array) {
    struct json_walk walk = json_walk(wire_only(array, JSON_ARRAY));
    struct slice first = SLICE_NONE;
    json_next_element(&walk, &first);
    return first;
}

// The function the answer is to call: the one that is allowed, else the first.
static struct slice function_wanted(struct slice tools, struct slice config) {
    config = gemini_get(config, "functionCallingConfig", "function_calling_config");
    if (json_string_is(json_get(config, "mode"), "NONE"))
        return SLICE_NONE;
    struct slice allowed =
        first_of(gemini_get(config, "allowedFunctionNames", "allowed_function_names"));
    if (json_type(allowed) == JSON_STRING)
        return allowed;
    struct slice functions =
        gemini_get(first_of(tools), "functionDeclarations", "function_declarations");
    return wire_only(json_get(first_of(functions), "name"), JSON_STRING);
}

enum wire_answer gemini_read_request(struct slice body, struct wire_request *request,
                                     const char **what) {
    struct slice last;
    bool ignored, after_tool = false;
    *request = (struct wire_request){.max_tokens = -1, .stream_usage = true};
    if (json_type(body) != JSON_OBJECT)
        return wire_not_mine(what, "Invalid JSON payload received. Expected an object.");
    if (read_contents(json_get(body, "contents"), request, &after_tool, what) != WIRE_OK)
        return WIRE_NOT_MINE;
    read_parts(gemini_get(body, "systemInstruction", "system_instruction"), request, &last,
               &ignored);
    struct slice config = gemini_get(body, "generationConfig", "generation_config");
    request->max_tokens = wire_count(gemini_get(config, "maxOutputTokens", "max_output_tokens"));
    if (!after_tool)
        request->tool_name =
            function_wanted(json_get(body, "tools"), gemini_get(body, "toolConfig", "tool_config"));
    return WIRE_OK;
}

// -- answering --

static const char *finish_reason_of(const struct wire_response *r) {
    return strcmp(r->finish_reason, "length") == 0 ? "MAX_TOKENS" : "STOP";
}

// {"candidates":[{"content":{"parts":[  and no more
static void open_reply(struct buf *b) {
    buf_add_str(b, "{\"candidates\":[{\"content\":{\"parts\":[");
}

static void add_usage(struct buf *b, const struct wire_response *r, int64_t output) {
    buf_add_str(b, "{\"promptTokenCount\":");
    buf_add_int(b, r->input_tokens);
    buf_add_str(b, ",\"candidatesTokenCount\":");
    buf_add_int(b, output);
    buf_add_str(b, ",\"totalTokenCount\":");
    buf_add_int(b, r->input_tokens + output);
    if (r->cached_tokens) { // left out where there are none
        buf_add_str(b, ",\"cachedContentTokenCount\":");
        buf_add_int(b, r->cached_tokens);
    }
    buf_add_char(b, '}');
}

static void close_reply(struct buf *b, const struct wire_response *r, const char *finish_reason,
                        int64_t output) {
    buf_add_str(b, "],\"role\":\"model\"}");
    if (finish_reason) {
        buf_add_str(b, ",\"finishReason\":\"");
        buf_add_str(b, finish_reason);
        buf_add_char(b, '"');
    }
    buf_add_str(b, ",\"index\":0}],\"usageMetadata\":");
    add_usage(b, r, output);
    buf_add_str(b, ",\"modelVersion\":");
    buf_add_slice(b, r->model);
    buf_add_str(b, ",\"responseId\":");
    wire_add_id(b, "", r->id);
    buf_add_char(b, '}');
}

// A call with the arguments {"text": the answer's text}.
static void add_call(struct buf *b, const struct wire_response *r) {
    buf_add_str(b, "{\"functionCall\":{\"id\":");
    wire_add_id(b, "call_", r->id);
    buf_add_str(b, ",\"name\":");
    buf_add_slice(b, r->tool_name);
    buf_add_str(b, ",\"args\":{");
    wire_add_member(b, "text", r->text);
    buf_add_str(b, "}}}");
}

static void add_text(struct buf *b, struct slice inside) {
    buf_add_str(b, "{\"text\":\"");
    buf_add_slice(b, inside);
    buf_add_str(b, "\"}");
}

void gemini_build_reply(const struct wire_response *r, struct buf *out) {
    open_reply(out);
    if (r->tool_name.n)
        add_call(out, r);
    else
        add_text(out, wire_inside(r->text));
    close_reply(out, r, finish_reason_of(r), r->output_tokens);
}

// -- answering in pieces: each event is a whole reply, its usage cumulative --

static void open_event(struct buf *b) {
    buf_add_str(b, "data: ");
    open_reply(b);
}

static void close_event(struct buf *b, const struct wire_response *r, bool last, int64_t output) {
    close_reply(b, r, last ? finish_reason_of(r) : NULL, output);
    buf_add_str(b, "\r\n\r\n");
}

void gemini_build_stream(const struct wire_response *r, bool usage, struct buf *out) {
    struct slice rest = r->tool_name.n ? SLICE_NONE : wire_inside(r->text);
    size_t whole = rest.n;
    (void)usage;
    while (rest.n) {
        open_event(out);
        add_text(out, wire_next_piece(&rest));
        close_event(out, r, false, r->output_tokens * (int64_t)(whole - rest.n) / (int64_t)whole);
    }
    open_event(out);
    if (r->tool_name.n)
        add_call(out, r);
    else
        add_text(out, SLICE(""));
    close_event(out, r, true, r->output_tokens);
}
