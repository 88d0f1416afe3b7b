// conversation.c: reads messages of OpenAI's shape for wires that speak another. Pure.
// SPDX-License-Identifier: MIT
#include "pool/wire/conversation.h"

#include <strings.h>

static bool refuse(const char **what, const char *text) {
    *what = text;
    return false;
}

// -- the parts of a message's content --

static bool starts_alike(struct slice s, struct slice prefix) {
    return s.n >= prefix.n && strncasecmp(s.p, prefix.p, prefix.n) == 0;
}

// "data:image/png;base64,…". Base64 has no characters that JSON escapes but the slash, and \/ means
// the same wherever it is put; so the bytes are passed on as they stand.
static bool read_data(struct slice uri, struct part *part, const char **what) {
    static const struct slice base64 = {";base64", 7};
    const char *comma = memchr(uri.p, ',', uri.n);
    struct slice head = slice_of(uri.p, comma ? (size_t)(comma - uri.p) : 0);
    size_t type_end = head.n < base64.n ? 0 : head.n - base64.n;
    if (!type_end || !starts_alike(slice_of(head.p + type_end, base64.n), base64))
        return refuse(what, "a data URI in its messages is not \"data:TYPE;base64,…\"");
    const char *semicolon = memchr(head.p, ';', head.n);
    part->kind = PART_DATA;
    part->mime = slice_of(head.p + 5, (size_t)(semicolon - head.p) - 5);
    part->data = slice_of(comma + 1, (size_t)(uri.p + uri.n - comma) - 1);
    return part->mime.n || refuse(what, "a data URI in its messages names no type");
}

static bool read_address(struct slice url, struct part *part, const char **what) {
    if (json_type(url) != JSON_STRING)
        return refuse(what, "an image in its messages has no url");
    if (starts_alike(wire_inside(url), SLICE("data:")))
        return read_data(wire_inside(url), part, what);
    part->kind = PART_URL;
    part->url = url;
    return true;
}

static bool read_text(struct slice part_token, struct part *part, const char **what) {
    part->kind = PART_TEXT;
    part->text = wire_only(json_get(part_token, "text"), JSON_STRING);
    return part->text.n || refuse(what, "a text part of its messages holds no text");
}

static bool read_refusal(struct slice part_token, struct part *part, const char **what) {
    part->kind = PART_TEXT;
    part->text = wire_only(json_get(part_token, "refusal"), JSON_STRING);
    return part->text.n || refuse(what, "a refusal in its messages holds no text");
}

static bool read_image(struct slice part_token, struct part *part, const char **what) {
    struct slice image = json_get(part_token, "image_url");
    return read_address(json_type(image) == JSON_STRING ? image : json_get(image, "url"), part,
                        what);
}

static bool read_file(struct slice part_token, struct part *part, const char **what) {
    struct slice data = json_get(json_get(part_token, "file"), "file_data");
    if (json_type(data) != JSON_STRING)
        return refuse(what, "a file in its messages is not given by its data: a file_id is known "
                            "to its own provider only");
    return read_address(data, part, what);
}

static bool read_audio(struct slice part_token, struct part *part, const char **what) {
    struct slice format, data;
    const struct json_field fields[] = {{"format", &format}, {"data", &data}};
    json_fields(json_get(part_token, "input_audio"), fields, COUNT(fields));
    part->kind = PART_DATA;
    part->mime = json_string_is(format, "wav") ? SLICE("audio/wav") : SLICE("audio/mp3");
    part->data = wire_inside(wire_only(data, JSON_STRING));
    return part->data.n || refuse(what, "an audio part of its messages holds no data");
}

static const struct {
    const char *type;
    bool (*read)(struct slice token, struct part *part, const char **what);
} part_types[] = {
    {"text", read_text}, {"image_url", read_image},   {"refusal", read_refusal},
    {"file", read_file}, {"input_audio", read_audio},
};

static bool read_part(struct slice token, struct part *part, const char **what) {
    struct slice type = json_get(token, "type");
    *part = (struct part){0};
    for (size_t i = 0; i < COUNT(part_types); i++)
        if (json_string_is(type, part_types[i].type))
            return part_types[i].read(token, part, what);
    return refuse(what, "a part of its messages is of a kind that is not translated (known are "
                        "text, image_url, file, input_audio)");
}

// -- turns --

enum side { SIDE_NONE, SIDE_USER, SIDE_ASSISTANT };

struct talk {
    struct conversation *c;
    struct buf *b;
    enum side side;      // whose turn is open
    bool more;           // a part stands before this one
    struct slice calls;  // of the last assistant's message that calls tools
    struct json_walk at; // in calls: behind the last one that was answered
};

