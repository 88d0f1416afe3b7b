// One option's value: from text into its field, with a message that says what it takes.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_OPTION_VALUE_H
#define RUNNER_OPTION_VALUE_H

#include "runner/command.h"

// The most an @FILE may hold.
#define OPTION_FILE_MAX (64 * 1024 * 1024)

// Reads text by the option's type into its field of config. source is what the message names:
// "--max-retries", "BATCH_RUN_MAX_RETRIES". A text that was there before is freed.
bool option_set(const struct option *option, const char *source, const char *text, void *config,
                struct error *err);

// Frees the field if it owns anything.
void option_release(const struct option *option, void *config);

#endif
