// JSON (RFC 8259) as slices of the bytes it came in: nothing is copied, nothing is re-printed.
//
// cJSON reads numbers as doubles and ends strings at \u0000, so whatever is passed on or handed back
// goes through here; cJSON serves where a tree of values is looked at (configuration, error bodies).
//
// The caller:
//   1. json_check(), or a json_check_…() that also finds something, once on bytes from outside;
//   2. then walk them with json_fields(), json_next_member(), json_next_element(): these trust that
//      the text was checked and only find where things begin and end.
// A "token" is a value as it stands in the text: `"a\u0000b"` with its quotes, `12e3`, `{…}`.
// SPDX-License-Identifier: MIT
#ifndef JOBS_BASE_JSON_H
#define JOBS_BASE_JSON_H

#include "jobs/base/buf.h"

#include <stdint.h>

// Nesting beyond this is refused: deep text costs memory and stack in everything downstream.
#define JSON_MAX_DEPTH 512

enum json_type {
    JSON_ABSENT,
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

struct json_fault {
    size_t offset;    // 0-based byte where reading stopped
    const char *what; // "a value is missing", "invalid UTF-8", "nested too deeply" …, static
};

// True when text is exactly one JSON value in valid UTF-8, white space around it allowed.
// fault may be NULL.
bool json_check(struct slice text, struct json_fault *fault);

// Text in which NaN and Infinity, signed or not, stand where a value may: written to out (cleared first)
// with null in their place. True when that makes it JSON. Python's json module writes such numbers.
bool json_mend_numbers(struct slice text, struct buf *out);

// The type of a token (white space before it allowed); JSON_ABSENT for an empty slice.
enum json_type json_type(struct slice token);

// One member of an object to look for. A name that occurs twice: the last one counts.
struct json_field {
    const char *name;
    struct slice *value; // set to the token, or SLICE_NONE when absent
};

// Finds count fields of a checked object in one pass. False when token is no object (all absent).
bool json_fields(struct slice object, const struct json_field *fields, size_t count);

// json_check() and json_fields() in one pass, for text that is much and looked at once. False when it is
// not exactly one JSON object whose values are nested at most `depth` levels; the values mean nothing
// then.
bool json_check_fields(struct slice text, const struct json_field *fields, size_t count,
                       unsigned depth);

// The same as json_fields() for one name: the token, or SLICE_NONE.
struct slice json_get(struct slice object, const char *name);

// The same through several levels, still in one pass: tables of what to look for, each ended by {0}.
struct json_place {
    const char *name;                // of a member; "0": the first element, where an array is
    size_t length;                   // of the name
    size_t into;                     // where its token goes: the offset of a struct slice
    const struct json_place *inside; // what to look for in it, or NULL
};
// name is a literal.
#define JSON_PLACE(name, into, inside)                                                             \
    { name, sizeof(name) - 1, into, inside }

// json_check() and a search for all places, whose slices in the struct at `into` are filled in. False
// when text is not exactly one JSON object; the slices mean nothing then.
bool json_check_places(struct slice text, const struct json_place *places, void *into);

// Walks a checked object or array. Start with json_walk(token); each call gives the next.
struct json_walk {
    const char *p;
    const char *end;
};
struct json_walk json_walk(struct slice container);
bool json_next_member(struct json_walk *walk, struct slice *name, struct slice *value);
bool json_next_element(struct json_walk *walk, struct slice *value);

// Whether a string token means this text once its escapes are read.
bool json_string_is(struct slice token, const char *text);

// Appends the text a string token means, as UTF-8; \u0000 becomes a zero byte. False when it holds
// half a surrogate pair (legal JSON, no Unicode text): U+FFFD is appended in its place.
bool json_string_decode(struct slice token, struct buf *out);

// Appends bytes as a string token, with its quotes. The bytes must be valid UTF-8; what JSON allows
// to stand unescaped does.
void json_add_string(struct buf *b, struct slice text);

// The same without the quotes, to put a token together from parts.
void json_add_escaped(struct buf *b, struct slice text);

// Appends ,"name": (without the comma right after an opening brace or bracket).
static inline void json_add_name(struct buf *b, const char *name) {
    char last = b->n ? b->p[b->n - 1] : '{';
    size_t n = strlen(name);
    if (!buf_reserve(b, n + 4))
        return;
    char *p = b->p + b->n;
    *p = ',';
    p += last != '{' && last != '[';
    *p++ = '"';
    memcpy(p, name, n);
    memcpy(p + n, "\":", 2);
    b->n = (size_t)(p + n + 2 - b->p);
}

// Appends value / 1000 with at most three decimals and never an exponent: 812400 is 812.4.
void json_add_thousandths(struct buf *b, int64_t value);

// Exact integers only: 12 and 12.0 and 1.2e1 are not the same here. False unless -?digits in range.
bool json_int(struct slice token, int64_t *value);

// A number token as a double. False when it is no number.
bool json_double(struct slice token, double *value);

#endif
