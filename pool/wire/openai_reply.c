// openai_reply.c: OpenAI chat completions as the client hears them: replies read, whole and
// as events. Pure.
// SPDX-License-Identifier: MIT
#include "pool/wire/openai.h"

#include "pool/signals/finish_reason.h"
#include "pool/signals/signals.h"
#include "pool/wire/stream.h"

#include <stddef.h>

struct usage_tokens {
    struct slice input, output, total, cached, reasoning, input_details, output_details;
    struct slice written, newer_input, newer_output, newer_in_details, newer_out_details;
    struct slice hit, plain_cached, plain_reasoning;
};

#define IN(member) offsetof(struct usage_tokens, member)

static const struct json_place in_input[] = {JSON_PLACE("cached_tokens", IN(cached), NULL),
                                             JSON_PLACE("cache_write_tokens", IN(written), NULL),
                                             {0}};
static const struct json_place in_output[] = {JSON_PLACE("reasoning_tokens", IN(reasoning), NULL),
                                              {0}};
static const struct json_place in_usage[] = {
    JSON_PLACE("prompt_tokens", IN(input), NULL),
    JSON_PLACE("completion_tokens", IN(output), NULL),
    JSON_PLACE("total_tokens", IN(total), NULL),
    JSON_PLACE("prompt_tokens_details", IN(input_details), in_input),
    JSON_PLACE("completion_tokens_details", IN(output_details), in_output),
    // of the responses API
    JSON_PLACE("input_tokens", IN(newer_input), NULL),
    JSON_PLACE("output_tokens", IN(newer_output), NULL),
    JSON_PLACE("input_tokens_details", IN(newer_in_details), in_input),
    JSON_PLACE("output_tokens_details", IN(newer_out_details), in_output),
    JSON_PLACE("prompt_cache_hit_tokens", IN(hit), NULL), // DeepSeek
    JSON_PLACE("cached_tokens", IN(plain_cached), NULL),  // Moonshot
    JSON_PLACE("reasoning_tokens", IN(plain_reasoning), NULL),
    {0},
};

#undef IN

static int64_t either(struct slice one, struct slice other) {
    return wire_tokens(one.n ? one : other);
}

static struct usage usage_of(const struct usage_tokens *t) {
    struct slice cached = t->cached.n ? t->cached : t->hit;
    return (struct usage){.input_tokens = either(t->input, t->newer_input),
                          .output_tokens = either(t->output, t->newer_output),
                          .total_tokens = wire_tokens(t->total),
                          .cached_tokens = either(cached, t->plain_cached),
                          .reasoning_tokens = either(t->reasoning, t->plain_reasoning),
                          .cache_write_tokens = wire_tokens(t->written)};
}

// An answer's tokens, as far as anybody asks for them.
struct tokens {
    struct usage_tokens counts; // first, so that in_usage leads there
    struct slice choices, choice, finish_reason, text;
    struct slice message, content, tool_calls, reasoning, other_reasoning, refusal;
    struct slice function_call, audio, details, choice_usage;
    struct slice usage, model, id, object, output;
    struct slice error, choice_error, base_resp;
};

#define IN(member) offsetof(struct tokens, member)

static const struct json_place in_message[] = {
    JSON_PLACE("content", IN(content), NULL),
    JSON_PLACE("tool_calls", IN(tool_calls), NULL),
    JSON_PLACE("reasoning_content", IN(reasoning), NULL),
    JSON_PLACE("reasoning", IN(other_reasoning), NULL),
    JSON_PLACE("refusal", IN(refusal), NULL),
    JSON_PLACE("function_call", IN(function_call), NULL),
    JSON_PLACE("audio", IN(audio), NULL),
    JSON_PLACE("reasoning_details", IN(details), NULL),
    {0},
};
static const struct json_place in_choice[] = {
    JSON_PLACE("message", IN(message), in_message),
    JSON_PLACE("finish_reason", IN(finish_reason), NULL),
    JSON_PLACE("text", IN(text), NULL),
    JSON_PLACE("error", IN(choice_error), NULL),
    JSON_PLACE("usage", IN(choice_usage), NULL),
    {0},
};
static const struct json_place in_choices[] = {JSON_PLACE("0", IN(choice), in_choice), {0}};
static const struct json_place in_answer[] = {
    JSON_PLACE("choices", IN(choices), in_choices),
    JSON_PLACE("usage", IN(usage), in_usage),
    JSON_PLACE("model", IN(model), NULL),
    JSON_PLACE("id", IN(id), NULL),
    JSON_PLACE("object", IN(object), NULL),
    JSON_PLACE("error", IN(error), NULL),
    JSON_PLACE("base_resp", IN(base_resp), NULL),
    JSON_PLACE("output", IN(output), NULL),
    {0},
};

