// anthropic_reply.c: Anthropic Messages as the client hears them: replies read, whole and as
// events. Pure.
// SPDX-License-Identifier: MIT
#include "pool/wire/anthropic.h"

#include "pool/signals/finish_reason.h"
#include "pool/signals/signals.h"
#include "pool/wire/stream.h"

static int64_t or_zero(int64_t count) {
    return count < 0 ? 0 : count;
}

// Anthropic counts cached input beside the rest; here, as with everyone else, it is part of it.
void anthropic_read_usage(struct slice token, struct usage *usage) {
    struct slice input, output, read, written, details;
    const struct json_field fields[] = {
        {"input_tokens", &input},
        {"output_tokens", &output},
        {"cache_read_input_tokens", &read},
        {"cache_creation_input_tokens", &written},
        {"output_tokens_details", &details},
    };
    if (!json_fields(token, fields, COUNT(fields)))
        return;
    int64_t fresh = wire_tokens(input), cached = wire_tokens(read), kept = wire_tokens(written);
    struct usage now = {
        // a stream's last event may leave the cached ones out
        .input_tokens = fresh < 0 ? -1 : fresh + or_zero(cached) + or_zero(kept),
        .output_tokens = wire_tokens(output),
        .total_tokens = -1,
        .cached_tokens = cached,
        .reasoning_tokens = wire_tokens(json_get(details, "thinking_tokens")),
        .cache_write_tokens = kept,
    };
    wire_usage_max(usage, &now);
    if (usage->input_tokens >= 0 && usage->output_tokens >= 0)
        usage->total_tokens = usage->input_tokens + usage->output_tokens;
}

// The texts of all blocks of a kind as one token.
static struct wire_join join_blocks(struct slice content, struct buf *scratch, const char *kind) {
    struct json_walk walk = json_walk(content);
    struct wire_join join = {0};
    struct slice block, type, text;
    const struct json_field fields[] = {{"type", &type}, {kind, &text}};
    while (json_next_element(&walk, &block)) {
        json_fields(block, fields, COUNT(fields));
        if (json_string_is(type, kind))
            wire_join_add(&join, scratch, text);
    }
    wire_join_close(&join, scratch);
    return join;
}

// Calls of the caller's tools, in OpenAI's shape; what the provider's own tools did is not a call.
static size_t add_calls(struct slice content, struct buf *scratch) {
    struct json_walk walk = json_walk(content);
    struct slice block, type;
    struct wire_call call = {0};
    const struct json_field fields[] = {
        {"type", &type}, {"id", &call.id}, {"name", &call.name}, {"input", &call.input}};
    size_t start = scratch->n;
    while (json_next_element(&walk, &block)) {
        if (!json_fields(block, fields, COUNT(fields)) || !json_string_is(type, "tool_use") ||
            !wire_words(call.name).n)
            continue;
        call.id = wire_words(call.id);
        if (json_type(call.input) != JSON_OBJECT || wire_is_empty(call.input))
            call.input = SLICE("{}");
        wire_add_call(scratch, start, &call);
        call.number++;
    }
    if (scratch->n > start)
        buf_add_char(scratch, ']');
    return scratch->n - start;
}

static enum wire_answer read_content(struct slice content, struct buf *scratch, struct reply *reply,
                                     const char **what) {
    struct wire_join text = join_blocks(content, scratch, "text");
    struct wire_join thinking = join_blocks(content, scratch, "thinking");
    size_t calls = add_calls(content, scratch);
    if (scratch->failed)
        return wire_not_mine(what, "its text is too large");
    reply->text = wire_join_text(&text, scratch);
    reply->reasoning = wire_words(wire_join_text(&thinking, scratch));
    if (calls)
        reply->tool_calls = slice_of(scratch->p + scratch->n - calls, calls);
    if (!wire_is_blocked(reply))
        return WIRE_OK;
    *what = "the provider's policy refuses an answer";
    return WIRE_BLOCKED;
}

