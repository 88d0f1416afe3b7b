// Options of other tools, and which of ours does the same.
//
// Somebody who comes from curl, xargs, an SDK or another batch tool types --concurrency or -j: the
// nearest name by letters would mislead, so these names are known. Pure; main thread, at start.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_FOREIGN_H
#define RUNNER_FOREIGN_H

#include "jobs/base/slice.h"
#include "runner/command.h"

// What to use instead of the unknown option `name` (without dashes; '_' counts as '-'): "--slots N
// limits the requests in flight …", static. NULL: the name is not known, or the command has no such
// option.
const char *foreign_advice(const struct command *command, struct slice name);

// The same for a letter: -j.
const char *foreign_letter_advice(const struct command *command, char letter);

#endif
