// openai_reply.c: OpenAI chat completions as the client hears them: replies read, whole and
// as events. Pure.
// SPDX-License-Identifier: MIT
#include "pool/wire/openai.h"

#include "pool/wire/stream.h"

#include <stddef.h>

struct usage_tokens {
    struct slice input, output, total, cached, reasoning, input_details, output_details;
};

#define IN(member) offsetof(struct usage_tokens, member)

static const struct json_place in_input[] = {JSON_PLACE("cached_tokens", IN(cached), NULL), {0}};
static const struct json_place in_output[] = {JSON_PLACE("reasoning_tokens", IN(reasoning), NULL),
                                              {0}};
static const struct json_place in_usage[] = {
    JSON_PLACE("prompt_tokens", IN(input), NULL),
    JSON_PLACE("completion_tokens", IN(output), NULL),
    JSON_PLACE("total_tokens", IN(total), NULL),
    JSON_PLACE("prompt_tokens_details", IN(input_details), in_input),
    JSON_PLACE("completion_tokens_details", IN(output_details), in_output),
    {0},
};

#undef IN

static struct usage usage_of(const struct usage_tokens *t) {
    return (struct usage){.input_tokens = wire_tokens(t->input),
                          .output_tokens = wire_tokens(t->output),
                          .total_tokens = wire_tokens(t->total),
                          .cached_tokens = wire_tokens(t->cached),
                          .reasoning_tokens = wire_tokens(t->reasoning)};
}

// An answer's tokens, as far as anybody asks for them.
struct tokens {
    struct usage_tokens counts; // first, so that in_usage leads there
    struct slice choices, choice, finish_reason, text;
    struct slice message, content, tool_calls, reasoning, other_reasoning, refusal;
    struct slice usage, model, id, object;
};

#define IN(member) offsetof(struct tokens, member)

static const struct json_place in_message[] = {
    JSON_PLACE("content", IN(content), NULL),
    JSON_PLACE("tool_calls", IN(tool_calls), NULL),
    JSON_PLACE("reasoning_content", IN(reasoning), NULL),
    JSON_PLACE("reasoning", IN(other_reasoning), NULL),
    JSON_PLACE("refusal", IN(refusal), NULL),
    {0},
};
static const struct json_place in_choice[] = {
    JSON_PLACE("message", IN(message), in_message),
    JSON_PLACE("finish_reason", IN(finish_reason), NULL),
    JSON_PLACE("text", IN(text), NULL),
    {0},
};
static const struct json_place in_choices[] = {JSON_PLACE("0", IN(choice), in_choice), {0}};
static const struct json_place in_answer[] = {
    JSON_PLACE("choices", IN(choices), in_choices), JSON_PLACE("usage", IN(usage), in_usage),
    JSON_PLACE("model", IN(model), NULL),           JSON_PLACE("id", IN(id), NULL),
    JSON_PLACE("object", IN(object), NULL),         {0},
};

#undef IN

static struct slice join_parts(struct slice parts, struct buf *scratch) {
    struct json_walk walk = json_walk(parts);
    struct wire_join join = {0};
    struct slice part;
    while (json_next_element(&walk, &part))
        wire_join_add(&join, scratch, openai_part_text(part));
    wire_join_close(&join, scratch);
    return wire_join_text(&join, scratch);
}