enum wire_answer anthropic_read_reply(struct slice body, struct buf *scratch, struct reply *reply,
                                      const char **what) {
    struct slice content, stop_reason, usage, model, id, error;
    const struct json_field fields[] = {
        {"content", &content}, {"stop_reason", &stop_reason},
        {"usage", &usage},     {"model", &model},
        {"id", &id},           {"error", &error},
    };
    *reply = (struct reply){.usage = USAGE_NONE};
    buf_clear(scratch);
    if (!json_check_fields(body, fields, COUNT(fields), JSON_MAX_DEPTH - 1))
        return wire_no_object(body, what);
    reply->model = wire_only(model, JSON_STRING);
    reply->request_id = wire_only(id, JSON_STRING);
    reply->finish_reason = wire_reason(stop_reason);
    reply->error = wire_is_error(error) ? error : SLICE_NONE;
    anthropic_read_usage(usage, &reply->usage);
    if (json_type(content) != JSON_ARRAY &&
        signals_finish_reason(reply->finish_reason) == FINISH_GOOD)
        return wire_not_mine(what, "it has no content");
    return read_content(content, scratch, reply, what);
}

// -- events --

static void take_start(struct wire_stream *s, struct slice data) {
    struct slice usage, model, id;
    const struct json_field fields[] = {{"usage", &usage}, {"model", &model}, {"id", &id}};
    json_fields(json_get(data, "message"), fields, COUNT(fields));
    stream_set_names(s, model, id);
    anthropic_read_usage(usage, &s->usage);
}

static size_t index_of(struct slice data) {
    int64_t index = wire_count(json_get(data, "index"));
    return index < 0 ? 0 : (size_t)index;
}

static void take_block(struct wire_stream *s, struct slice data) {
    struct slice type, text, thinking;
    struct wire_call call = {0};
    const struct json_field fields[] = {{"type", &type},      {"id", &call.id},
                                        {"name", &call.name}, {"input", &call.input},
                                        {"text", &text},      {"thinking", &thinking}};
    json_fields(json_get(data, "content_block"), fields, COUNT(fields));
    if (json_string_is(type, "text"))
        stream_add_text(s, text);
    if (json_string_is(type, "thinking"))
        stream_add_reasoning(s, thinking);
    if (!json_string_is(type, "tool_use"))
        return;
    call.number = index_of(data);
    call.id = wire_words(call.id);
    call.name = wire_words(call.name);
    if (json_type(call.input) != JSON_OBJECT || wire_is_empty(call.input))
        call.input = SLICE_NONE; // it comes in pieces
    stream_add_call(s, &call);
}

// A piece of a call's input belongs to a call that has begun; the provider's own tools have none.
static void take_input(struct wire_stream *s, size_t index, struct slice json) {
    struct wire_call call = {.number = index,
                             .arguments = wire_inside(wire_only(json, JSON_STRING))};
    if (stream_has_call(s, index))
        stream_add_call(s, &call);
}

static void take_delta(struct wire_stream *s, struct slice data) {
    struct slice type, text, thinking, json;
    const struct json_field fields[] = {
        {"type", &type}, {"text", &text}, {"thinking", &thinking}, {"partial_json", &json}};
    json_fields(json_get(data, "delta"), fields, COUNT(fields));
    if (json_string_is(type, "text_delta"))
        stream_add_text(s, text);
    else if (json_string_is(type, "thinking_delta"))
        stream_add_reasoning(s, thinking);
    else if (json_string_is(type, "input_json_delta"))
        take_input(s, index_of(data), json);
}

static void take_end(struct wire_stream *s, struct slice data) {
    stream_set_finish_reason(s, json_get(json_get(data, "delta"), "stop_reason"));
    anthropic_read_usage(json_get(data, "usage"), &s->usage);
}

static void take_stop(struct wire_stream *s, struct slice data) {
    (void)data;
    s->complete = true;
}

// What is not listed (pings, kinds to come) adds nothing.
void anthropic_read_event(struct wire_stream *s, struct slice name, struct slice data) {
    static const struct {
        const char *type;
        void (*take)(struct wire_stream *s, struct slice data);
    } kinds[] = {
        {"content_block_delta", take_delta}, {"message_start", take_start},
        {"content_block_start", take_block}, {"message_delta", take_end},
        {"message_stop", take_stop},         {"error", stream_set_error},
    };
    struct slice type, error;
    const struct json_field fields[] = {{"type", &type}, {"error", &error}};
    json_fields(data, fields, COUNT(fields));
    if (slice_is(name, "error") || wire_is_error(error) ||
        (!type.n && signals_find_error(data, NULL))) {
        stream_set_error(s, data);
        return;
    }
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (json_string_is(type, kinds[i].type)) {
            kinds[i].take(s, data);
            return;
        }
}
