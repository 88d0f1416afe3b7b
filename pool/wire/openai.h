// What the parts of the OpenAI wire share: openai.c asks, openai_reply.c hears, openai_answer.c answers.
// SPDX-License-Identifier: MIT
#ifndef POOL_WIRE_OPENAI_H
#define POOL_WIRE_OPENAI_H

#include "pool/wire/parts.h"

enum wire_answer openai_read_reply(struct slice body, struct buf *scratch, struct reply *reply,
                                   const char **what);
void openai_read_event(struct wire_stream *s, struct slice name, struct slice data);
enum wire_answer openai_read_request(struct slice body, struct wire_request *request,
                                     const char **what);
void openai_build_reply(const struct wire_response *response, struct buf *out);
void openai_build_stream(const struct wire_response *response, bool usage, struct buf *out);

// Takes over the larger of each count; a token that is no object says nothing.
void openai_read_usage(struct slice token, struct usage *usage);

// What a message's content adds to an answer: a string, a part or an array of parts.
void openai_take_content(struct wire_stream *s, struct slice content);

// -- OpenAI's responses API (openai_responses.c) --

// What a whole response object adds.
void responses_take_whole(struct wire_stream *s, struct slice response);
// The same for an event of this type, "response.output_text.delta" and so on.
void responses_read_event(struct wire_stream *s, struct slice type, struct slice data);

// The text of one part of a content array; SLICE_NONE when it is a part of another kind.
static inline struct slice openai_part_text(struct slice part) {
    struct slice type, text;
    const struct json_field fields[] = {{"type", &type}, {"text", &text}};
    json_fields(part, fields, COUNT(fields));
    return json_string_is(type, "text") ? wire_only(text, JSON_STRING) : SLICE_NONE;
}

#endif
