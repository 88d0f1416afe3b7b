// key_value.c: reads the values of key variables as people and tools write them. Pure.
// SPDX-License-Identifier: MIT
#include "pool/keys/key_value.h"

#include <ctype.h>

bool value_unquote(struct slice *value) {
    struct slice v = *value;
    if (v.n < 2 || !strchr("\"'`", v.p[0]) || v.p[v.n - 1] != v.p[0])
        return false;
    *value = slice_trim(slice_of(v.p + 1, v.n - 2));
    return true;
}

// -- placeholders --

// A placeholder is no longer than that.
#define PLACEHOLDER_LONGEST 80

static bool holds_one_of(const char *text, const char *const words[], size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strstr(text, words[i]))
            return true;
    return false;
}

static bool is_one_of(const char *text, const char *const words[], size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(text, words[i]) == 0)
            return true;
    return false;
}

// "xxx", "sk-xxxx", "sk-proj-****": nothing behind the last dash but one sign that means "some letters".
static bool is_filler(struct slice text) {
    size_t n = 0;
    while (n < text.n && strchr("xX*.-_", text.p[text.n - 1 - n]))
        n++;
    struct slice before = slice_of(text.p, text.n - n);
    return n >= 3 && (!before.n || (text.p[before.n] == '-' || text.p[before.n] == '_')) &&
           before.n <= 12;
}

static bool is_bracketed(struct slice text) {
    return text.n > 2 && ((text.p[0] == '<' && text.p[text.n - 1] == '>') ||
                          (slice_starts(text, "{{") && text.p[text.n - 1] == '}'));
}

static bool ends_in_dots(struct slice text) {
    return text.n >= 3 && (memcmp(text.p + text.n - 3, "...", 3) == 0 ||
                           memcmp(text.p + text.n - 3, "\xe2\x80\xa6", 3) == 0);
}

bool value_is_placeholder(struct slice value) {
    static const char *const whole[] = {"changeme",   "change-me",  "change_me", "replaceme",
                                        "replace-me", "replace_me", "todo",      "fixme",
                                        "none",       "null",       "undefined", "api-key",
                                        "api_key",    "apikey",     "secret-key"};
    static const char *const within[] = {"placeholder",  "insert-",    "insert_",   "replace-with",
                                         "replace_with", "enter-your", "enter_your"};
    static const char *const of[] = {"key", "token", "secret", "api"};
    char text[PLACEHOLDER_LONGEST + 1];
    if (value.n > PLACEHOLDER_LONGEST)
        return false;
    for (size_t i = 0; i < value.n; i++)
        text[i] = (char)tolower((unsigned char)value.p[i]);
    text[value.n] = '\0';
    bool yours = strstr(text, "your") && holds_one_of(text, of, 4);
    return yours || is_one_of(text, whole, sizeof whole / sizeof *whole) ||
           holds_one_of(text, within, sizeof within / sizeof *within) || is_filler(value) ||
           is_bracketed(value) || ends_in_dots(value);
}

// -- lists --

struct value_items value_items(struct slice value, struct buf *scratch) {
    struct value_items items = {.rest = value, .scratch = scratch};
    items.is_array = value.n && value.p[0] == '[';
    if (items.is_array && !json_check(value, NULL))
        items.fault = "looks like a list in JSON but is not one: [\"key1\", \"key2\"]";
    else if (items.is_array)
        items.walk = json_walk(value);
    return items;
}

static bool next_element(struct value_items *items, struct slice *item) {
    struct slice element;
    if (!json_next_element(&items->walk, &element))
        return false;
    if (json_type(element) != JSON_STRING) {
        items->fault = "is a list in JSON that holds something else than strings";
        return false;
    }
    buf_clear(items->scratch);
    json_string_decode(element, items->scratch);
    *item = slice_trim(buf_slice(items->scratch));
    return true;
}

static bool next_of_commas(struct slice *list, struct slice *item) {
    struct slice part;
    if (!slice_next(list, ',', &part))
        return false;
    *item = slice_trim(part);
    return true;
}

bool value_next(struct value_items *items, struct slice *item) {
    while (!items->fault &&
           (items->is_array ? next_element(items, item) : next_of_commas(&items->rest, item)))
        if (item->n)
            return true;
    return false;
}

// -- references --

static bool is_name(struct slice name) {
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
        if (!letter && !(i && c >= '0' && c <= '9'))
            return false;
    }
    return name.n > 0;
}

// Up to the brace that closes the one before `inside`; SIZE_MAX: there is none.
static size_t find_end(struct slice inside) {
    size_t depth = 0;
    for (size_t i = 0; i < inside.n; i++) {
        if (inside.p[i] == '{' && i && inside.p[i - 1] == '$')
            depth++;
        else if (inside.p[i] == '}' && depth-- == 0)
            return i;
    }
    return SIZE_MAX;
}

// "NAME", "NAME:-default", "NAME-default": the default is absent where there is none.
static bool split_reference(struct slice inside, struct slice *name, struct slice *otherwise) {
    size_t n = 0;
    while (n < inside.n && !strchr(":-", inside.p[n]))
        n++;
    *name = slice_of(inside.p, n);
    *otherwise = SLICE_NONE;
    if (n < inside.n) {
        size_t skip = inside.p[n] == ':' ? 2 : 1;
        if (inside.p[n] == ':' && (n + 1 >= inside.n || inside.p[n + 1] != '-'))
            return false;
        *otherwise = slice_of(inside.p + n + skip, inside.n - n - skip);
    }
    return is_name(*name);
}

static bool add_reference(struct slice inside, const struct value_names *names, struct buf *out,
                          struct value_fault *fault) {
    struct slice name, otherwise, value = SLICE_NONE;
    if (!split_reference(inside, &name, &otherwise)) {
        *fault =
            (struct value_fault){"holds a ${ that is not a reference to a variable", SLICE_NONE};
        return false;
    }
    if (!names->find(names->context, name, &value, fault))
        return false;
    if (value.p && (value.n || !otherwise.p)) {
        buf_add_slice(out, value);
        return true;
    }
    if (otherwise.p)
        return value_expand(otherwise, names, out, fault);
    *fault = (struct value_fault){"refers to a variable that is not set", name};
    return false;
}

bool value_expand(struct slice value, const struct value_names *names, struct buf *out,
                  struct value_fault *fault) {
    while (value.n) {
        const char *mark = memmem(value.p, value.n, "${", 2);
        size_t before = mark ? (size_t)(mark - value.p) : value.n;
        buf_add(out, value.p, before);
        if (!mark)
            break;
        struct slice inside = slice_of(mark + 2, value.n - before - 2);
        size_t end = find_end(inside);
        *fault = (struct value_fault){"holds a ${ that is not closed", SLICE_NONE};
        if (end == SIZE_MAX || !add_reference(slice_of(inside.p, end), names, out, fault))
            return false;
        value = slice_of(inside.p + end + 1, inside.n - end - 1);
    }
    return true;
}