#undef IN

// Whether a call is as OpenAI shapes it, so that its bytes can be handed on.
static bool is_plain_call(struct slice call) {
    struct slice id, function, name, arguments;
    const struct json_field fields[] = {{"id", &id}, {"function", &function}};
    const struct json_field inner[] = {{"name", &name}, {"arguments", &arguments}};
    json_fields(call, fields, COUNT(fields));
    if (!function.n)
        return true; // of another type
    json_fields(function, inner, COUNT(inner));
    return wire_words(id).n && wire_words(name).n && json_type(arguments) == JSON_STRING;
}

static bool are_plain_calls(struct slice calls) {
    struct json_walk walk = json_walk(calls);
    struct slice call;
    while (json_next_element(&walk, &call))
        if (!is_plain_call(call))
            return false;
    return true;
}

static bool has_more_choices(const struct tokens *t) {
    if (!t->choice.p)
        return false;
    const char *behind = t->choice.p + t->choice.n, *end = t->choices.p + t->choices.n;
    while (behind < end && *behind != ',' && *behind != ']')
        behind++;
    return behind < end && *behind == ',';
}

// What takes more than a look at a few tokens is read as a stream of one event, so that the two readers
// cannot disagree.
static bool is_in_parts(const struct tokens *t) {
    bool thoughts = wire_words(t->reasoning).n || wire_words(t->other_reasoning).n;
    return json_type(t->content) == JSON_ARRAY || json_type(t->content) == JSON_OBJECT ||
           json_type(t->function_call) == JSON_OBJECT ||
           (json_type(t->details) == JSON_ARRAY && !thoughts) ||
           (t->tool_calls.n && !are_plain_calls(t->tool_calls)) || has_more_choices(t);
}

static enum wire_answer read_message(const struct tokens *t, struct reply *reply,
                                     const char **what) {
    reply->tool_calls = wire_only(t->tool_calls, JSON_ARRAY);
    if (reply->tool_calls.n && wire_is_empty(reply->tool_calls))
        reply->tool_calls = SLICE_NONE;
    reply->reasoning = wire_words(t->reasoning);
    if (!reply->reasoning.n)
        reply->reasoning = wire_words(t->other_reasoning);
    reply->refusal = wire_words(t->refusal);
    reply->audio = wire_only(t->audio, JSON_OBJECT);
    reply->text = wire_only(t->content, JSON_STRING);
    if (reply->text.n || json_type(t->content) == JSON_NULL || wire_says_something(reply))
        return WIRE_OK;
    return wire_not_mine(what, t->content.n ? "its message's content is no text"
                                            : "its message has no content");
}

// Without a message it may still say why it ended.
static enum wire_answer read_choice(const struct tokens *t, struct reply *reply,
                                    const char **what) {
    enum wire_answer answer = WIRE_OK;
    if (json_type(t->choice) != JSON_OBJECT)
        return wire_not_mine(what, "it holds no choice");
    reply->finish_reason = wire_reason(t->finish_reason);
    if (json_type(t->message) == JSON_OBJECT)
        answer = read_message(t, reply, what);
    else if (json_type(t->text) == JSON_STRING)
        reply->text = t->text; // the older /completions
    else
        answer = wire_not_mine(what, "its first choice holds no message");
    if (wire_is_blocked(reply)) {
        *what = "the provider's policy held the answer back";
        return WIRE_BLOCKED;
    }
    bool says_why = signals_finish_reason(reply->finish_reason) != FINISH_GOOD;
    return says_why || reply->error.n ? WIRE_OK : answer;
}

