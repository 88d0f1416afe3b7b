// manual_page.c: the manual as an mdoc(7) page, from its prose and the tables. Any thread.
// SPDX-License-Identifier: MIT
#include "runner/pages/manual.h"

#include "jobs/base/slice.h"
#include "runner/command.h"
#include "runner/pages/help_text.h"

#define DATE  "November 21, 2026"
#define WIDTH 76 // of the page's source: longer lines are bad manners in a manual's source

// One code point that is not ASCII, as groff and mandoc both read it. Returns its bytes.
static size_t add_code_point(struct buf *out, const char *p, const char *end) {
    unsigned char lead = (unsigned char)*p;
    size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    unsigned value = lead & (0xffu >> (size + 1));
    if (size > (size_t)(end - p))
        size = (size_t)(end - p);
    for (size_t i = 1; i < size; i++)
        value = value << 6 | ((unsigned char)p[i] & 0x3f);
    buf_addf(out, "\\[u%04X]", value);
    return size;
}

// Text in which roff sees nothing of its own. Quotes are escaped too: it may stand in a macro.
static void add_escaped(struct buf *out, struct slice text) {
    static const char *const escapes[128] = {
        ['\\'] = "\\e",  ['-'] = "\\-",   ['"'] = "\\(dq", ['\''] = "\\(aq",
        ['`'] = "\\(ga", ['^'] = "\\(ha", ['~'] = "\\(ti",
    };
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c >= 0x80)
            i += add_code_point(out, text.p + i, text.p + text.n) - 1;
        else if (escapes[c])
            buf_add_str(out, escapes[c]);
        else
            buf_add_char(out, (char)c);
    }
}

static void add_escaped_str(struct buf *out, const char *text) {
    add_escaped(out, slice_str(text));
}

// A word with its `bold` parts marked; whether bold is on goes from word to word.
static void add_marked(struct buf *out, struct slice word, bool *bold) {
    const char *p = word.p, *end = word.p + word.n;
    while (p < end) {
        const char *mark = memchr(p, '`', (size_t)(end - p));
        add_escaped(out, slice_of(p, (size_t)((mark ? mark : end) - p)));
        if (!mark)
            return;
        *bold = !*bold;
        buf_add_str(out, *bold ? "\\fB" : "\\fR");
        p = mark + 1;
    }
}

static bool ends_sentence(struct slice word) {
    while (word.n && strchr(")`\"'", word.p[word.n - 1]))
        word.n--;
    return word.n && strchr(".?!", word.p[word.n - 1]);
}

// Names and paths are not to be hyphenated: somebody copies them.
static bool is_name(struct slice word) {
    for (size_t i = 0; i < word.n; i++)
        if (strchr("-_/={", word.p[i]))
            return true;
    return false;
}

static void add_word(struct buf *out, struct slice word, bool *bold) {
    if (is_name(word))
        buf_add_str(out, "\\%");
    else if (word.p[0] == '.')
        buf_add_str(out, "\\&"); // a dot in front would begin a macro
    add_marked(out, word, bold);
}

// Filled text: roff joins the lines again, but wants each sentence to begin on a line of its own.
static void add_text(struct buf *out, struct slice text) {
    const char *p = text.p, *end = text.p + text.n;
    struct buf shown = BUF_INIT(1 << 20);
    size_t line = out->n;
    bool bold = false, fresh = true;
    while (p < end) {
        const char *start = p;
        while (p < end && *p != ' ' && *p != '\n')
            p++;
        struct slice word = slice_of(start, (size_t)(p - start));
        p += p < end;
        if (word.n == 0)
            continue;
        buf_clear(&shown);
        add_word(&shown, word, &bold);
        if (!fresh && out->n - line + shown.n > WIDTH)
            buf_add_char(out, '\n'), line = out->n, fresh = true;
        buf_add_str(out, fresh ? "" : " ");
        buf_add_slice(out, buf_slice(&shown));
        fresh = p < end && ends_sentence(word);
        if (fresh)
            buf_add_char(out, '\n'), line = out->n;
    }
    buf_add_char(out, '\n');
    buf_free(&shown);
}

