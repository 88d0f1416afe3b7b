// gemini_reply.c: Gemini generateContent as the client hears them: replies read, whole and as
// events. Pure.
// SPDX-License-Identifier: MIT
#include "pool/wire/gemini.h"

#include "pool/signals/finish_reason.h"
#include "pool/signals/signals.h"
#include "pool/wire/stream.h"

struct slice gemini_get(struct slice object, const char *camel, const char *snake) {
    struct slice one, other;
    const struct json_field fields[] = {{camel, &one}, {snake, &other}};
    json_fields(object, fields, COUNT(fields));
    return one.n ? one : other;
}

static int64_t or_zero(int64_t count) {
    return count < 0 ? 0 : count;
}

// Google counts thoughts beside the answer, and what its own tools read beside the prompt; here they
// are part of output and input, so that the sums are the total.
void gemini_read_usage(struct slice token, struct usage *usage) {
    struct slice prompt, tools, candidates, thoughts, total, cached;
    const struct json_field fields[] = {
        {"promptTokenCount", &prompt},         {"toolUsePromptTokenCount", &tools},
        {"candidatesTokenCount", &candidates}, {"thoughtsTokenCount", &thoughts},
        {"totalTokenCount", &total},           {"cachedContentTokenCount", &cached},
    };
    if (!json_fields(token, fields, COUNT(fields)))
        return;
    int64_t asked = wire_tokens(prompt), said = wire_tokens(candidates);
    int64_t thought = wire_tokens(thoughts);
    struct usage now = {
        .input_tokens = asked < 0 ? -1 : asked + or_zero(wire_tokens(tools)),
        .output_tokens = said < 0 && thought < 0 ? -1 : or_zero(said) + or_zero(thought),
        .total_tokens = wire_tokens(total),
        .cached_tokens = wire_tokens(cached),
        .reasoning_tokens = thought,
        .cache_write_tokens = -1,
    };
    wire_usage_max(usage, &now);
}

// The texts of all parts that are thoughts, or of all that are not, as one token.
static struct wire_join join_parts(struct slice parts, struct buf *scratch, bool thoughts) {
    struct json_walk walk = json_walk(parts);
    struct wire_join join = {0};
    struct slice part, text, thought;
    const struct json_field fields[] = {{"text", &text}, {"thought", &thought}};
    while (json_next_element(&walk, &part)) {
        json_fields(part, fields, COUNT(fields));
        if (slice_is(thought, "true") == thoughts)
            wire_join_add(&join, scratch, text);
    }
    wire_join_close(&join, scratch);
    return join;
}

static bool read_call(struct slice part, struct wire_call *call) {
    struct slice function, signature;
    const struct json_field fields[] = {{"functionCall", &function},
                                        {"thoughtSignature", &signature}};
    const struct json_field inner[] = {
        {"id", &call->id}, {"name", &call->name}, {"args", &call->input}};
    json_fields(part, fields, COUNT(fields));
    if (!json_fields(function, inner, COUNT(inner)) || !wire_words(call->name).n)
        return false;
    call->id = wire_words(call->id);
    if (json_type(call->input) != JSON_OBJECT || wire_is_empty(call->input))
        call->input = SLICE("{}");
    call->signature = wire_only(signature, JSON_STRING);
    return true;
}

static size_t add_calls(struct slice parts, struct buf *scratch) {
    struct json_walk walk = json_walk(parts);
    struct wire_call call = {0};
    struct slice part;
    size_t start = scratch->n;
    while (json_next_element(&walk, &part)) {
        if (!read_call(part, &call))
            continue;
        wire_add_call(scratch, start, &call);
        call.number++;
    }
    if (scratch->n > start)
        buf_add_char(scratch, ']');
    return scratch->n - start;
}

// Reasons to end that say by themselves what an empty answer means: thinking took all the tokens, for one.
static bool is_known_end(struct slice reason) {
    return json_string_is(reason, "STOP") || signals_finish_reason(reason) != FINISH_GOOD;
}

static enum wire_answer read_nothing(const struct reply *reply, const char **what) {
    if (wire_is_blocked(reply)) {
        *what = "the provider's policy held the answer back";
        return WIRE_BLOCKED;
    }
    return is_known_end(reply->finish_reason) ? WIRE_OK
                                              : wire_not_mine(what, "its candidate has no content");
}

