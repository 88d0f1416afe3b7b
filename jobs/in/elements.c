// elements.c: finds where JSON values end by their brackets and quotes. Reader thread.
// SPDX-License-Identifier: MIT
#include "jobs/in/elements.h"

#include <string.h>

// The byte at the given place of the window; false with *status set at the end or on a failure.
static bool byte_at(struct lines *l, size_t *at, char *c, enum lines_status *status,
                    struct error *err) {
    while (*at >= l->data.n) {
        if (l->eof) {
            *status = LINES_END;
            return false;
        }
        size_t before = l->start;
        *status = lines_fill(l, err);
        *at -= before - l->start; // the window moved to the front
        if (*status != LINES_LINE)
            return false;
    }
    *c = l->data.p[*at];
    return true;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// Passes white space, and forgets what is before it.
static bool pass_blanks(struct lines *l, char *c, enum lines_status *status, struct error *err) {
    while (byte_at(l, &l->next, c, status, err)) {
        if (!is_blank(*c))
            return true;
        l->line_no += *c == '\n';
        l->start = ++l->next;
    }
    return false;
}

static void pass_one(struct lines *l) {
    l->start = ++l->next;
}

static enum lines_status fail(const struct lines *l, const char *what, struct error *err) {
    error_set(err, ERROR_USAGE, "%s, line %lld: %s", l->name, (long long)l->line_no + 1, what);
    return LINES_FAILED;
}

struct walk {
    long depth;
    bool quoted, escaped;
};

// Whether the value ends in front of this byte, or (*with) with it.
static bool ends_at(struct walk *w, char c, bool array, bool *with) {
    *with = false;
    if (w->quoted) {
        bool closes = c == '"' && !w->escaped;
        w->escaped = c == '\\' && !w->escaped;
        w->quoted = !closes;
        return *with = closes && !w->depth && !array;
    }
    if (!w->depth && (c == ',' || c == ']') && array)
        return true;
    if (!w->depth && is_blank(c) && !array)
        return true;
    w->quoted = c == '"';
    w->depth += (c == '{' || c == '[') - (c == '}' || c == ']');
    return *with = (c == '}' || c == ']') && w->depth <= 0 && !array;
}

// From l->next to the value's end. What is longer than may be kept is dropped on the way.
static enum lines_status take(struct elements *e, struct lines *l, struct line *line,
                              struct error *err) {
    struct walk walk = {0};
    enum lines_status status = LINES_LINE;
    size_t at = l->next;
    bool with = false, too_long = false;
    char c;
    line->number = l->line_no + 1;
    l->first_no = line->number;
    for (;; at++) {
        if (!byte_at(l, &at, &c, &status, err))
            break;
        if (ends_at(&walk, c, e->array, &with))
            break;
        l->line_no += c == '\n';
        if (at - l->start < l->max)
            continue;
        too_long = true;
        l->start = l->next = at; // the next fill drops it
    }
    if (status != LINES_LINE && (status != LINES_END || e->array))
        return status == LINES_END ? fail(l, "the input ends inside of its array", err) : status;
    at += with;
    line->raw = line->text = slice_trim(slice_of(l->data.p + l->start, at - l->start));
    l->next = l->first_end = at;
    return too_long ? LINES_TOO_LONG : LINES_LINE;
}

// Behind an element: its comma or the array's end.
static enum lines_status pass_comma(struct elements *e, struct lines *l, struct error *err) {
    enum lines_status status = LINES_LINE;
    char c;
    l->start = l->next;
    if (!pass_blanks(l, &c, &status, err))
        return status == LINES_END ? fail(l, "the input ends inside of its array", err) : status;
    if (c == ',') {
        pass_one(l);
        if (!pass_blanks(l, &c, &status, err))
            return status == LINES_END ? fail(l, "the input ends inside of its array", err)
                                       : status;
    }
    e->ended = c == ']';
    if (e->ended)
        pass_one(l);
    return LINES_LINE;
}

static enum lines_status finish(struct lines *l, struct error *err) {
    enum lines_status status = LINES_LINE;
    char c;
    if (!pass_blanks(l, &c, &status, err))
        return status;
    return fail(l, "something follows the array", err);
}

enum lines_status elements_next(struct elements *e, struct lines *l, struct line *line,
                                struct error *err) {
    enum lines_status status = LINES_LINE;
    char c;
    l->start = l->next;
    if (!e->began) {
        if (!pass_blanks(l, &c, &status, err))
            return status;
        e->began = true;
        e->array = c == '[';
        if (e->array)
            pass_one(l);
        if (e->array && !pass_blanks(l, &c, &status, err))
            return status == LINES_END ? fail(l, "the input ends inside of its array", err)
                                       : status;
        e->ended = e->array && c == ']';
        if (e->ended)
            pass_one(l);
    } else if (e->array && !e->ended) {
        status = pass_comma(e, l, err);
    } else if (!e->array && !pass_blanks(l, &c, &status, err)) {
        return status;
    }
    if (status != LINES_LINE)
        return status;
    return e->ended ? finish(l, err) : take(e, l, line, err);
}