static struct slice error_of(const struct tokens *t) {
    if (wire_is_error(t->error))
        return t->error;
    if (wire_is_error(t->choice_error))
        return t->choice_error;
    return t->base_resp.n ? t->base_resp : SLICE_NONE; // good or bad: that is looked up
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
    reply->error = error_of(&t);
    if (json_type(t.usage) == JSON_OBJECT)
        reply->usage = usage_of(&t.counts);
    else if (json_type(t.choice_usage) == JSON_OBJECT)
        openai_read_usage(t.choice_usage, &reply->usage);
    if (json_type(t.choices) == JSON_ARRAY)
        return is_in_parts(&t) ? wire_in_parts(what) : read_choice(&t, reply, what);
    if (json_string_is(t.object, "response") || json_type(t.output) == JSON_ARRAY)
        return wire_in_parts(what);
    if (json_string_is(t.object, "list")) // embeddings
        return WIRE_OK;
    return wire_not_mine(what, "it has no choices");
}

// -- events --

// NVIDIA sends usage with many events, others with the last; it never shrinks.
void openai_read_usage(struct slice token, struct usage *usage) {
    struct usage_tokens t;
    if (json_type(token) != JSON_OBJECT || !json_check_places(token, in_usage, &t))
        return;
    struct usage now = usage_of(&t);
    wire_usage_max(usage, &now);
}

static void take_call(struct wire_stream *s, struct slice piece) {
    struct slice index, id, function, custom, extra, arguments = SLICE_NONE;
    struct wire_call call = {0};
    const struct json_field fields[] = {{"index", &index},
                                        {"id", &id},
                                        {"function", &function},
                                        {"custom", &custom},
                                        {"extra_content", &extra}};
    json_fields(piece, fields, COUNT(fields));
    call.custom = json_type(custom) == JSON_OBJECT;
    const struct json_field inner[] = {{"name", &call.name},
                                       {call.custom ? "input" : "arguments", &arguments}};
    json_fields(call.custom ? custom : function, inner, COUNT(inner));
    int64_t place = wire_count(index);
    call.unplaced = place < 0;
    call.number = place < 0 ? 0 : (size_t)place;
    call.id = wire_words(id);
    call.name = wire_words(call.name);
    call.arguments = wire_inside(wire_only(arguments, JSON_STRING));
    call.input = wire_only(arguments, JSON_OBJECT);
    call.signature = wire_words(json_get(json_get(extra, "google"), "thought_signature"));
    stream_add_call(s, &call);
}

// The way of calling before there were several tools.
static void take_function(struct wire_stream *s, struct slice function) {
    struct slice arguments;
    struct wire_call call = {0};
    const struct json_field fields[] = {{"name", &call.name}, {"arguments", &arguments}};
    if (!json_fields(function, fields, COUNT(fields)))
        return;
    call.name = wire_words(call.name);
    call.arguments = wire_inside(wire_only(arguments, JSON_STRING));
    call.input = wire_only(arguments, JSON_OBJECT);
    stream_add_call(s, &call);
}

// -- content in parts: Mistral's reasoning models, gateways, the responses API --

static bool is_text_part(struct slice type) {
    return !type.n || json_string_is(type, "text") || json_string_is(type, "output_text");
}

static void take_thoughts(struct wire_stream *s, struct slice thoughts) {
    struct json_walk walk = json_walk(thoughts);
    struct slice thought;
    stream_add_reasoning(s, thoughts);
    if (json_type(thoughts) == JSON_ARRAY)
        while (json_next_element(&walk, &thought))
            stream_add_reasoning(s, json_type(thought) == JSON_STRING ? thought
                                                                      : json_get(thought, "text"));
}

static void take_part(struct wire_stream *s, struct slice part) {
    struct slice type, text, thinking, reasoning, refusal;
    const struct json_field fields[] = {{"type", &type},
                                        {"text", &text},
                                        {"thinking", &thinking},
                                        {"reasoning", &reasoning},
                                        {"refusal", &refusal}};
    if (json_type(part) == JSON_STRING)
        stream_add_text(s, part);
    if (!json_fields(part, fields, COUNT(fields)))
        return;
    if (is_text_part(type))
        stream_add_text(s, text);
    else if (json_string_is(type, "thinking"))
        take_thoughts(s, thinking);
    else if (json_string_is(type, "reasoning") || json_string_is(type, "reasoning_text"))
        take_thoughts(s, reasoning.n ? reasoning : text);
    else if (json_string_is(type, "refusal"))
        stream_add_refusal(s, refusal);
}

