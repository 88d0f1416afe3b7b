// completion_fish.c: the script for fish. Any thread; owns nothing.
// SPDX-License-Identifier: MIT
#include "runner/pages/completion_script.h"

#include <string.h>

// Text inside '…' as fish reads it.
static void add_quoted(struct buf *out, const char *text) {
    buf_add_char(out, '\'');
    for (; *text; text++) {
        if (strchr("\\'", *text))
            buf_add_char(out, '\\');
        buf_add_char(out, *text);
    }
    buf_add_char(out, '\'');
}

// run is also meant when no command is named.
static void add_condition(struct buf *out, const struct command *command) {
    if (strcmp(command->name, "run") != 0) {
        buf_addf(out, " -n '__fish_seen_subcommand_from %s'", command->name);
        return;
    }
    buf_add_str(out, " -n 'not __fish_seen_subcommand_from");
    for (size_t i = 0; commands[i]; i++)
        if (commands[i] != command)
            buf_addf(out, " %s", commands[i]->name);
    buf_add_char(out, '\'');
}

static void add_value(struct buf *out, const struct option *o, const char *providers) {
    switch (completion_kind_of(o)) {
    case COMPLETE_NOTHING: return;
    case COMPLETE_ANY: buf_add_str(out, " -x"); return;
    case COMPLETE_FILE:
    case COMPLETE_AT_FILE: buf_add_str(out, " -r -F"); return;
    case COMPLETE_PROVIDER: buf_addf(out, " -x -a '%s'", providers); return;
    case COMPLETE_WORDS: break;
    }
    buf_add_str(out, " -x -a '");
    for (size_t i = 0; o->choices[i]; i++)
        buf_addf(out, "%s%s", i ? " " : "", o->choices[i]);
    buf_add_char(out, '\'');
}

static void add_option(struct buf *out, const struct command *command, const struct option *o,
                       const char *providers) {
    buf_add_str(out, "complete -c batch-run");
    add_condition(out, command);
    if (o->letter)
        buf_addf(out, " -s %c", o->letter);
    buf_addf(out, " -l %s", o->name);
    add_value(out, o, providers);
    buf_add_str(out, " -d ");
    add_quoted(out, o->help);
    buf_add_char(out, '\n');
}

static void add_operands(struct buf *out, const struct command *command) {
    struct buf words = BUF_INIT(4096);
    bool listed = completion_add_operands(&words, command);
    if (listed || command->operands_max == 0) {
        buf_add_str(out, "complete -c batch-run -f");
        add_condition(out, command);
        if (listed)
            buf_addf(out, " -a '%s'", buf_cstr(&words));
        buf_add_char(out, '\n');
    }
    buf_free(&words);
}

void completion_add_fish(struct buf *out, const char *providers) {
    buf_add_str(out, "# fish completion for batch-run, made by `batch-run completion fish`.\n"
                     "# To try it: batch-run completion fish | source\n"
                     "complete -c batch-run -s h -l help -d 'Show help'\n"
                     "complete -c batch-run -s V -l version -d 'Show the version'\n");
    for (size_t i = 0; commands[i]; i++) {
        buf_addf(out, "complete -c batch-run -n __fish_use_subcommand -a %s -d ",
                 commands[i]->name);
        add_quoted(out, commands[i]->summary);
        buf_add_char(out, '\n');
        add_operands(out, commands[i]);
        for (const struct option *o = commands[i]->options; o && o->name; o++)
            add_option(out, commands[i], o, providers);
    }
}