static void close_turn(struct talk *t) {
    if (t->side != SIDE_NONE)
        buf_add_str(t->b, t->c->tongue->close);
}

static void take_turn(struct talk *t, enum side side) {
    if (t->side == side)
        return;
    close_turn(t);
    if (t->side != SIDE_NONE)
        buf_add_char(t->b, ',');
    buf_add_str(t->b, side == SIDE_USER ? t->c->tongue->user : t->c->tongue->assistant);
    t->side = side;
    t->more = false;
}

static bool add_part(struct talk *t, const struct part *part) {
    if (t->more)
        buf_add_char(t->b, ',');
    t->more = true;
    return t->c->tongue->add_part(t->b, part, t->c->context, &t->c->what);
}

static bool say(struct talk *t, enum side side, const struct part *part) {
    // an assistant that called a tool often said "" with it; an empty part is refused
    if (side == SIDE_ASSISTANT && part->kind == PART_TEXT && part->text.n <= 2)
        return true;
    if (side != SIDE_NONE)
        take_turn(t, side);
    return add_part(t, part);
}

static bool say_content(struct talk *t, enum side side, struct slice content) {
    struct json_walk walk = json_walk(content);
    struct slice token;
    struct part part = {.kind = PART_TEXT, .text = content};
    if (json_type(content) == JSON_STRING)
        return say(t, side, &part);
    if (json_type(content) != JSON_ARRAY)
        return refuse(&t->c->what, "a message has no content");
    while (json_next_element(&walk, &token))
        if (!read_part(token, &part, &t->c->what) || !say(t, side, &part))
            return false;
    return true;
}

static struct slice signature_of(struct slice call) {
    struct slice google = json_get(json_get(call, "extra_content"), "google");
    return wire_only(json_get(google, "thought_signature"), JSON_STRING);
}

static bool say_call(struct talk *t, struct slice call, bool first) {
    struct slice id, function, name, arguments;
    const struct json_field fields[] = {{"id", &id}, {"function", &function}};
    const struct json_field inner[] = {{"name", &name}, {"arguments", &arguments}};
    json_fields(call, fields, COUNT(fields));
    json_fields(function, inner, COUNT(inner));
    if (json_type(id) != JSON_STRING || json_type(name) != JSON_STRING)
        return refuse(&t->c->what, "a tool call in its messages has no id or no function's name");
    struct part part = {
        .kind = PART_CALL,
        .id = id,
        .name = name,
        .arguments = wire_only(arguments, JSON_STRING),
        .signature = signature_of(call),
        .first_call = first,
    };
    return say(t, SIDE_ASSISTANT, &part);
}

static bool say_calls(struct talk *t, struct slice calls) {
    struct json_walk walk = json_walk(wire_only(calls, JSON_ARRAY));
    struct slice call;
    for (bool first = true; json_next_element(&walk, &call); first = false) {
        if (first) {
            t->calls = calls;
            t->at = json_walk(calls);
        }
        if (!say_call(t, call, first))
            return false;
    }
    return true;
}

static bool find_from(struct talk *t, struct slice id, struct slice *name) {
    struct slice call;
    while (json_next_element(&t->at, &call)) {
        struct slice found = wire_only(json_get(call, "id"), JSON_STRING);
        if (!slice_eq(found, id))
            continue;
        *name = json_get(json_get(call, "function"), "name");
        return true;
    }
    return false;
}

// The name of the function that was called. Results mostly come in the order of the calls.
static bool find_call(struct talk *t, struct slice id, struct slice *name) {
    if (find_from(t, id, name))
        return true;
    t->at = json_walk(t->calls);
    return find_from(t, id, name);
}

static bool say_result(struct talk *t, struct slice id, struct slice content) {
    struct part part = {.kind = PART_RESULT, .id = id, .content = content};
    if (json_type(id) != JSON_STRING || !find_call(t, id, &part.name))
        return refuse(&t->c->what, "a message of role \"tool\" answers no call of the assistant's "
                                   "message before it");
    if (json_type(content) != JSON_STRING && json_type(content) != JSON_ARRAY)
        return refuse(&t->c->what, "a message of role \"tool\" has no content");
    return say(t, SIDE_USER, &part);
}

static bool say_as_assistant(struct talk *t, struct slice message, struct slice content) {
    struct slice calls, refusal;
    const struct json_field fields[] = {{"tool_calls", &calls}, {"refusal", &refusal}};
    json_fields(message, fields, COUNT(fields));
    if (json_type(content) <= JSON_NULL)
        content = wire_only(refusal, JSON_STRING);
    if (content.n && !say_content(t, SIDE_ASSISTANT, content))
        return false;
    return say_calls(t, calls);
}

