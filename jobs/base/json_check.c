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

static inline bool check_scalar(struct scan *s) {
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

struct name {
    struct slice token;
    bool escaped;
};

// A member's name and colon, after its opening brace or comma.
static inline bool check_name(struct scan *s, struct name *name) {
    skip_space(s);
    if (s->p == s->end || *s->p != '"')
        return fail(s, "a member's name is missing");
    const char *start = s->p, *stop = short_string_end(start, s->end);
    if (!stop && !check_long_string(s))
        return false;
    s->p = stop ? stop : s->p;
    name->token = slice_of(start, (size_t)(s->p - start));
    name->escaped = !stop && memchr(start, '\\', name->token.n);
    skip_space(s);
    if (s->p == s->end || *s->p != ':')
        return fail(s, "a colon is missing");
    s->p++;
    return true;
}

static inline bool is_bracket(char c) {
    return c == '{' || c == '[';
}

// The containers that are open, one bit each: set for an object.
struct nest {
    unsigned depth;
    unsigned char object[JSON_MAX_DEPTH / 8];
};

static bool nest_open(struct scan *s, struct nest *nest) {
    bool object = *s->p == '{';
    if (nest->depth == s->room)
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
    struct name name;
    while (nest->depth) {
        skip_space(s);
        if (s->p == s->end)
            return fail(s, "the text ends too early");
        if (*s->p == ',') {
            s->p++;
            return !in_object(nest) || check_name(s, &name);
        }
        if (*s->p != (in_object(nest) ? '}' : ']'))
            return fail(s, "a comma is missing");
        s->p++;
        nest->depth--;
    }
    return false;
}

static bool check_container(struct scan *s) {
    struct nest nest = {0};
    struct name name;
    for (;;) {
        skip_space(s);
        if (s->p == s->end)
            return fail(s, "a value is missing");
        if (!is_bracket(*s->p)) {
            if (!check_scalar(s))
                return false;
        } else {
            if (!nest_open(s, &nest))
                return false;
            skip_space(s);
            bool closes = s->p < s->end && *s->p == (in_object(&nest) ? '}' : ']');
            if (!closes) {
                if (in_object(&nest) && !check_name(s, &name))
                    return false;
                continue;
            }
        }
        if (!next_value(s, &nest))
            return !s->fault;
    }
}

static inline bool check_value(struct scan *s) {
    skip_space(s);
    if (s->p == s->end)
        return fail(s, "a value is missing");
    return is_bracket(*s->p) ? check_container(s) : check_scalar(s);
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

static bool is_at_end(struct scan *s) {
    skip_space(s);
    return s->p == s->end;
}

// -- fields of an object, found as it is checked --

// A name, a colon and a value, told to the field of that name.
static inline bool check_member(struct scan *s, struct json_wanted *wanted) {
    struct name name;
    if (!check_name(s, &name))
        return false;
    skip_space(s);
    const char *start = s->p;
    if (!check_value(s))
        return false;
    const struct json_field *field = json_find_field(wanted, name.token, name.escaped);
    if (field)
        *field->value = slice_of(start, (size_t)(s->p - start));
    return true;
}

bool json_check_fields(struct slice text, const struct json_field *fields, size_t count,
                       unsigned depth) {
    struct scan s = scan_of(text);
    struct json_wanted wanted = json_want(fields, count);
    s.room = depth;
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
    return is_at_end(&s);
}

// -- the same on many levels --

static bool check_inside(struct scan *s, const struct json_place *places, void *into);

static struct slice *token_of(const struct json_place *place, void *into) {
    return (struct slice *)(void *)((char *)into + place->into);
}

static void forget(const struct json_place *place, void *into) {
    *token_of(place, into) = SLICE_NONE;
    for (const struct json_place *p = place->inside; p && p->name; p++)
        forget(p, into);
}

static const struct json_place *find_escaped(struct slice token, const struct json_place *places) {
    while (places->name && !json_string_is(token, places->name))
        places++;
    return places->name ? places : NULL;
}

// Most members of a text are told from all that are looked for by the length of their names.
static inline const struct json_place *find_place(const struct name *name,
                                                  const struct json_place *places) {
    if (name->escaped)
        return find_escaped(name->token, places);
    for (; places->name; places++)
        if (places->length == name->token.n - 2 &&
            memcmp(places->name, name->token.p + 1, places->length) == 0)
            return places;
    return NULL;
}

static bool check_place(struct scan *s, const struct json_place *place, void *into) {
    if (token_of(place, into)->p) // the last of two members of a name counts
        forget(place, into);
    skip_space(s);
    const char *start = s->p;
    bool goes_inside = place->inside && start < s->end && is_bracket(*start);
    if (!(goes_inside ? check_inside(s, place->inside, into) : check_value(s)))
        return false;
    *token_of(place, into) = slice_of(start, (size_t)(s->p - start));
    return true;
}

// From an opening bracket to behind its closing one. Goes no deeper than the places do.
static bool check_inside(struct scan *s, const struct json_place *places, void *into) {
    bool object = *s->p++ == '{';
    char closing = object ? '}' : ']';
    struct name name = {SLICE("\"0\""), false};
    const struct json_place *place = object ? NULL : find_place(&name, places);
    if (!s->room--)
        return fail(s, "nested too deeply");
    bool more = !pass(s, closing);
    while (more) {
        if (object && !check_name(s, &name))
            return false;
        if (object)
            place = find_place(&name, places);
        if (!(place ? check_place(s, place, into) : check_value(s)))
            return false;
        place = NULL;
        more = pass(s, ',');
        if (!more && !pass(s, closing))
            return fail(s, "a comma is missing");
    }
    s->room++;
    return true;
}

bool json_check_places(struct slice text, const struct json_place *places, void *into) {
    struct scan s = scan_of(text);
    for (const struct json_place *p = places; p->name; p++)
        forget(p, into);
    skip_space(&s);
    return s.p < s.end && *s.p == '{' && utf8_valid_prefix(text) == text.n &&
           check_inside(&s, places, into) && is_at_end(&s);
}