void openai_take_content(struct wire_stream *s, struct slice content) {
    struct json_walk walk = json_walk(wire_only(content, JSON_ARRAY));
    struct slice part;
    if (json_type(content) != JSON_ARRAY)
        take_part(s, content);
    while (json_next_element(&walk, &part))
        take_part(s, part);
}

// OpenRouter's reasoning_details, where the same does not stand in reasoning.
static void take_details(struct wire_stream *s, struct slice details) {
    struct json_walk walk = json_walk(wire_only(details, JSON_ARRAY));
    struct slice detail, text, summary;
    const struct json_field fields[] = {{"text", &text}, {"summary", &summary}};
    while (json_next_element(&walk, &detail)) {
        json_fields(detail, fields, COUNT(fields));
        stream_add_reasoning(s, wire_words(text).n ? text : summary);
    }
}

static void take_delta(struct wire_stream *s, struct slice delta) {
    struct slice content, tool_calls, reasoning, other_reasoning, refusal, call;
    struct slice function_call, audio, details;
    const struct json_field fields[] = {
        {"content", &content}, {"tool_calls", &tool_calls},     {"reasoning_content", &reasoning},
        {"refusal", &refusal}, {"reasoning", &other_reasoning}, {"function_call", &function_call},
        {"audio", &audio},     {"reasoning_details", &details},
    };
    if (!json_fields(delta, fields, COUNT(fields)))
        return;
    struct slice thoughts = wire_words(reasoning).n ? reasoning : wire_words(other_reasoning);
    openai_take_content(s, content);
    if (thoughts.n)
        stream_add_reasoning(s, thoughts);
    else
        take_details(s, details);
    stream_add_refusal(s, refusal);
    stream_add_audio(s, audio);
    take_function(s, function_call);
    struct json_walk walk = json_walk(wire_only(tool_calls, JSON_ARRAY));
    while (json_next_element(&walk, &call))
        take_call(s, call);
}

// In a whole answer the message, else what is new of it. False: it is an error.
static bool take_choice(struct wire_stream *s, struct slice choice, int64_t place) {
    struct slice delta, message, text, finish_reason, index, error, usage;
    const struct json_field fields[] = {{"delta", &delta}, {"message", &message},
                                        {"text", &text},   {"finish_reason", &finish_reason},
                                        {"index", &index}, {"error", &error},
                                        {"usage", &usage}};
    if (!json_fields(choice, fields, COUNT(fields)))
        return true;
    int64_t number = wire_count(index);
    if (wire_is_error(error))
        return false;
    if (!stream_choose(s, number < 0 ? place : number))
        return true;
    take_delta(s, json_type(delta) == JSON_OBJECT ? delta : message);
    stream_add_text(s, text); // the older /completions
    stream_set_finish_reason(s, finish_reason);
    openai_read_usage(usage, &s->usage); // Moonshot
    return true;
}

static bool take_choices(struct wire_stream *s, struct slice choices) {
    struct json_walk walk = json_walk(wire_only(choices, JSON_ARRAY));
    struct slice choice;
    for (int64_t place = 0; json_next_element(&walk, &choice); place++)
        if (!take_choice(s, choice, place))
            return false;
    return true;
}

void openai_read_event(struct wire_stream *s, struct slice name, struct slice data) {
    struct slice choices, usage, model, id, error, groq, type, object, output;
    const struct json_field fields[] = {
        {"choices", &choices}, {"usage", &usage},   {"model", &model},
        {"id", &id},           {"error", &error},   {"x_groq", &groq},
        {"type", &type},       {"object", &object}, {"output", &output},
    };
    json_fields(data, fields, COUNT(fields));
    bool odd = json_type(choices) != JSON_ARRAY && json_type(usage) != JSON_OBJECT && !type.n;
    if (slice_is(name, "error") || wire_is_error(error) || json_string_is(type, "error") ||
        (odd && signals_find_error(data, NULL))) {
        stream_set_error(s, data);
        return;
    }
    if (slice_starts(type, "\"response.")) {
        responses_read_event(s, type, data);
        return;
    }
    stream_set_names(s, model, id);
    openai_read_usage(usage, &s->usage);
    openai_read_usage(json_get(groq, "usage"), &s->usage);
    if (json_type(choices) != JSON_ARRAY &&
        (json_string_is(object, "response") || json_type(output) == JSON_ARRAY))
        responses_take_whole(s, data);
    else if (!take_choices(s, choices))
        stream_set_error(s, data);
}