static struct slice take_line(const char **p, const char *end) {
    const char *start = *p, *stop = memchr(start, '\n', (size_t)(end - start));
    *p = stop ? stop + 1 : end;
    return slice_of(start, (size_t)((stop ? stop : end) - start));
}

static void add_list(struct buf *out, struct slice paragraph) {
    const char *p = paragraph.p, *end = p + paragraph.n;
    buf_add_str(out, ".Bl -bullet -compact\n");
    while (p < end) {
        struct slice line = take_line(&p, end);
        buf_add_str(out, ".It\n");
        add_text(out, slice_of(line.p + 2, line.n - 2));
    }
    buf_add_str(out, ".El\n");
}

static void add_literal(struct buf *out, struct slice paragraph) {
    const char *p = paragraph.p, *end = p + paragraph.n;
    buf_add_str(out, ".Bd -literal -offset indent\n");
    while (p < end) {
        struct slice line = take_line(&p, end);
        if (slice_starts(line, "    "))
            line = slice_of(line.p + 4, line.n - 4);
        if (line.n && line.p[0] == '.')
            buf_add_str(out, "\\&");
        add_escaped(out, line);
        buf_add_char(out, '\n');
    }
    buf_add_str(out, ".Ed\n");
}

static void add_prose(struct buf *out, const char *text) {
    for (bool first = true; text && *text; first = false) {
        const char *gap = strstr(text, "\n\n");
        struct slice paragraph = slice_of(text, gap ? (size_t)(gap - text) : strlen(text));
        text += paragraph.n + (gap ? 2 : 0);
        bool literal = slice_starts(paragraph, "    ");
        bool list = slice_starts(paragraph, "- ");
        if (!first && !literal)
            buf_add_str(out, ".Pp\n");
        if (literal)
            add_literal(out, paragraph);
        else if (list)
            add_list(out, paragraph);
        else
            add_text(out, paragraph);
    }
}

static void add_section(struct buf *out, const char *title) {
    buf_addf(out, ".Sh %s\n", title);
}

static bool is_run(const struct command *command) {
    return strcmp(command->name, "run") == 0;
}

static void add_synopsis(struct buf *out) {
    add_section(out, "SYNOPSIS");
    for (size_t i = 0; commands[i]; i++) {
        const struct command *c = commands[i];
        buf_add_str(out, ".Nm\n");
        buf_addf(out, is_run(c) ? ".Op Cm %s\n" : ".Cm %s\n", c->name);
        if (c->operands_max > 0) {
            buf_add_str(out, c->operands_min ? ".Ar " : ".Op Ar ");
            add_escaped_str(out, c->operands);
            buf_add_char(out, '\n');
        }
        if (c->options && c->options->name)
            buf_add_str(out, ".Op Ar options\n");
    }
    buf_add_str(out, ".Nm\n.Fl \\-help | \\-version\n");
}

static void add_commands(struct buf *out) {
    add_section(out, "COMMANDS");
    for (size_t i = 0; commands[i]; i++) {
        buf_addf(out, ".Ss %s\n", commands[i]->name);
        add_text(out, slice_str(commands[i]->summary));
        if (commands[i]->description && *commands[i]->description) {
            buf_add_str(out, strncmp(commands[i]->description, "    ", 4) ? ".Pp\n" : "");
            add_prose(out, commands[i]->description);
        }
    }
}

static void add_option(struct buf *out, const struct option *o) {
    struct buf value = BUF_INIT(1000), text = BUF_INIT(4000);
    help_add_value(&value, o);
    buf_add_str(out, ".It ");
    if (o->letter)
        buf_addf(out, "Fl %c , ", o->letter);
    buf_add_str(out, "Fl \\-");
    add_escaped_str(out, o->name);
    if (value.n) {
        buf_add_str(out, " Ar ");
        add_escaped(out, buf_slice(&value));
    }
    buf_add_char(out, '\n');
    buf_add_str(&text, o->help);
    if (o->help[0] && !ends_sentence(slice_str(o->help)))
        buf_add_char(&text, '.');
    if (o->fallback)
        buf_addf(&text, " Default: %s", o->fallback);
    add_text(out, buf_slice(&text));
    buf_free(&value);
    buf_free(&text);
}