static bool is_system(struct slice role) {
    return json_string_is(role, "system") || json_string_is(role, "developer");
}

static bool say_message(struct talk *t, struct slice message) {
    struct slice role, content, id;
    const struct json_field fields[] = {
        {"role", &role}, {"content", &content}, {"tool_call_id", &id}};
    json_fields(message, fields, COUNT(fields));
    if (json_string_is(role, "user"))
        return say_content(t, SIDE_USER, content);
    if (json_string_is(role, "assistant"))
        return say_as_assistant(t, message, content);
    if (json_string_is(role, "tool"))
        return say_result(t, id, content);
    return is_system(role) ||
           refuse(&t->c->what,
                  "a message's role is not system, developer, user, assistant or tool");
}

bool conversation_add(struct conversation *c, struct slice messages, struct buf *b) {
    struct talk talk = {.c = c, .b = b};
    struct json_walk walk = json_walk(messages);
    struct slice message;
    while (json_next_element(&walk, &message))
        if (!say_message(&talk, message))
            return false;
    close_turn(&talk);
    return talk.side != SIDE_NONE || refuse(&c->what, "its messages say nothing but system");
}

bool conversation_add_system(struct conversation *c, struct slice messages, struct buf *b) {
    struct talk talk = {.c = c, .b = b};
    struct json_walk walk = json_walk(messages);
    struct slice message;
    while (json_next_element(&walk, &message))
        if (is_system(json_get(message, "role")) &&
            !say_content(&talk, SIDE_NONE, json_get(message, "content")))
            return false;
    return true;
}

bool conversation_add_content(struct conversation *c, struct slice content, struct buf *b) {
    struct talk talk = {.c = c, .b = b};
    return say_content(&talk, SIDE_NONE, content);
}

bool conversation_add_object(struct buf *b, struct slice text) {
    size_t start = b->n;
    if (text.n <= 2) { // no arguments
        buf_add_str(b, "{}");
        return true;
    }
    if (!json_string_decode(text, b))
        return false;
    struct slice object = slice_of(b->p + start, b->n - start);
    return b->failed || (json_type(object) == JSON_OBJECT && json_check(object, NULL));
}

// -- tools and settings --

bool conversation_next_tool(struct json_walk *tools, struct tool *tool, const char **what) {
    struct slice token, type, function;
    const struct json_field fields[] = {{"type", &type}, {"function", &function}};
    const struct json_field inner[] = {
        {"name", &tool->name},
        {"description", &tool->description},
        {"parameters", &tool->parameters},
        {"strict", &tool->strict},
    };
    if (!json_next_element(tools, &token))
        return false;
    json_fields(token, fields, COUNT(fields));
    json_fields(function, inner, COUNT(inner));
    tool->description = wire_only(tool->description, JSON_STRING);
    tool->parameters = wire_only(tool->parameters, JSON_OBJECT);
    tool->strict = wire_only(tool->strict, JSON_BOOL);
    if ((type.n && !json_string_is(type, "function")) || json_type(tool->name) != JSON_STRING)
        return refuse(what, "one of its tools is no function with a name");
    return true;
}

enum choice conversation_choice(struct slice choice, struct slice *name) {
    static const struct {
        const char *word;
        enum choice choice;
    } words[] = {{"auto", CHOICE_AUTO}, {"none", CHOICE_NONE}, {"required", CHOICE_REQUIRED}};
    if (!choice.n)
        return CHOICE_NOT_GIVEN;
    for (size_t i = 0; i < COUNT(words); i++)
        if (json_string_is(choice, words[i].word))
            return words[i].choice;
    *name = wire_only(json_get(json_get(choice, "function"), "name"), JSON_STRING);
    return name->n ? CHOICE_TOOL : CHOICE_OTHER;
}

enum format conversation_format(struct slice format, struct slice *schema) {
    struct slice type = json_get(format, "type");
    if (!format.n || json_string_is(type, "text"))
        return FORMAT_TEXT;
    if (json_string_is(type, "json_object"))
        return FORMAT_JSON;
    *schema = wire_only(json_get(json_get(format, "json_schema"), "schema"), JSON_OBJECT);
    return json_string_is(type, "json_schema") && schema->n ? FORMAT_SCHEMA : FORMAT_OTHER;
}

void conversation_add_stop(struct buf *b, const char *name, struct slice stop) {
    if (!stop.n)
        return;
    bool one = json_type(stop) == JSON_STRING;
    json_add_name(b, name);
    buf_add_str(b, one ? "[" : "");
    buf_add_slice(b, stop);
    buf_add_str(b, one ? "]" : "");
}
