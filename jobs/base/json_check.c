// json_check.c: whether bytes are JSON, told once. Iterative: depth costs a bit, not a stack frame.
// SPDX-License-Identifier: MIT
#include "jobs/base/json_parts.h"

#include "jobs/base/utf8.h"

static bool fail(struct scan *s, const char *what) {
    s->fault = what;
    return false;
}

static bool check_escape(struct scan *s) {
    if (s->p == s->end)
        return fail(s, "a string does not end");
    if (*s->p == 'u') {
        if (hex4(s->p + 1, s->end) < 0)
            return fail(s, "\\u needs four hexadecimal digits");
        s->p += 5;
        return true;
    }
    if (!memchr("\"\\/bfnrt", *s->p, 8))
        return fail(s, "unknown escape in a string");
    s->p++;
    return true;
}

static bool check_long_string(struct scan *s) {
    const char *p = s->p + 1, *end = s->end;
    while ((p = skip_plain(p, end)) < end) {
        unsigned char c = (unsigned char)*p;
        s->p = p++;
        if (c == '"') {
            s->p = p;
            return true;
        }
        if (c < 0x20)
            return fail(s, "a control character stands unescaped in a string");
        if (c != '\\')
            continue;
        s->p = p;
        if (!check_escape(s))
            return false;
        p = s->p;
    }
    s->p = end;
    return fail(s, "a string does not end");
}

static inline bool check_string(struct scan *s) {
    const char *stop = short_string_end(s->p, s->end);
    if (!stop)
        return check_long_string(s);
    s->p = stop;
    return true;
}

static bool check_digits(struct scan *s) {
    const char *start = s->p;
    while (s->p < s->end && is_digit(*s->p))
        s->p++;
    return s->p > start || fail(s, "a number is incomplete");
}

static bool check_number(struct scan *s) {
    if (*s->p == '-')
        s->p++;
    if (s->p < s->end && *s->p == '0')
        s->p++;
    else if (!check_digits(s))
        return false;
    if (s->p < s->end && *s->p == '.') {
        s->p++;
        if (!check_digits(s))
            return false;
    }
    if (s->p < s->end && (*s->p | 0x20) == 'e') {
        s->p++;
        if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
            s->p++;
        return check_digits(s);
    }
    return true;
}

static bool check_word(struct scan *s, const char *word) {
    size_t n = strlen(word);
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
        return fail(s, "this is no JSON value");
    s->p += n;
    return true;
}

static bool check_scalar(struct scan *s) {
    switch (*s->p) {
    case '"': return check_string(s);
    case 't': return check_word(s, "true");
    case 'f': return check_word(s, "false");
    case 'n': return check_word(s, "null");
    default:
        if (*s->p == '-' || is_digit(*s->p))
            return check_number(s);
        return fail(s, "this is no JSON value");
    }
}

// A member's name and colon, after its opening brace or comma.
static bool check_name(struct scan *s) {
    skip_space(s);
    if (s->p == s->end || *s->p != '"')
        return fail(s, "a member's name is missing");
    if (!check_string(s))
        return false;
    skip_space(s);
    if (s->p == s->end || *s->p != ':')
        return fail(s, "a colon is missing");
    s->p++;
    return true;
}

// The containers that are open, one bit each: set for an object.
struct nest {
    unsigned depth;
    unsigned char object[JSON_MAX_DEPTH / 8];
};

static bool nest_open(struct scan *s, struct nest *nest) {
    bool object = *s->p == '{';
    if (nest->depth == JSON_MAX_DEPTH)
        return fail(s, "nested too deeply");
    unsigned char bit = (unsigned char)(1u << (nest->depth % 8));
    if (object)
        nest->object[nest->depth / 8] |= bit;
    else
        nest->object[nest->depth / 8] &= (unsigned char)~bit;
    nest->depth++;
    s->p++;
    return true;
}

static bool in_object(const struct nest *nest) {
    unsigned top = nest->depth - 1;
    return nest->object[top / 8] >> (top % 8) & 1;
}

// After a value: closes what ends here and passes the comma. False at the end or on a fault.
static bool next_value(struct scan *s, struct nest *nest) {
    while (nest->depth) {
        skip_space(s);
        if (s->p == s->end)
            return fail(s, "the text ends too early");
        if (*s->p == ',') {
            s->p++;
            return !in_object(nest) || check_name(s);
        }
        if (*s->p != (in_object(nest) ? '}' : ']'))
            return fail(s, "a comma is missing");
        s->p++;
        nest->depth--;
    }
    return false;
}

static bool check_container(struct scan *s) {
    struct nest nest;
    nest.depth = 0;
    for (;;) {
        skip_space(s);
        if (s->p == s->end)
            return fail(s, "a value is missing");
        bool opens = *s->p == '{' || *s->p == '[';
        if (!opens) {
            if (!check_scalar(s))
                return false;
        } else {
            if (!nest_open(s, &nest))
                return false;
            skip_space(s);
            bool closes = s->p < s->end && *s->p == (in_object(&nest) ? '}' : ']');
            if (!closes) {
                if (in_object(&nest) && !check_name(s))
                    return false;
                continue;
            }
        }
        if (!next_value(s, &nest))
            return !s->fault;
    }
}

static inline bool opens(char c) {
    return c == '{' || c == '[';
}

static inline bool check_value(struct scan *s) {
    skip_space(s);
    bool scalar = s->p < s->end && !opens(*s->p);
    return scalar ? check_scalar(s) : check_container(s);
}

bool json_check(struct slice text, struct json_fault *fault) {
    struct scan s = scan_of(text);
    size_t good = utf8_valid_prefix(text);
    if (good < text.n) {
        s.p = text.p + good;
        s.fault = "invalid UTF-8";
    } else if (check_value(&s)) {
        skip_space(&s);
        if (s.p < s.end)
            s.fault = "something follows the value";
    }
    if (s.fault && fault)
        *fault = (struct json_fault){text.p ? (size_t)(s.p - text.p) : 0, s.fault};
    return !s.fault;
}

// Past this character; false when something else comes.
static inline bool pass(struct scan *s, char c) {
    skip_space(s);
    if (s->p == s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

// A name, a colon and a value, told to the field of that name.
static inline bool check_member(struct scan *s, struct json_wanted *wanted) {
    skip_space(s);
    if (s->p == s->end || *s->p != '"')
        return false;
    const char *start = s->p, *stop = short_string_end(start, s->end);
    bool plain = stop;
    if (plain)
        s->p = stop;
    else if (!check_long_string(s))
        return false;
    struct slice name = slice_of(start, (size_t)(s->p - start));
    if (!pass(s, ':'))
        return false;
    skip_space(s);
    start = s->p;
    if (!check_value(s))
        return false;
    const struct json_field *field = json_find_field(wanted, name, plain);
    if (field)
        *field->value = slice_of(start, (size_t)(s->p - start));
    return true;
}

bool json_check_fields(struct slice text, const struct json_field *fields, size_t count) {
    struct scan s = scan_of(text);
    struct json_wanted wanted = json_want(fields, count);
    for (size_t i = 0; i < count; i++)
        *fields[i].value = SLICE_NONE;
    if (utf8_valid_prefix(text) < text.n || !pass(&s, '{'))
        return false;
    bool more = !pass(&s, '}');
    while (more) {
        if (!check_member(&s, &wanted))
            return false;
        more = pass(&s, ',');
        if (!more && !pass(&s, '}'))
            return false;
    }
    skip_space(&s);
    return s.p == s.end;
}
