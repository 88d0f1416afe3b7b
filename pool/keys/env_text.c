// env_text.c: reads NAME=VALUE lines. Pure; changes the text it is given.
// SPDX-License-Identifier: MIT
#include "pool/keys/env_text.h"

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

static bool is_name_char(char c, bool first) {
    bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
    return letter || (!first && c >= '0' && c <= '9');
}

static struct slice skip_blanks(struct slice s) {
    while (s.n && is_blank(*s.p))
        s = slice_of(s.p + 1, s.n - 1);
    return s;
}

bool env_split(struct slice line, struct slice *name, struct slice *rest) {
    line = skip_blanks(line);
    if (slice_starts(line, "export") && line.n > 6 && is_blank(line.p[6]))
        line = skip_blanks(slice_of(line.p + 6, line.n - 6));
    size_t n = 0;
    while (n < line.n && is_name_char(line.p[n], n == 0))
        n++;
    struct slice after = skip_blanks(slice_of(line.p + n, line.n - n));
    if (n == 0 || !after.n || *after.p != '=')
        return false;
    *name = slice_of(line.p, n);
    *rest = slice_of(after.p + 1, after.n - 1);
    return true;
}

struct env_reader env_reader(char *text, size_t n) {
    size_t bom = n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    return (struct env_reader){text + bom, text + n, 1};
}

static char *line_end(char *p, char *end) {
    char *newline = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
    return newline ? newline : end;
}

// Up to the end of the line or a comment.
static struct slice bare_value(const char *p, const char *end) {
    const char *stop = p;
    while (stop < end && !(*stop == '#' && (stop == p || is_blank(stop[-1]))))
        stop++;
    return slice_trim(slice_of(p, (size_t)(stop - p)));
}

// The closing quote, or NULL.
static char *find_quote(char *p, char *end, char quote) {
    for (; p < end && *p != quote; p++)
        if (*p == '\\' && p + 1 < end)
            p++;
    return p < end ? p : NULL;
}

// What \c means in these quotes; 0: the backslash stays.
static char escape(char c, char quote) {
    if (c == quote || c == '\\')
        return c;
    if (quote == '\'')
        return 0;
    switch (c) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case '$': return '$';
    default: return 0;
    }
}

// Takes escapes out of p to end in place; returns the new length.
static size_t unescape(char *p, char *end, char quote) {
    char *out = p, *start = p;
    for (; p < end; p++) {
        char c = *p == '\\' && p + 1 < end ? escape(p[1], quote) : 0;
        if (c)
            p++;
        *out++ = c ? c : *p;
    }
    return (size_t)(out - start);
}

// A value in quotes, maybe over lines. p is behind the opening quote. Returns where the line goes
// on.
static char *quoted_value(char *p, char *end, char quote, struct env_variable *v) {
    char *close = find_quote(p, end, quote);
    if (!close) {
        v->fault = "a quote is not closed";
        return line_end(p, end);
    }
    char *stop = line_end(close, end);
    struct slice after = slice_trim(slice_of(close + 1, (size_t)(stop - close - 1)));
    if (after.n && *after.p != '#')
        v->fault = "something follows the closing quote";
    v->value = slice_of(p, unescape(p, close, quote));
    v->literal = quote == '\'';
    return stop;
}

bool env_split_colon(struct slice line, struct slice *name) {
    line = skip_blanks(line);
    size_t n = 0;
    while (n < line.n && is_name_char(line.p[n], n == 0))
        n++;
    *name = slice_of(line.p, n);
    return n && n + 1 < line.n && line.p[n] == ':' && is_blank(line.p[n + 1]);
}

static void read_line(struct env_reader *r, char *stop, struct env_variable *v) {
    struct slice rest;
    char *next = stop;
    if (!env_split(slice_of(r->p, (size_t)(stop - r->p)), &v->name, &rest)) {
        v->fault = "this is no NAME=VALUE";
        if (env_split_colon(slice_of(r->p, (size_t)(stop - r->p)), &v->name))
            v->fault = "a colon follows the name; write NAME=VALUE";
        else
            v->name = SLICE_NONE;
    } else {
        char *p = r->p + (skip_blanks(rest).p - r->p);
        if (p < stop && (*p == '"' || *p == '\''))
            next = quoted_value(p + 1, r->end, *p, v);
        else
            v->value = bare_value(p, stop);
    }
    for (char *q = r->p; q < next; q++)
        r->line += *q == '\n';
    r->p = next;
}

bool env_next(struct env_reader *r, struct env_variable *v) {
    while (r->p < r->end) {
        char *stop = line_end(r->p, r->end);
        struct slice line = slice_trim(slice_of(r->p, (size_t)(stop - r->p)));
        bool empty = !line.n || *line.p == '#';
        *v = (struct env_variable){.line = r->line};
        if (empty)
            r->p = stop;
        else
            read_line(r, stop, v);
        if (r->p < r->end) {
            r->p++;
            r->line++;
        }
        if (!empty)
            return true;
    }
    return false;
}
