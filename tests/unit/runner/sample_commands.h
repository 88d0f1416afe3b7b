// Commands for tests: the real options of a run, the real help, and a stand-in for a simulator. They
// take the place of runner/commands.c, so that a test needs no other room of the house.
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_RUNNER_SAMPLE_COMMANDS_H
#define TESTS_UNIT_RUNNER_SAMPLE_COMMANDS_H

#include "runner/commands/commands.h"
#include "runner/config.h"

#include <stddef.h>

struct sample_config {
    int64_t port;
    const char *fault;
    double rate;
    int64_t pause;
    int64_t size;
    bool loud;
    bool still;
    int colour;
    const char *text;
};

static const char *const sample_colours[] = {"red", "green", "blue", NULL};

#define SAMPLE_AT(field) offsetof(struct sample_config, field)
static const struct option sample_options[] = {
    {.name = "port",
     .letter = 'p',
     .type = OPTION_COUNT,
     .offset = SAMPLE_AT(port),
     .value = "N",
     .max = 65535,
     .help = "A port"},
    {.name = "fault",
     .type = OPTION_TEXT,
     .offset = SAMPLE_AT(fault),
     .value = "KIND=RATE,\xe2\x80\xa6",
     .group = "Faults",
     .help = "What's \"wrong\" [or not]: .dots, \\ and `marks`. Ends here"},
    {.name = "rate",
     .type = OPTION_RATE,
     .offset = SAMPLE_AT(rate),
     .value = "SHARE",
     .fallback = "25%",
     .group = "Faults",
     .help = "A share"},
    {.name = "pause",
     .type = OPTION_DURATION,
     .offset = SAMPLE_AT(pause),
     .value = "DURATION",
     .fallback = "1500ms",
     .min = 0.001,
     .max = 3600,
     .group = "Faults",
     .help = "A pause"},
    {.name = "size",
     .type = OPTION_BYTES,
     .offset = SAMPLE_AT(size),
     .value = "SIZE",
     .fallback = "4KiB",
     .min = 16,
     .max = 1 << 20,
     .group = "Faults",
     .help = "A size"},
    {.name = "loud",
     .letter = 'l',
     .type = OPTION_FLAG,
     .offset = SAMPLE_AT(loud),
     .help = "A flag"},
    {.name = "still",
     .letter = 's',
     .type = OPTION_FLAG,
     .offset = SAMPLE_AT(still),
     .help = "Another flag"},
    {.name = "colour",
     .letter = 'c',
     .type = OPTION_CHOICE,
     .offset = SAMPLE_AT(colour),
     .choices = sample_colours,
     .fallback = "green",
     .help = "A colour"},
    {.name = "text",
     .type = OPTION_TEXT_AT,
     .offset = SAMPLE_AT(text),
     .value = "TEXT|@FILE",
     .help = "A text"},
    OPTIONS_END,
};

static inline int sample_run(const void *config, int count, char **operands) {
    (void)config;
    (void)operands;
    return 40 + count;
}

const struct command run_command = {
    .name = "run",
    .operands = "INPUT",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "Send every row of INPUT",
    .description = "Sends rows.\n\nWrites results.",
    .options = run_options,
    .config_size = sizeof(struct config),
    .run = sample_run,
};

const struct command simulate_command = {
    .name = "simulate",
    .operands = "",
    .summary = "Play a provider",
    .options = sample_options,
    .config_size = sizeof(struct sample_config),
    .run = sample_run,
};

const struct command *const commands[] = {&run_command, &simulate_command, &help_command, NULL};

#endif