static enum wire_answer read_message(const struct tokens *t, struct buf *scratch,
                                     struct reply *reply, const char **what) {
    if (json_type(t->message) != JSON_OBJECT)
        return wire_not_mine(what, "its first choice holds no message");
    reply->tool_calls = wire_only(t->tool_calls, JSON_ARRAY);
    if (reply->tool_calls.n && wire_is_empty(reply->tool_calls))
        reply->tool_calls = SLICE_NONE;
    reply->reasoning = wire_only(t->reasoning, JSON_STRING);
    if (!reply->reasoning.n)
        reply->reasoning = wire_only(t->other_reasoning, JSON_STRING);
    reply->refusal = wire_only(t->refusal, JSON_STRING);
    switch (json_type(t->content)) {
    case JSON_STRING: reply->text = t->content; break;
    case JSON_ARRAY: reply->text = join_parts(t->content, scratch); break;
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

static enum wire_answer read_choice(const struct tokens *t, struct buf *scratch,
                                    struct reply *reply, const char **what) {
    if (json_type(t->choice) != JSON_OBJECT)
        return wire_not_mine(what, "it holds no choice");
    reply->finish_reason = wire_only(t->finish_reason, JSON_STRING);
    if (json_type(t->message) != JSON_OBJECT && json_type(t->text) == JSON_STRING) {
        reply->text = t->text; // the older /completions
        return WIRE_OK;
    }
    enum wire_answer answer = read_message(t, scratch, reply, what);
    if (answer != WIRE_OK || !wire_is_blocked(reply))
        return answer;
    *what = "the provider's policy held the answer back";
    return WIRE_BLOCKED;
}

enum wire_answer openai_read_reply(struct slice body, struct buf *scratch, struct reply *reply,
                                   const char **what) {
    struct tokens t;
    *reply = (struct reply){.usage = USAGE_NONE};
    buf_clear(scratch);
    if (!json_check_places(body, in_answer, &t))
        return wire_no_object(body, what);
    reply->model = wire_only(t.model, JSON_STRING);
    reply->request_id = wire_only(t.id, JSON_STRING);
    if (json_type(t.usage) == JSON_OBJECT)
        reply->usage = usage_of(&t.counts);
    if (json_type(t.choices) == JSON_ARRAY)
        return read_choice(&t, scratch, reply, what);
    if (json_string_is(t.object, "list")) // embeddings
        return WIRE_OK;
    return wire_not_mine(what, "it has no choices");
}

// -- events --

static int64_t larger(int64_t a, int64_t b) {
    return a > b ? a : b;
}

// NVIDIA sends usage with many events, others with the last; it never shrinks.
static void take_usage(struct wire_stream *s, struct slice token) {
    struct usage_tokens t;
    struct usage now, *kept = &s->usage;
    if (!json_check_places(token, in_usage, &t))
        return;
    now = usage_of(&t);
    kept->input_tokens = larger(kept->input_tokens, now.input_tokens);
    kept->output_tokens = larger(kept->output_tokens, now.output_tokens);
    kept->total_tokens = larger(kept->total_tokens, now.total_tokens);
    kept->cached_tokens = larger(kept->cached_tokens, now.cached_tokens);
    kept->reasoning_tokens = larger(kept->reasoning_tokens, now.reasoning_tokens);
}

// The pieces of a call carry its place; where a server leaves that out, an id begins the next one.
static void take_call(struct wire_stream *s, struct slice piece) {
    struct slice index, id, function, extra;
    struct wire_call call = {0};
    const struct json_field fields[] = {
        {"index", &index}, {"id", &id}, {"function", &function}, {"extra_content", &extra}};
    const struct json_field inner[] = {{"name", &call.name}, {"arguments", &call.arguments}};
    json_fields(piece, fields, COUNT(fields));
    json_fields(function, inner, COUNT(inner));
    int64_t place = wire_count(index);
    bool fresh = json_type(id) == JSON_STRING && id.n > 2;
    if (place < 0)
        place = (int64_t)s->call_count - (s->call_count && !fresh);
    call.number = (size_t)place;
    call.id = id;
    call.arguments = wire_inside(wire_only(call.arguments, JSON_STRING));
    call.signature = json_get(json_get(extra, "google"), "thought_signature");
    stream_add_call(s, &call);
}

// Mistral's reasoning models send content in parts, thoughts among them.
static void take_parts(struct wire_stream *s, struct slice parts) {
    struct json_walk walk = json_walk(parts), thoughts;
    struct slice part, thought;
    while (json_next_element(&walk, &part)) {
        stream_add_text(s, openai_part_text(part));
        thoughts = json_walk(json_get(part, "thinking"));
        while (json_next_element(&thoughts, &thought))
            stream_add_reasoning(s, openai_part_text(thought));
    }
}

static void take_delta(struct wire_stream *s, struct slice delta) {
    struct slice content, tool_calls, reasoning, other_reasoning, refusal, call;
    const struct json_field fields[] = {
        {"content", &content}, {"tool_calls", &tool_calls},     {"reasoning_content", &reasoning},
        {"refusal", &refusal}, {"reasoning", &other_reasoning},
    };
    json_fields(delta, fields, COUNT(fields));
    if (json_type(content) == JSON_ARRAY)
        take_parts(s, content);
    stream_add_text(s, content);
    stream_add_reasoning(s, json_type(reasoning) == JSON_STRING ? reasoning : other_reasoning);
    stream_add_refusal(s, refusal);
    struct json_walk walk = json_walk(wire_only(tool_calls, JSON_ARRAY));
    while (json_next_element(&walk, &call))
        take_call(s, call);
}

// Only the first of several choices is asked for.
static void take_choice(struct wire_stream *s, struct slice choice) {
    struct slice delta, text, finish_reason, index;
    const struct json_field fields[] = {
        {"delta", &delta}, {"text", &text}, {"finish_reason", &finish_reason}, {"index", &index}};
    json_fields(choice, fields, COUNT(fields));
    if (wire_count(index) > 0)
        return;
    take_delta(s, delta);
    stream_add_text(s, text); // the older /completions
    stream_set_finish_reason(s, finish_reason);
}

void openai_read_event(struct wire_stream *s, struct slice name, struct slice data) {
    struct slice choices, usage, model, id, error, groq, choice;
    const struct json_field fields[] = {
        {"choices", &choices}, {"usage", &usage}, {"model", &model},
        {"id", &id},           {"error", &error}, {"x_groq", &groq},
    };
    json_fields(data, fields, COUNT(fields));
    if (slice_is(name, "error") || json_type(error) == JSON_OBJECT ||
        json_type(error) == JSON_STRING) {
        stream_set_error(s, data);
        return;
    }
    stream_set_names(s, model, id);
    take_usage(s, usage);
    take_usage(s, json_get(groq, "usage"));
    struct json_walk walk = json_walk(wire_only(choices, JSON_ARRAY));
    while (json_next_element(&walk, &choice))
        take_choice(s, choice);
}
