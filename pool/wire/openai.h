// What the two halves of the OpenAI wire share: openai.c asks, openai_answer.c answers.
// SPDX-License-Identifier: MIT
#ifndef POOL_WIRE_OPENAI_H
#define POOL_WIRE_OPENAI_H

#include "jobs/base/json.h"
#include "pool/wire/wire.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum wire_answer openai_read_request(struct slice body, struct wire_request *request,
                                     const char **what);
void openai_build_reply(const struct wire_response *response, struct buf *out);
void openai_build_stream(const struct wire_response *response, bool usage, struct buf *out);

// The token when it is of this type, else SLICE_NONE.
static inline struct slice openai_only(struct slice token, enum json_type type) {
    return json_type(token) == type ? token : SLICE_NONE;
}

// A count, or -1 when it is none.
static inline int64_t openai_count(struct slice token) {
    int64_t value;
    return json_int(token, &value) && value >= 0 ? value : -1;
}

// The text of one part of a content array; SLICE_NONE when it is a part of another kind.
static inline struct slice openai_part_text(struct slice part) {
    struct slice type, text;
    const struct json_field fields[] = {{"type", &type}, {"text", &text}};
    json_fields(part, fields, COUNT(fields));
    return json_string_is(type, "text") ? openai_only(text, JSON_STRING) : SLICE_NONE;
}

static inline enum wire_answer openai_not_mine(const char **what, const char *text) {
    *what = text;
    return WIRE_NOT_MINE;
}

#endif
