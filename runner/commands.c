// commands.c: the table of commands. Constant. To add one: a file in commands/ and a row here.
// SPDX-License-Identifier: MIT
#include "runner/commands/commands.h"

#include <stddef.h>

const struct command *const commands[] = {
    &run_command, &simulate_command, &providers_command, &help_command, &completion_command, NULL,
};
