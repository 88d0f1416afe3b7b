// Help for the terminal, laid out in 100 columns from the tables of commands and options.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_HELP_TEXT_H
#define RUNNER_HELP_TEXT_H

#include "jobs/base/buf.h"
#include "runner/command.h"

// What goes before and after a heading or a name; empty where there are no colours.
struct help_style {
    const char *bold;
    const char *plain;
};

// Bold when fd is a terminal that knows how and NO_COLOR is not set.
struct help_style help_style_for(int fd);

// How to call the program, in a few lines: for a call without arguments.
const char *help_short(void);

// Everything at a glance: the commands, the options of a run, exit codes, examples.
void help_add_overview(struct buf *out, const struct help_style *style);

// One command with its description and options.
void help_add_command(struct buf *out, const struct command *command,
                      const struct help_style *style);

// "batch-run [run] INPUT [options]"
void help_add_synopsis(struct buf *out, const struct command *command);

// What stands for the value: its choices ("auto|bar|off") where they fit on a line, else its name
// ("FILE"); nothing for flags.
void help_add_value(struct buf *out, const struct option *option);

#endif
