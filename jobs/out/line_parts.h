// What the formats of a result line are made of: members added, the head of a line read. Private to
// jobs/out/line*.c.
//
// Appending follows jobs/base/json.h: json_add_name() puts the commas.
// SPDX-License-Identifier: MIT
#ifndef JOBS_OUT_LINE_PARTS_H
#define JOBS_OUT_LINE_PARTS_H

#include "jobs/base/json.h"
#include "jobs/out/line.h"

// -- a line written --

// JSON as it stands; line breaks between its tokens become spaces.
void line_add_json(struct buf *out, struct slice json);
// Any bytes as a string token; invalid UTF-8 is repaired.
void line_add_string(struct buf *out, struct slice s);
void line_add_null(struct buf *out);

// The same, or null: for an absent token, for a text that is NULL or "".
void line_add_token_or_null(struct buf *out, struct slice token);
void line_add_text_or_null(struct buf *out, const char *text);

// Members. Here, so that the length of a name is known where it is written.
static inline void line_add_token(struct buf *out, const char *name, struct slice token) {
    json_add_name(out, name);
    line_add_token_or_null(out, token);
}

static inline void line_add_token_if_any(struct buf *out, const char *name, struct slice token) {
    if (token.n)
        line_add_token(out, name, token);
}

static inline void line_add_text(struct buf *out, const char *name, const char *text) {
    json_add_name(out, name);
    line_add_text_or_null(out, text);
}

static inline void line_add_int(struct buf *out, const char *name, int64_t value) {
    json_add_name(out, name);
    buf_add_int(out, value);
}

static inline void line_add_count(struct buf *out, const char *name, int64_t count) {
    if (count >= 0)
        line_add_int(out, name, count);
    else
        line_add_token(out, name, SLICE_NONE);
}

static inline void line_add_count_if_known(struct buf *out, const char *name, int64_t count) {
    if (count >= 0)
        line_add_int(out, name, count);
}

static inline void line_add_status(struct buf *out, const char *name, int http_status) {
    line_add_count(out, name, http_status ? http_status : -1);
}

// The total the provider told, else input and output added up; -1 when neither is known.
int64_t line_total_tokens(const struct usage *usage);

// A string token: a name in a provider's style ("batch_req_", "msg_"), made from the row's id and what
// was sent, if that is known: the same in every run, whatever characters the id has.
void line_add_made_id(struct buf *out, const char *prefix, const struct job *job);

// job.sent out of such a token; 0 when it is none.
uint64_t line_read_made_id(struct slice token, const char *prefix);

// "input_hash", if it is known; and back, 0 when the token is none.
void line_add_sent(struct buf *out, const struct job *job);
uint64_t line_read_hash(struct slice token);

// The provider's own code for a failure, else our class.
const char *line_error_code(const struct result *result);

// -- bodies (line_body.c) --

// job.body as it came: JSON, else a string, null when there was no HTTP answer.
void line_add_body(struct buf *out, const struct job *job);

// The reply in this provider's shape, put together from its tokens.
void line_build_body(struct buf *out, const struct job *job, enum reply_shape shape);

// The reply of an ok job in this shape: the provider's bytes if they are in it, else built.
void line_add_reply(struct buf *out, const struct job *job, enum reply_shape shape);

// -- a line read --

// The members that a line begins with, in that order: the rest of it is not looked at. Another
// order (somebody's jq) is found the long way. At most LINE_FIELDS_MOST.
#define LINE_FIELDS_MOST 6
void line_read_head(struct slice line, const char *const *names, struct slice *values,
                    size_t count);

static inline bool line_is_type_or_null(struct slice token, enum json_type type) {
    return json_type(token) == type || json_type(token) == JSON_NULL;
}

// -- the formats --

struct line_format {
    const char *start; // what each of its lines begins with
    // Appends the members; the braces are the caller's.
    void (*add)(struct buf *out, const struct job *job, const struct line_options *options);
    // False when this is no JSON object, or no result of the format.
    bool (*read)(struct slice line, struct line_facts *facts);
};

extern const struct line_format line_native, line_openai, line_anthropic, line_gemini;

#endif
