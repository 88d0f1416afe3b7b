// anthropic_reply.c: Anthropic Messages as the client hears them: replies read. Pure.
// SPDX-License-Identifier: MIT
#include "pool/wire/anthropic.h"

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
    int64_t fresh = wire_count(input), cached = wire_count(read), made = wire_count(output);
    int64_t thought = wire_count(json_get(details, "thinking_tokens"));
    if (cached >= 0)
        usage->cached_tokens = cached;
    if (fresh >= 0)
        usage->input_tokens = fresh + or_zero(cached) + or_zero(wire_count(written));
    if (made >= 0)
        usage->output_tokens = made;
    if (thought >= 0)
        usage->reasoning_tokens = thought;
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
    for (; json_next_element(&walk, &block); call.number++) {
        if (!json_fields(block, fields, COUNT(fields)) || !json_string_is(type, "tool_use") ||
            json_type(call.name) != JSON_STRING)
            continue;
        call.id = wire_only(call.id, JSON_STRING);
        wire_add_call(scratch, start, &call);
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
    reply->reasoning = wire_join_text(&thinking, scratch);
    if (calls)
        reply->tool_calls = slice_of(scratch->p + scratch->n - calls, calls);
    if (reply->text.n <= 2 && !calls && json_string_is(reply->finish_reason, "refusal")) {
        *what = "the provider's policy refuses an answer";
        return WIRE_BLOCKED;
    }
    return WIRE_OK;
}

enum wire_answer anthropic_read_reply(struct slice body, struct buf *scratch, struct reply *reply,
                                      const char **what) {
    struct slice content, stop_reason, usage, model, id;
    const struct json_field fields[] = {
        {"content", &content}, {"stop_reason", &stop_reason}, {"usage", &usage}, {"model", &model},
        {"id", &id},
    };
    *reply = (struct reply){.usage = USAGE_NONE};
    buf_clear(scratch);
    if (!json_fields(body, fields, COUNT(fields)))
        return wire_not_mine(what, "it is no JSON object");
    if (json_type(content) != JSON_ARRAY)
        return wire_not_mine(what, "it has no content");
    reply->model = wire_only(model, JSON_STRING);
    reply->request_id = wire_only(id, JSON_STRING);
    reply->finish_reason = wire_only(stop_reason, JSON_STRING);
    anthropic_read_usage(usage, &reply->usage);
    return read_content(content, scratch, reply, what);
}
