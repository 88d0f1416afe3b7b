// json.c: finds slices in JSON that was checked: members, elements, numbers.
// SPDX-License-Identifier: MIT
#include "jobs/base/json.h"

#include "jobs/base/json_parts.h"

#include <stdlib.h>

enum json_type json_type(struct slice token) {
    if (!token.n)
        return JSON_ABSENT;
    struct scan s = scan_of(token);
    skip_space(&s);
    if (s.p == s.end)
        return JSON_ABSENT;
    switch (*s.p) {
    case '{': return JSON_OBJECT;
    case '[': return JSON_ARRAY;
    case '"': return JSON_STRING;
    case 'n': return JSON_NULL;
    case 't':
    case 'f': return JSON_BOOL;
    default: return JSON_NUMBER;
    }
}

static const char *long_string_end(const char *p, const char *end) {
    for (;;) {
        const char *quote = memchr(p + 1, '"', (size_t)(end - p - 1));
        if (!quote)
            return end;
        const char *back = quote;
        while (back[-1] == '\\' && back - 1 > p)
            back--;
        bool escaped = (quote - back) % 2 != 0;
        p = quote;
        if (!escaped)
            return quote + 1;
    }
}

static inline const char *string_end(const char *p, const char *end) {
    const char *stop = short_string_end(p, end);
    return stop ? stop : long_string_end(p, end);
}

// To where `depth` brackets are closed; 0: the one at p.
static const char *container_end(const char *p, const char *end, size_t depth) {
    while (p < end) {
        switch (*p) {
        case '"': p = string_end(p, end); continue;
        case '{':
        case '[': depth++; break;
        case '}':
        case ']':
            if (--depth == 0)
                return p + 1;
        }
        p++;
    }
    return end;
}

static const char *value_end(const char *p, const char *end) {
    if (*p == '"')
        return string_end(p, end);
    if (*p == '{' || *p == '[')
        return container_end(p, end, 0);
    while (p < end && !is_space(*p) && *p != ',' && *p != '}' && *p != ']')
        p++;
    return p;
}

struct json_walk json_walk(struct slice container) {
    if (!container.n)
        return (struct json_walk){NULL, NULL};
    struct scan s = scan_of(container);
    skip_space(&s);
    if (s.p == s.end || (*s.p != '{' && *s.p != '['))
        return (struct json_walk){s.end, s.end};
    return (struct json_walk){s.p + 1, s.end};
}

// To the next token, past white space and a comma or colon; false at the closing bracket.
static inline bool walk_on(struct json_walk *w) {
    while (w->p < w->end && (*w->p == ',' || *w->p == ':' || is_space(*w->p)))
        w->p++;
    return w->p < w->end && *w->p != '}' && *w->p != ']';
}

static bool walk_token(struct json_walk *w, struct slice *token) {
    if (!walk_on(w))
        return false;
    const char *stop = value_end(w->p, w->end);
    *token = slice_of(w->p, (size_t)(stop - w->p));
    w->p = stop;
    return true;
}

// A member's name.
static inline bool walk_name(struct json_walk *w, struct slice *name, bool *escaped) {
    if (!walk_on(w))
        return false;
    const char *stop = short_string_end(w->p, w->end);
    *escaped = false;
    if (!stop) {
        stop = long_string_end(w->p, w->end);
        *escaped = memchr(w->p, '\\', (size_t)(stop - w->p));
    }
    *name = slice_of(w->p, (size_t)(stop - w->p));
    w->p = stop;
    return true;
}

bool json_next_member(struct json_walk *w, struct slice *name, struct slice *value) {
    bool escaped;
    return walk_name(w, name, &escaped) && walk_token(w, value);
}

bool json_next_element(struct json_walk *w, struct slice *value) {
    return walk_token(w, value);
}

// json_string_is() for a name without escapes, made to say no at the first byte. Names are short: a
// call would cost more than it compares.
static inline bool plain_name_is(struct slice name, const char *text) {
    size_t n = name.n - 2, i = 0;
    while (i < n && text[i] && text[i] == name.p[i + 1])
        i++;
    return i == n && text[n] == '\0';
}

