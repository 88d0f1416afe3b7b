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

static const char *container_end(const char *p, const char *end) {
    size_t depth = 0;
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
        return container_end(p, end);
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

const struct json_field *json_find_wanted(struct json_wanted *wanted, struct slice name,
                                          bool escaped) {
    for (size_t tried = 0, i = wanted->next; tried < wanted->count; tried++, i++) {
        if (i == wanted->count)
            i = 0;
        if (!name_is(name, escaped, wanted->fields[i].name))
            continue;
        wanted->next = i + 1;
        return &wanted->fields[i];
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
        const struct json_field *field = json_find_field(&wanted, name, escaped);
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
