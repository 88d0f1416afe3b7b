// Completion scripts for shells, from the tables of commands and options.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_COMPLETION_SCRIPT_H
#define RUNNER_COMPLETION_SCRIPT_H

#include "jobs/base/buf.h"
#include "runner/command.h"

// providers: the names --provider may take, separated by spaces.
struct completion_shell {
    const char *name;
    void (*add_script)(struct buf *out, const char *providers);
};

// bash, zsh, fish; a NULL name ends the table.
extern const struct completion_shell completion_shells[];

// What may follow an option or a command.
enum completion_kind {
    COMPLETE_NOTHING,  // a flag: no value
    COMPLETE_ANY,      // a value that cannot be guessed
    COMPLETE_WORDS,    // one of its choices
    COMPLETE_FILE,     // a file
    COMPLETE_AT_FILE,  // text, or @ and a file
    COMPLETE_PROVIDER, // a provider's name
};
enum completion_kind completion_kind_of(const struct option *option);

// Appends the words an operand of this command may be, separated by spaces (names for help, shells
// for completion). False when it takes files, or nothing at all.
bool completion_add_operands(struct buf *out, const struct command *command);

void completion_add_bash(struct buf *out, const char *providers);
void completion_add_zsh(struct buf *out, const char *providers);
void completion_add_fish(struct buf *out, const char *providers);

#endif