const struct json_field *json_find_wanted(struct json_wanted *wanted, struct slice name,
                                          bool plain) {
    plain = plain || !memchr(name.p, '\\', name.n);
    for (size_t tried = 0, i = wanted->next; tried < wanted->count; tried++, i++) {
        if (i == wanted->count)
            i = 0;
        const struct json_field *field = wanted->fields + i;
        if (plain ? plain_name_is(name, field->name) : json_string_is(name, field->name)) {
            wanted->next = i + 1;
            return field;
        }
    }
    return NULL;
}

bool json_fields(struct slice object, const struct json_field *fields, size_t count) {
    for (size_t i = 0; i < count; i++)
        *fields[i].value = SLICE_NONE;
    if (json_type(object) != JSON_OBJECT)
        return false;
    struct json_wanted wanted = json_want(fields, count);
    struct json_walk w = json_walk(object);
    struct slice name, value;
    bool escaped;
    while (walk_name(&w, &name, &escaped) && walk_token(&w, &value)) {
        const struct json_field *field = json_find_field(&wanted, name, !escaped);
        if (field)
            *field->value = value;
    }
    return true;
}

struct slice json_get(struct slice object, const char *name) {
    struct slice value;
    json_fields(object, &(struct json_field){name, &value}, 1);
    return value;
}

// -- many levels in one pass --

static void read_inside(struct json_walk *w, const struct json_place *places, void *into);

static struct slice *token_of(const struct json_place *place, void *into) {
    return (struct slice *)(void *)((char *)into + place->into);
}

static void forget(const struct json_place *place, void *into) {
    *token_of(place, into) = SLICE_NONE;
    for (const struct json_place *p = place->inside; p && p->name; p++)
        forget(p, into);
}

static const struct json_place *find_place(struct slice name, bool escaped,
                                           const struct json_place *places) {
    for (; places->name; places++)
        if (escaped ? json_string_is(name, places->name) : plain_name_is(name, places->name))
            return places;
    return NULL;
}

static void read_value(struct json_walk *w, const struct json_place *place, void *into) {
    struct slice value = SLICE_NONE;
    bool again = token_of(place, into)->p; // the last of two members of a name counts
    if (again)
        forget(place, into);
    if (!walk_on(w))
        return;
    const char *start = w->p;
    if (place->inside && (*start == '{' || *start == '['))
        read_inside(w, place->inside, into);
    else
        walk_token(w, &value);
    *token_of(place, into) = slice_of(start, (size_t)(w->p - start));
}

static void read_members(struct json_walk *w, const struct json_place *places, void *into) {
    struct slice name, value;
    bool escaped;
    while (walk_name(w, &name, &escaped)) {
        const struct json_place *place = find_place(name, escaped, places);
        if (place)
            read_value(w, place, into);
        else
            walk_token(w, &value);
    }
}

// From an opening bracket to behind its closing one.
static void read_inside(struct json_walk *w, const struct json_place *places, void *into) {
    bool array = *w->p++ == '[';
    const struct json_place *first = array ? find_place(SLICE("\"0\""), false, places) : NULL;
    if (!array)
        read_members(w, places, into);
    else if (first && walk_on(w))
        read_value(w, first, into);
    w->p = container_end(w->p, w->end, 1);
}

bool json_tokens(struct slice object, const struct json_place *places, void *into) {
    for (const struct json_place *p = places; p->name; p++)
        forget(p, into);
    if (json_type(object) != JSON_OBJECT)
        return false;
    struct json_walk w = json_walk(object);
    read_members(&w, places, into);
    return true;
}

// -- numbers --

bool json_int(struct slice token, int64_t *value) {
    bool negative = token.n && token.p[0] == '-';
    size_t i = negative ? 1 : 0;
    uint64_t total = 0, limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    if (i == token.n)
        return false;
    for (; i < token.n; i++) {
        if (!is_digit(token.p[i]))
            return false;
        unsigned digit = (unsigned)(token.p[i] - '0');
        if (total > (limit - digit) / 10)
            return false;
        total = total * 10 + digit;
    }
    *value = negative ? (int64_t)(0 - total) : (int64_t)total;
    return true;
}

bool json_double(struct slice token, double *value) {
    char copy[64];
    if (json_type(token) != JSON_NUMBER || token.n >= sizeof copy)
        return false;
    memcpy(copy, token.p, token.n);
    copy[token.n] = '\0';
    char *end;
    *value = strtod(copy, &end);
    return *end == '\0';
}
