// The commands there are. Each is one file here that ends in its struct command.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_COMMANDS_COMMANDS_H
#define RUNNER_COMMANDS_COMMANDS_H

#include "runner/command.h"

extern const struct command run_command;
extern const struct command simulate_command;
extern const struct command providers_command;
extern const struct command help_command;
extern const struct command completion_command;

#endif