static enum wire_answer read_candidate(struct slice candidate, struct buf *scratch,
                                       struct reply *reply, const char **what) {
    struct slice content, finish_reason;
    const struct json_field fields[] = {{"content", &content}, {"finishReason", &finish_reason}};
    if (!json_fields(candidate, fields, COUNT(fields)))
        return wire_not_mine(what, "its candidate is no object");
    reply->finish_reason = wire_reason(finish_reason);
    struct slice parts = wire_only(json_get(content, "parts"), JSON_ARRAY);
    struct wire_join text = join_parts(parts, scratch, false);
    struct wire_join thoughts = join_parts(parts, scratch, true);
    size_t calls = add_calls(parts, scratch);
    if (scratch->failed)
        return wire_not_mine(what, "its text is too large");
    reply->text = wire_join_text(&text, scratch);
    reply->reasoning = wire_words(wire_join_text(&thoughts, scratch));
    if (calls)
        reply->tool_calls = slice_of(scratch->p + scratch->n - calls, calls);
    return reply->text.n > 2 || calls ? WIRE_OK : read_nothing(reply, what);
}

enum wire_answer gemini_read_reply(struct slice body, struct buf *scratch, struct reply *reply,
                                   const char **what) {
    struct slice candidates, feedback, usage, model, id, error, candidate, other;
    const struct json_field fields[] = {
        {"candidates", &candidates}, {"promptFeedback", &feedback}, {"usageMetadata", &usage},
        {"modelVersion", &model},    {"responseId", &id},           {"error", &error},
    };
    *reply = (struct reply){.usage = USAGE_NONE};
    buf_clear(scratch);
    if (!json_check_fields(body, fields, COUNT(fields), JSON_MAX_DEPTH - 1))
        return wire_no_object(body, what);
    reply->model = wire_only(model, JSON_STRING);
    reply->request_id = wire_only(id, JSON_STRING);
    gemini_read_usage(usage, &reply->usage);
    reply->error = wire_is_error(error) ? error : SLICE_NONE;
    struct json_walk walk = json_walk(wire_only(candidates, JSON_ARRAY));
    if (json_next_element(&walk, &candidate))
        return json_next_element(&walk, &other) ? wire_in_parts(what)
                                                : read_candidate(candidate, scratch, reply, what);
    reply->finish_reason = wire_only(json_get(feedback, "blockReason"), JSON_STRING);
    if (!reply->finish_reason.n)
        return wire_not_mine(what, "it has no candidates");
    *what = "the provider's policy blocked the prompt";
    return WIRE_BLOCKED;
}

// -- events: each is a whole reply, with what is new of the answer --

static void take_part(struct wire_stream *s, struct slice part) {
    struct slice text, thought;
    struct wire_call call = {.number = stream_call_count(s)};
    const struct json_field fields[] = {{"text", &text}, {"thought", &thought}};
    json_fields(part, fields, COUNT(fields));
    if (slice_is(thought, "true"))
        stream_add_reasoning(s, text);
    else
        stream_add_text(s, text);
    if (read_call(part, &call))
        stream_add_call(s, &call);
}

static void take_candidate(struct wire_stream *s, struct slice candidate, int64_t place) {
    struct slice content, reason, index, part;
    const struct json_field fields[] = {
        {"content", &content}, {"finishReason", &reason}, {"index", &index}};
    json_fields(candidate, fields, COUNT(fields));
    int64_t number = wire_count(index);
    if (!stream_choose(s, number < 0 ? place : number))
        return;
    struct json_walk walk = json_walk(wire_only(json_get(content, "parts"), JSON_ARRAY));
    while (json_next_element(&walk, &part))
        take_part(s, part);
    stream_set_finish_reason(s, reason);
    if (reason.n && !s->began && !is_known_end(reason))
        stream_set_broken(s, "its candidate has no content");
}

void gemini_read_event(struct wire_stream *s, struct slice name, struct slice data) {
    struct slice candidates, feedback, usage, model, id, error, candidate;
    const struct json_field fields[] = {
        {"candidates", &candidates}, {"promptFeedback", &feedback}, {"usageMetadata", &usage},
        {"modelVersion", &model},    {"responseId", &id},           {"error", &error},
    };
    json_fields(data, fields, COUNT(fields));
    bool odd = !candidates.n && !feedback.n && !usage.n;
    if (slice_is(name, "error") || wire_is_error(error) ||
        (odd && signals_find_error(data, NULL))) {
        stream_set_error(s, data);
        return;
    }
    stream_set_names(s, model, id);
    gemini_read_usage(usage, &s->usage);
    struct json_walk walk = json_walk(wire_only(candidates, JSON_ARRAY));
    for (int64_t place = 0; json_next_element(&walk, &candidate); place++)
        take_candidate(s, candidate, place);
    stream_set_blocked(s, json_get(feedback, "blockReason"));
}
