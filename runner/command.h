// Commands and their options: one table per command drives parsing, help, environment defaults,
// shell completion and the manual page.
//
// A command is one file in runner/commands/ that ends in its `const struct command`. Options are
// described by rows of struct option, each of which says where in the command's own config struct
// its value goes. To add an option: add a field to the struct and a row to the table.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_COMMAND_H
#define RUNNER_COMMAND_H

#include "jobs/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_type {
    OPTION_FLAG,       // bool; with choices int: 0 no, 1 yes, 2 and up --name=CHOICE
    OPTION_TEXT,       // const char *, never empty; a copy that options_free() frees
    OPTION_TEXTS,      // the same, several times: the texts one after the other, '\1' between them
    OPTION_TEXT_AT,    // OPTION_TEXT, valid UTF-8: TEXT as it stands, @FILE the file's content
    OPTION_COUNT,      // int64_t, with min and max; accepts k, M, G suffixes (thousands)
    OPTION_COUNT_AUTO, // the same; the word auto is 0
    OPTION_BYTES,      // int64_t, with min and max; accepts KiB, MiB, GiB (and K, M, G the same)
    OPTION_DURATION,   // int64_t microseconds: 500ms 30s 5m 2h; a bare number is seconds
    OPTION_RATE,       // double 0 to 1: 5% or 0.05
    OPTION_CHOICE,     // int: the index in choices; -1 when not given and without a fallback
};

// Between the texts of an OPTION_TEXTS: no argument and no variable that people write holds it.
#define OPTION_TEXTS_MARK '\1'

struct option {
    const char *name; // without dashes: "max-retries"
    char letter;      // 'o' for -o, or 0
    enum option_type type;
    size_t offset;        // of the field in the command's config struct
    const char *value;    // "N", "FILE", "DURATION": what help and manual show; NULL for flags
    const char *fallback; // default as a user would write it (parsed like one), or NULL: zero
    double min, max;      // OPTION_COUNT, OPTION_BYTES, OPTION_DURATION (in seconds); max 0: none
    const char *const *choices; // OPTION_CHOICE: NULL-terminated words
    const char *group;          // heading in help and manual: "Input", "Keys and providers" …
    const char *help;           // one or two sentences, no full stop needed at the end of the first
};

#define OPTIONS_END                                                                                \
    { 0 }

struct command {
    const char *name;     // "run"
    const char *operands; // "INPUT", "" for none: as in the synopsis
    int operands_min, operands_max;
    const char *summary;          // one line
    const char *description;      // paragraphs separated by blank lines
    const struct option *options; // ends with OPTIONS_END; NULL: none
    size_t config_size;           // of the struct the options fill; zeroed before parsing
    // Returns the exit code (contract section 7).
    int (*run)(const void *config, int count, char **operands);
};

// All commands, NULL-terminated, in the order of `batch-run --help`.
extern const struct command *const commands[];

// Fills config (config_size bytes, zeroed here) from the fallbacks, then the environment
// (option_variable(); an empty variable counts as not set), then argv (argc words after the command's
// name). Accepts --name value, --name=value, -o value, -ovalue, "--" before operands; options may
// stand between operands; a flag may be taken back with --name=no. Operands are moved to the front of
// argv and counted. False: config is as after options_free(); err names the option and what it takes,
// a misspelt option's nearest name is suggested. A word that looks like an API key is refused and
// never repeated.
bool options_parse(const struct command *command, int argc, char **argv, void *config,
                   int *operand_count, struct error *err);

// The same from one string of words as a shell would split them ('…', "…", \x), without operands and
// environment. For --simulate.
bool options_parse_line(const struct command *command, const char *line, void *config,
                        struct error *err);

// Frees the texts in config and zeroes it. Once per successful options_parse() or _parse_line().
void options_free(const struct command *command, void *config);

// The environment variable of an option: BATCH_RUN_MAX_RETRIES for run's --max-retries; those of
// another command carry its name, BATCH_RUN_SIMULATE_KEYS. False for the few that have none: what is
// about one call only, and would do harm when a forgotten variable decides it (--overwrite).
#define OPTION_VARIABLE_MAX 96
bool option_variable(const struct command *command, const struct option *option,
                     char name[OPTION_VARIABLE_MAX]);

#endif
