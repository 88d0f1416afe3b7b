// template.c: a prompt template as a list of pieces. Any one thread; owns a copy of its text.
// SPDX-License-Identifier: MIT
#include "jobs/in/template.h"

#include "jobs/base/die.h"
#include "jobs/base/json.h"
#include "jobs/base/utf8.h"

#include <stdlib.h>

// Text, then a placeholder. Both point into template.text.
struct piece {
    size_t literal_at; // in `literals`: escaped for JSON
    size_t literal_n;
    struct slice name; // SLICE_NONE in the last piece
};

struct template {
    char *text;
    struct buf literals;
    struct piece *pieces;
    size_t count;
    size_t cap;
};

void template_free(struct template *t) {
    if (!t)
        return;
    buf_free(&t->literals);
    free(t->pieces);
    free(t->text);
    free(t);
}

static struct piece *add_piece(struct template *t) {
    if (t->count == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 8;
        t->pieces = mem_resize(t->pieces, t->cap * sizeof *t->pieces);
    }
    struct piece *piece = t->pieces + t->count++;
    *piece = (struct piece){.literal_at = t->literals.n};
    return piece;
}

static void add_literal(struct template *t, struct piece *piece, struct slice text) {
    json_add_escaped(&t->literals, text);
    piece->literal_n = t->literals.n - piece->literal_at;
}

static size_t braces_at(struct slice rest) {
    size_t n = 0;
    while (n < rest.n && rest.p[n] == '{')
        n++;
    return n;
}

// Takes text up to the next placeholder, its {{ included; false when there is none any more.
static bool take_literal(struct template *t, struct piece *piece, struct slice *rest) {
    while (rest->n) {
        const char *brace = memchr(rest->p, '{', rest->n);
        size_t n = brace ? (size_t)(brace - rest->p) : rest->n;
        add_literal(t, piece, slice_of(rest->p, n));
        *rest = slice_of(rest->p + n, rest->n - n);
        size_t braces = braces_at(*rest);
        for (; braces >= 4; braces -= 4) {
            add_literal(t, piece, SLICE("{{"));
            *rest = slice_of(rest->p + 4, rest->n - 4);
        }
        if (braces % 2) {
            add_literal(t, piece, SLICE("{"));
            *rest = slice_of(rest->p + 1, rest->n - 1);
        }
        if (braces < 2)
            continue;
        *rest = slice_of(rest->p + 2, rest->n - 2);
        return true;
    }
    return false;
}

static int line_of(const struct template *t, const char *p) {
    int line = 1;
    for (const char *c = t->text; c < p; c++)
        line += *c == '\n';
    return line;
}

// Takes the name and its }}.
static bool take_name(struct template *t, struct piece *piece, struct slice *rest,
                      struct error *err) {
    size_t n = 0;
    while (n + 1 < rest->n && memcmp(rest->p + n, "}}", 2) != 0 &&
           memcmp(rest->p + n, "{{", 2) != 0)
        n++;
    int line = line_of(t, rest->p);
    if (n + 1 >= rest->n || rest->p[n] != '}') {
        struct slice shown = utf8_cut(*rest, 30);
        return error_set(err, ERROR_USAGE,
                         "--template, line %d: the {{ before \"%.*s\" is not closed with }} "
                         "(write {{{{ for a literal {{)",
                         line, SLICE_ARG(shown));
    }
    piece->name = slice_trim(slice_of(rest->p, n));
    *rest = slice_of(rest->p + n + 2, rest->n - n - 2);
    if (piece->name.n == 0 || memchr(piece->name.p, '\0', piece->name.n))
        return error_set(err, ERROR_USAGE,
                         "--template, line %d: {{}} needs the name of a field between its braces",
                         line);
    return true;
}

static bool parse(struct template *t, struct slice rest, struct error *err) {
    size_t good = utf8_valid_prefix(rest);
    if (good < rest.n)
        return error_set(err, ERROR_USAGE, "--template: invalid UTF-8 at byte %zu", good + 1);
    for (;;) {
        struct piece *piece = add_piece(t);
        if (!take_literal(t, piece, &rest))
            return true;
        if (!take_name(t, piece, &rest, err))
            return false;
    }
}

struct template *template_parse(struct slice text, struct error *err) {
    struct template *t = mem_zero(1, sizeof *t);
    t->text = mem_text(text.p, text.n);
    t->literals = BUF_INIT(text.n * 6); // the longest escape of a byte
    if (parse(t, slice_of(t->text, text.n), err))
        return t;
    template_free(t);
    return NULL;
}

struct slice template_name(const struct template *t, size_t i) {
    return i < t->count ? t->pieces[i].name : SLICE_NONE;
}

static void add_value(struct buf *out, struct slice token) {
    if (json_type(token) == JSON_STRING)
        buf_add(out, token.p + 1, token.n - 2);
    else
        json_add_escaped(out, token);
}

bool template_render(const struct template *t, template_field field, void *row, struct buf *out,
                     struct slice *missing) {
    buf_add_char(out, '"');
    for (size_t i = 0; i < t->count; i++) {
        const struct piece *piece = t->pieces + i;
        if (piece->literal_n)
            buf_add(out, t->literals.p + piece->literal_at, piece->literal_n);
        if (!piece->name.p)
            continue;
        struct slice token = field(row, piece->name);
        if (!token.p) {
            *missing = piece->name;
            return false;
        }
        add_value(out, token);
    }
    buf_add_char(out, '"');
    return true;
}
