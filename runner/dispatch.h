// From the words of the command line to the command that is meant, and into it.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_DISPATCH_H
#define RUNNER_DISPATCH_H

#include "jobs/base/error.h"
#include "runner/command.h"

// Which command, and the words after its name.
struct call {
    const struct command *command;
    int count;
    char **words;
};

// argc and argv as main has them, at least one word after the program's name. A first word that is
// a command's name is that command, everything else is a run. False: the first word is reserved for
// a later version, or neither a file nor a command though it resembles one.
bool dispatch_find(int argc, char **argv, struct call *call, struct error *err);

// The command by its name; NULL when there is none.
const struct command *dispatch_command(const char *name);

// Whether one of the words, before any "--", is this one ("--help", "-h").
bool dispatch_asks(const struct call *call, const char *long_word, const char *short_word);

// Reads the options, checks the number of operands, runs the command. Returns the exit code.
int dispatch_run(const struct call *call);

// Whether the words, or the variable, ask for --progress json: then faults of usage are JSON lines too.
bool dispatch_wants_json(int argc, char **argv);

#endif
