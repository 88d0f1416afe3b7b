// Text that was asked for, on standard output.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_PRINT_H
#define RUNNER_PRINT_H

#include "jobs/base/buf.h"

// Ceiling of a page of text that the program makes itself.
#define PRINT_MAX (4 * 1024 * 1024)

// Writes the text to standard output and frees it. Returns the exit code: 0, or 4 with a message
// when it could not be written (without one when the reader has gone, as head does).
int print_text(struct buf *text);

// A fault of usage on stderr: "batch-run: text", then which help to read ("run"; NULL: the
// overview); with log_set_json() one JSON line. Returns exit code 2.
int print_usage_error(const char *text, const char *help_topic);

#endif