static void add_option_group(struct buf *out, const struct command *command,
                             const struct option **at) {
    const char *group = (*at)->group ? (*at)->group : "Options";
    buf_addf(out, ".Ss %s: ", command->name);
    add_escaped_str(out, group);
    buf_add_str(out, "\n.Bl -tag -width Ds\n");
    for (; (*at)->name && strcmp((*at)->group ? (*at)->group : "Options", group) == 0; ++*at)
        add_option(out, *at);
    buf_add_str(out, ".El\n");
}

static void add_options(struct buf *out) {
    add_section(out, "OPTIONS");
    add_text(out,
             SLICE("Options may stand before, between and after other words; `--` ends them. A "
                   "value follows in the next word or after `=`. Durations read 500ms, 30s, 5m, "
                   "2h, and a bare number is seconds. Numbers take k, M, G for thousands and "
                   "more, sizes KiB, MiB, GiB."));
    buf_add_str(out, ".Pp\nEvery command knows\n.Fl h , \\-help\nand\n.Fl V , \\-version .\n");
    for (size_t i = 0; commands[i]; i++)
        for (const struct option *o = commands[i]->options; o && o->name;)
            add_option_group(out, commands[i], &o);
}

static void add_variables(struct buf *out) {
    char name[OPTION_VARIABLE_MAX];
    buf_add_str(out, ".Pp\n.Bl -tag -width Ds -compact\n");
    for (size_t i = 0; commands[i]; i++)
        for (const struct option *o = commands[i]->options; o && o->name; o++) {
            if (!option_variable(commands[i], o, name))
                continue;
            buf_addf(out, ".It Ev %s\n", name);
            add_text(out, SLICE("sets"));
            buf_add_str(out, ".Fl \\-");
            add_escaped_str(out, o->name);
            buf_addf(out, is_run(commands[i]) ? "\n" : "\nof\n.Cm %s\n", commands[i]->name);
        }
    buf_add_str(out, ".El\n");
}

static void add_exit_status(struct buf *out) {
    add_section(out, "EXIT STATUS");
    buf_add_str(out, ".Bl -tag -width 130\n");
    for (const struct manual_exit_code *e = manual_exit_codes; e->meaning; e++) {
        buf_addf(out, ".It %d\n", e->code);
        add_text(out, slice_str(e->meaning));
    }
    buf_add_str(out, ".El\n");
}

static void add_examples(struct buf *out) {
    add_section(out, "EXAMPLES");
    for (const struct manual_example *e = manual_examples; e->command; e++) {
        if (e != manual_examples)
            buf_add_str(out, ".Pp\n");
        add_text(out, slice_str(e->purpose));
        add_literal(out, slice_str(e->command));
    }
}

static void add_sections(struct buf *out, const struct manual_section *s) {
    for (; s->title; s++) {
        add_section(out, s->title);
        add_prose(out, s->text);
        if (strcmp(s->title, "ENVIRONMENT") == 0)
            add_variables(out);
    }
}

void manual_add_page(struct buf *out) {
    buf_add_str(out,
                ".\\\" Made by `batch-run help manual`.\n.Dd " DATE "\n.Dt BATCH-RUN 1\n.Os\n");
    buf_add_str(out, ".Sh NAME\n.Nm batch-run\n.Nd ");
    add_escaped_str(out, manual_purpose);
    buf_add_char(out, '\n');
    add_synopsis(out);
    add_section(out, "DESCRIPTION");
    add_prose(out, manual_description);
    add_commands(out);
    add_options(out);
    add_sections(out, manual_sections);
    add_sections(out, manual_sections_around);
    add_exit_status(out);
    add_examples(out);
    add_section(out, "SEE ALSO");
    buf_add_str(out, ".Xr curl 1 ,\n.Xr jq 1\n");
}
