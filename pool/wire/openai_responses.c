// openai_responses.c: answers of OpenAI's responses API, whole and as events. Pure.
// Source: platform.openai.com/docs/api-reference/responses and responses-streaming.
// SPDX-License-Identifier: MIT
#include "pool/wire/openai.h"

#include "pool/wire/stream.h"

static void take_summary(struct wire_stream *s, struct slice parts) {
    struct json_walk walk = json_walk(wire_only(parts, JSON_ARRAY));
    struct slice part;
    while (json_next_element(&walk, &part))
        stream_add_reasoning(s, json_get(part, "text"));
}

// A call of a function or of a custom tool; calls of the provider's own tools are none.
static void take_call(struct wire_stream *s, struct slice item, bool custom) {
    struct slice id, call_id, arguments;
    struct wire_call call = {.custom = custom, .number = stream_call_count(s)};
    const struct json_field fields[] = {{"id", &id},
                                        {"call_id", &call_id},
                                        {"name", &call.name},
                                        {custom ? "input" : "arguments", &arguments}};
    json_fields(item, fields, COUNT(fields));
    call.id = wire_words(call_id).n ? call_id : wire_words(id);
    call.name = wire_words(call.name);
    call.arguments = wire_inside(wire_only(arguments, JSON_STRING));
    call.input = wire_only(arguments, JSON_OBJECT);
    stream_add_call(s, &call);
}

static void take_item(struct wire_stream *s, struct slice item) {
    struct slice type, content, summary;
    const struct json_field fields[] = {
        {"type", &type}, {"content", &content}, {"summary", &summary}};
    if (!json_fields(item, fields, COUNT(fields)))
        return;
    if (json_string_is(type, "message")) {
        openai_take_content(s, content);
    } else if (json_string_is(type, "reasoning")) {
        take_summary(s, summary);
        take_summary(s, content);
    } else if (json_string_is(type, "function_call")) {
        take_call(s, item, false);
    } else if (json_string_is(type, "custom_tool_call")) {
        take_call(s, item, true);
    }
}

// Why it is incomplete, else its status: "completed", "failed".
static struct slice reason_of(struct slice status, struct slice details) {
    struct slice reason = wire_words(json_get(details, "reason"));
    return reason.n ? reason : wire_words(status);
}

void responses_take_whole(struct wire_stream *s, struct slice response) {
    struct slice output, status, details, usage, model, id, error, item;
    const struct json_field fields[] = {
        {"output", &output}, {"status", &status}, {"incomplete_details", &details},
        {"usage", &usage},   {"model", &model},   {"id", &id},
        {"error", &error},
    };
    json_fields(response, fields, COUNT(fields));
    if (wire_is_error(error)) {
        stream_set_error(s, response);
        return;
    }
    struct json_walk walk = json_walk(wire_only(output, JSON_ARRAY));
    while (json_next_element(&walk, &item))
        take_item(s, item);
    stream_set_names(s, model, id);
    openai_read_usage(usage, &s->usage);
    stream_set_finish_reason(s, reason_of(status, details));
}

// The whole response comes last. What came before in pieces matters where a server leaves its output out.
static void take_end(struct wire_stream *s, struct slice data) {
    struct slice response = json_get(data, "response");
    struct slice output = wire_only(json_get(response, "output"), JSON_ARRAY);
    s->complete = true;
    if (output.n && !wire_is_empty(output) && !wire_is_error(json_get(response, "error")))
        stream_set_whole(s, response);
    else
        responses_take_whole(s, response);
    openai_read_usage(json_get(response, "usage"), &s->usage);
}

static void take_piece(struct wire_stream *s, struct slice data) {
    stream_add_text(s, json_get(data, "delta"));
}

static void take_thought(struct wire_stream *s, struct slice data) {
    stream_add_reasoning(s, json_get(data, "delta"));
}

static void take_refusal(struct wire_stream *s, struct slice data) {
    stream_add_refusal(s, json_get(data, "delta"));
}

// A call is taken when it is whole.
static void take_done(struct wire_stream *s, struct slice data) {
    struct slice item = json_get(data, "item");
    if (json_string_is(json_get(item, "type"), "function_call"))
        take_call(s, item, false);
    else if (json_string_is(json_get(item, "type"), "custom_tool_call"))
        take_call(s, item, true);
}

static void take_argument(struct wire_stream *s, struct slice data) {
    s->began |= wire_words(json_get(data, "delta")).n > 0;
}

// What is not listed adds nothing.
void responses_read_event(struct wire_stream *s, struct slice type, struct slice data) {
    static const struct {
        const char *type;
        void (*take)(struct wire_stream *s, struct slice data);
    } kinds[] = {
        {"response.output_text.delta", take_piece},
        {"response.reasoning_summary_text.delta", take_thought},
        {"response.reasoning_text.delta", take_thought},
        {"response.refusal.delta", take_refusal},
        {"response.function_call_arguments.delta", take_argument},
        {"response.output_item.done", take_done},
        {"response.completed", take_end},
        {"response.incomplete", take_end},
        {"response.failed", take_end},
        {"response.cancelled", take_end},
    };
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (json_string_is(type, kinds[i].type)) {
            kinds[i].take(s, data);
            return;
        }
}
