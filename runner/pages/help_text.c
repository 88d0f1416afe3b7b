// help_text.c: help for the terminal, from the tables. Any thread; owns nothing.
// SPDX-License-Identifier: MIT
#include "runner/pages/help_text.h"

#include "jobs/base/slice.h"
#include "runner/pages/manual.h"

#include <stdlib.h>
#include <unistd.h>

#define WIDTH  100
#define COLUMN 32 // where an option's help begins

#define CHOICES_SHOWN 60 // bytes: a longer list is left to the help

struct help_style help_style_for(int fd) {
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    bool bold = isatty(fd) && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
    return bold ? (struct help_style){"\033[1m", "\033[0m"} : (struct help_style){"", ""};
}

const char *help_short(void) {
    return "usage: batch-run INPUT [options]      send a file of prompts, write a file of results\n"
           "       batch-run COMMAND [options]\n"
           "try 'batch-run --help', or without any key: batch-run INPUT --provider simulate\n";
}

static void add_spaces(struct buf *out, size_t n) {
    buf_addf(out, "%*s", (int)n, "");
}

// Characters, not bytes: continuation bytes of UTF-8 take no column.
static size_t columns_of(struct slice s) {
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

static struct slice next_word(const char **p, const char *end) {
    while (*p < end && **p == ' ')
        ++*p;
    const char *start = *p;
    while (*p < end && **p != ' ')
        ++*p;
    return slice_of(start, (size_t)(*p - start));
}

// Words of text, broken before WIDTH; the pen stands at column at, further lines begin at indent.
static void add_wrapped(struct buf *out, struct slice text, size_t at, size_t indent) {
    const char *p = text.p, *end = text.p + text.n;
    bool first = true;
    for (struct slice word; (word = next_word(&p, end)).n; first = false) {
        size_t width = columns_of(word);
        if (!first && at + 1 + width > WIDTH) {
            buf_add_char(out, '\n');
            add_spaces(out, indent);
            at = indent;
        } else if (!first) {
            buf_add_char(out, ' ');
            at++;
        }
        buf_add_slice(out, word);
        at += width;
    }
    buf_add_char(out, '\n');
}

static void add_heading(struct buf *out, const char *text, const struct help_style *style) {
    buf_addf(out, "\n%s%s:%s\n", style->bold, text, style->plain);
}

void help_add_value(struct buf *out, const struct option *option) {
    if (option->type == OPTION_FLAG)
        return;
    size_t start = out->n;
    for (size_t i = 0; option->choices && option->choices[i]; i++)
        buf_addf(out, "%s%s", i ? "|" : "", option->choices[i]);
    if (out->n > start && out->n - start <= CHOICES_SHOWN)
        return;
    out->n = start;
    buf_add_str(out, option->value ? option->value : "VALUE");
}

// The left half of a row, from column 2 on; help begins at COLUMN, on a line of its own if need be.
static void add_row(struct buf *out, struct slice left, const char *help,
                    const struct help_style *style) {
    size_t used = 2 + columns_of(left);
    buf_addf(out, "  %s%.*s%s", style->bold, SLICE_ARG(left), style->plain);
    if (used + 2 > COLUMN) {
        buf_add_char(out, '\n');
        used = 0;
    }
    add_spaces(out, COLUMN - used);
    add_wrapped(out, slice_str(help), COLUMN, COLUMN);
}

static void add_option(struct buf *out, const struct option *o, const struct help_style *style) {
    struct buf left = BUF_INIT(400), help = BUF_INIT(2000);
    if (o->letter)
        buf_addf(&left, "-%c, ", o->letter);
    buf_addf(&left, "%s--%s", o->letter ? "" : "    ", o->name);
    if (o->type != OPTION_FLAG)
        buf_add_char(&left, ' ');
    help_add_value(&left, o);
    buf_add_str(&help, o->help);
    if (o->fallback)
        buf_addf(&help, " [%s]", o->fallback);
    add_row(out, buf_slice(&left), buf_cstr(&help), style);
    buf_free(&left);
    buf_free(&help);
}

static void add_options(struct buf *out, const struct command *command,
                        const struct help_style *style) {
    const char *group = NULL;
    for (const struct option *o = command->options; o && o->name; o++) {
        const char *own = o->group ? o->group : "Options";
        if (!group || strcmp(group, own) != 0)
            add_heading(out, own, style);
        group = own;
        add_option(out, o, style);
    }
}

void help_add_synopsis(struct buf *out, const struct command *command) {
    bool optional = command->operands_min < command->operands_max;
    bool is_run = strcmp(command->name, "run") == 0;
    buf_addf(out, "batch-run %s%s%s", is_run ? "[" : "", command->name, is_run ? "]" : "");
    if (command->operands_max > 0)
        buf_addf(out, optional ? " [%s]" : " %s", command->operands);
    if (command->options && command->options->name)
        buf_add_str(out, " [options]");
}

// Paragraphs are separated by empty lines; lines that begin with a space stand as they are.
static void add_prose(struct buf *out, const char *text) {
    while (*text) {
        const char *gap = strstr(text, "\n\n");
        struct slice paragraph = slice_of(text, gap ? (size_t)(gap - text) : strlen(text));
        buf_add_char(out, '\n');
        if (paragraph.n && paragraph.p[0] == ' ')
            buf_addf(out, "%.*s\n", SLICE_ARG(paragraph));
        else
            add_wrapped(out, paragraph, 0, 0);
        text += paragraph.n + (gap ? 2 : 0);
    }
}

static void add_environment_note(struct buf *out, const struct command *command,
                                 const struct help_style *style) {
    char name[OPTION_VARIABLE_MAX];
    const struct option *o = command->options;
    struct buf text = BUF_INIT(1000);
    while (o && o->name && (o->type == OPTION_FLAG || !option_variable(command, o, name)))
        o++;
    if (!o || !o->name)
        return;
    add_heading(out, "Environment", style);
    buf_addf(&text, "Variables set other defaults: %s for --%s and so on; flags take 1 or 0.", name,
             o->name);
    add_spaces(out, 2);
    add_wrapped(out, buf_slice(&text), 2, 2);
    buf_free(&text);
}

void help_add_command(struct buf *out, const struct command *command,
                      const struct help_style *style) {
    buf_addf(out, "%s%s%s: %s\n\nUsage: ", style->bold, command->name, style->plain,
             command->summary);
    help_add_synopsis(out, command);
    buf_add_char(out, '\n');
    add_prose(out, command->description ? command->description : "");
    add_options(out, command, style);
    add_environment_note(out, command, style);
}

static void add_commands(struct buf *out, const struct help_style *style) {
    add_heading(out, "Commands", style);
    for (size_t i = 0; commands[i]; i++) {
        struct buf left = BUF_INIT(200);
        const struct command *c = commands[i];
        buf_addf(&left, "%s%s%s", c->name, c->operands_max ? " " : "",
                 c->operands_max ? c->operands : "");
        add_row(out, buf_slice(&left), c->summary, style);
        buf_free(&left);
    }
}

static void add_exit_codes(struct buf *out, const struct help_style *style) {
    add_heading(out, "Exit codes", style);
    for (const struct manual_exit_code *e = manual_exit_codes; e->meaning; e++)
        buf_addf(out, "  %3d  %s\n", e->code, e->meaning);
}

static void add_examples(struct buf *out, const struct help_style *style) {
    add_heading(out, "Examples", style);
    for (const struct manual_example *e = manual_examples; e->command; e++)
        buf_addf(out, "  %s\n      %s\n", e->command, e->purpose);
}

void help_add_overview(struct buf *out, const struct help_style *style) {
    const struct command *run = commands[0]; // what is meant when no command is named
    buf_addf(out, "%sbatch-run%s: %s\n", style->bold, style->plain, manual_purpose);
    add_heading(out, "Usage", style);
    buf_add_str(out,
                "  batch-run INPUT [options]        the same as batch-run run INPUT [options]\n"
                "  batch-run COMMAND [options]\n"
                "  batch-run help COMMAND           its options; 'help manual' prints the manual\n"
                "  batch-run --help | --version     -h and -V for short\n");
    add_commands(out, style);
    buf_addf(out, "\n%sOptions of a run, with their defaults in brackets%s\n", style->bold,
             style->plain);
    add_options(out, run, style);
    add_environment_note(out, run, style);
    add_exit_codes(out, style);
    add_examples(out, style);
}
