// openai_reply.c: OpenAI chat completions as the client hears them: replies read. Pure.
// SPDX-License-Identifier: MIT
#include "pool/wire/openai.h"

static void read_usage(struct slice token, struct usage *usage) {
    struct slice input, output, total, input_details, output_details;
    const struct json_field fields[] = {
        {"prompt_tokens", &input},
        {"completion_tokens", &output},
        {"total_tokens", &total},
        {"prompt_tokens_details", &input_details},
        {"completion_tokens_details", &output_details},
    };
    json_fields(token, fields, COUNT(fields));
    usage->input_tokens = wire_count(input);
    usage->output_tokens = wire_count(output);
    usage->total_tokens = wire_count(total);
    usage->cached_tokens = wire_count(json_get(input_details, "cached_tokens"));
    usage->reasoning_tokens = wire_count(json_get(output_details, "reasoning_tokens"));
}

static struct slice join_parts(struct slice parts, struct buf *scratch) {
    struct json_walk walk = json_walk(parts);
    struct wire_join join = {0};
    struct slice part;
    while (json_next_element(&walk, &part))
        wire_join_add(&join, scratch, openai_part_text(part));
    wire_join_close(&join, scratch);
    return wire_join_text(&join, scratch);
}

static enum wire_answer read_message(struct slice message, struct buf *scratch, struct reply *reply,
                                     const char **what) {
    struct slice content, tool_calls, reasoning, other_reasoning, refusal;
    const struct json_field fields[] = {
        {"content", &content}, {"tool_calls", &tool_calls},     {"reasoning_content", &reasoning},
        {"refusal", &refusal}, {"reasoning", &other_reasoning},
    };
    if (!json_fields(message, fields, COUNT(fields)))
        return wire_not_mine(what, "its first choice holds no message");
    reply->tool_calls = wire_only(tool_calls, JSON_ARRAY);
    if (reply->tool_calls.n && wire_is_empty(reply->tool_calls))
        reply->tool_calls = SLICE_NONE;
    reply->reasoning = wire_only(reasoning, JSON_STRING);
    if (!reply->reasoning.n)
        reply->reasoning = wire_only(other_reasoning, JSON_STRING);
    reply->refusal = wire_only(refusal, JSON_STRING);
    switch (json_type(content)) {
    case JSON_STRING: reply->text = content; break;
    case JSON_ARRAY: reply->text = join_parts(content, scratch); break;
    case JSON_NULL: break;
    case JSON_ABSENT:
        if (reply->tool_calls.n || reply->reasoning.n || reply->refusal.n)
            break;
        return wire_not_mine(what, "its message has no content");
    default: return wire_not_mine(what, "its message's content is no text");
    }
    if (scratch->failed)
        return wire_not_mine(what, "its text is too large");
    return WIRE_OK;
}

// Azure and Z.AI say so in the finish reason, of an answer without words.
static bool is_blocked(const struct reply *reply) {
    return reply->text.n <= 2 && !reply->tool_calls.n && !reply->refusal.n &&
           (json_string_is(reply->finish_reason, "content_filter") ||
            json_string_is(reply->finish_reason, "sensitive"));
}

static enum wire_answer read_choice(struct slice choices, struct buf *scratch, struct reply *reply,
                                    const char **what) {
    struct json_walk walk = json_walk(wire_only(choices, JSON_ARRAY));
    struct slice choice = SLICE_NONE, message, finish_reason, text;
    const struct json_field fields[] = {
        {"message", &message}, {"finish_reason", &finish_reason}, {"text", &text}};
    if (!json_next_element(&walk, &choice) || !json_fields(choice, fields, COUNT(fields)))
        return wire_not_mine(what, "it holds no choice");
    reply->finish_reason = wire_only(finish_reason, JSON_STRING);
    if (json_type(message) != JSON_OBJECT && json_type(text) == JSON_STRING) {
        reply->text = text; // the older /completions
        return WIRE_OK;
    }
    enum wire_answer answer = read_message(message, scratch, reply, what);
    if (answer != WIRE_OK || !is_blocked(reply))
        return answer;
    *what = "the provider's policy held the answer back";
    return WIRE_BLOCKED;
}

enum wire_answer openai_read_reply(struct slice body, struct buf *scratch, struct reply *reply,
                                   const char **what) {
    struct slice choices, usage, model, id, object;
    const struct json_field fields[] = {
        {"choices", &choices}, {"usage", &usage},   {"model", &model},
        {"id", &id},           {"object", &object},
    };
    *reply = (struct reply){.usage = USAGE_NONE};
    buf_clear(scratch);
    if (!json_fields(body, fields, COUNT(fields)))
        return wire_not_mine(what, "it is no JSON object");
    reply->model = wire_only(model, JSON_STRING);
    reply->request_id = wire_only(id, JSON_STRING);
    read_usage(usage, &reply->usage);
    if (json_type(choices) == JSON_ARRAY)
        return read_choice(choices, scratch, reply, what);
    if (json_string_is(object, "list")) // embeddings
        return WIRE_OK;
    return wire_not_mine(what, "it has no choices");
}
