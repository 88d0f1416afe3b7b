// The words that options of `batch-run INPUT` take, for their table alone (run_options.c).
// SPDX-License-Identifier: MIT
#ifndef RUNNER_OPTIONS_RUN_CHOICES_H
#define RUNNER_OPTIONS_RUN_CHOICES_H

#include <stddef.h>

// In the order of the enums they fill.
static const char *const input_formats[] = {"auto", "jsonl", "csv", "tsv", "txt", "json", NULL};
static const char *const delimiters[] = {"auto", ",", ";", "|", "tab", NULL};
static const char *const output_formats[] = {"native", "openai", "anthropic", "gemini", NULL};
static const char *const dry_run_forms[] = {"json", NULL};
static const char *const affinities[] = {"none", "prefix", NULL};
static const char *const idempotency_modes[] = {"auto", "always", "never", NULL};
static const char *const http_versions[] = {"auto", "1.1", "2", NULL};
static const char *const changed_modes[] = {"ask", "resend", "keep", NULL};
static const char *const sync_modes[] = {"none", "interval", "each", NULL};
static const char *const progress_modes[] = {"auto", "bar", "plain", "json", "off", NULL};
static const char *const log_levels[] = {"error", "warn", "info", "debug", NULL};

#endif
