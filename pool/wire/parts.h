// What all wires are made of: tokens looked at, text joined, tool calls in OpenAI's shape, answers cut
// into pieces.
// SPDX-License-Identifier: MIT
#ifndef POOL_WIRE_PARTS_H
#define POOL_WIRE_PARTS_H

#include "jobs/base/json.h"
#include "pool/wire/wire.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

// The token when it is of this type, else SLICE_NONE.
static inline struct slice wire_only(struct slice token, enum json_type type) {
    return json_type(token) == type ? token : SLICE_NONE;
}

// A count, or -1 when it is none.
static inline int64_t wire_count(struct slice token) {
    int64_t value;
    return json_int(token, &value) && value >= 0 ? value : -1;
}

// No answer uses more; what is below can be added up over millions of rows.
#define WIRE_TOKENS_MAX INT64_C(1000000000000)

// A count of tokens, or -1 when it is none or beyond belief.
static inline int64_t wire_tokens(struct slice token) {
    int64_t count = wire_count(token);
    return count <= WIRE_TOKENS_MAX ? count : -1;
}

static inline enum wire_answer wire_not_mine(const char **what, const char *text) {
    *what = text;
    return WIRE_NOT_MINE;
}

static inline enum wire_answer wire_in_parts(const char **what) {
    *what = "it comes in parts";
    return WIRE_PARTS;
}

// Why a reply's body is not the object it should be.
enum wire_answer wire_no_object(struct slice body, const char **what);

// The token when it is a string of at least one character.
static inline struct slice wire_words(struct slice token) {
    return token.n > 2 ? wire_only(token, JSON_STRING) : SLICE_NONE;
}

// What is between the quotes of a string token.
static inline struct slice wire_inside(struct slice token) {
    return token.n < 2 ? SLICE_NONE : slice_of(token.p + 1, token.n - 2);
}

// The bytes behind the opening bracket of a container token.
static inline struct slice wire_behind_bracket(struct slice container) {
    return slice_trim(slice_of(container.p + 1, container.n - 1));
}

static inline bool wire_is_empty(struct slice container) {
    char first = wire_behind_bracket(container).p[0];
    return first == ']' || first == '}';
}

// -- asking --

// Appends "name":token, unless the token is absent.
void wire_add_member(struct buf *b, const char *name, struct slice token);

// What the row says, else what the run says. A row that says "" wants none: SLICE_NONE.
struct slice wire_system(const struct request *request, const struct wire_defaults *defaults);

// Appends a batch line's body as it stands, with members (`"model":"m"`, …) put right behind its
// brace, so that no other byte moves.
void wire_add_body(struct buf *b, struct slice body, struct slice members);

// -- replies read --

// Text of a reply that comes in parts: one part stays where it is, several are joined in scratch.
// Zeroed memory is a join without parts.
struct wire_join {
    struct slice first;
    size_t start, end; // in scratch; as it may move, slices are made at the end
};

// Adds a string token; others are left out. Between the first and the last one of a join nothing
// else may be appended to scratch.
void wire_join_add(struct wire_join *join, struct buf *scratch, struct slice token);
// Call when the join has all its parts.
void wire_join_close(struct wire_join *join, struct buf *scratch);
// The text as one string token; SLICE_NONE without parts. Call when scratch grows no more.
struct slice wire_join_text(const struct wire_join *join, const struct buf *scratch);

// A tool call as OpenAI shapes it. Of id, and of arguments, one of two is given.
struct wire_call {
    struct slice id;        // string token, or
    size_t number;          // its place, where the provider gives no id: "call_0"
    struct slice name;      // string token
    struct slice arguments; // the inside of a string token, or
    struct slice input;     // an object token
    struct slice signature; // string token: Gemini's thought signature, or SLICE_NONE
    bool custom;            // of OpenAI's custom tools, whose input is free text
    bool unplaced;          // a piece of a stream: its number is not known
};

// Appends it to the array that begins at start ('[' and commas included); close it with ']'.
void wire_add_call(struct buf *b, size_t start, const struct wire_call *call);

// Whether anything was said: text, reasoning, a call, a refusal, sound.
bool wire_says_something(const struct reply *reply);

// Whether a reply holds no words but a finish reason that says that policy kept them back.
bool wire_is_blocked(const struct reply *reply);

// The finish reason as a string token: the value, or the `type` of one that is an object (SGLang).
struct slice wire_reason(struct slice token);

// Whether the value of a member called `error` is an error: null, false, "" and {} are none.
bool wire_is_error(struct slice token);

// The larger of each count: usage that comes several times never shrinks.
void wire_usage_max(struct usage *kept, const struct usage *now);

// -- answering --

// Appends id's part behind the dash as a string token behind prefix: "msg_…".
void wire_add_id(struct buf *b, const char *prefix, const char *id);

// Takes a few words from the front of a string's inside; no escape or character is cut in two.
struct slice wire_next_piece(struct slice *rest);

#endif
