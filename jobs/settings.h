// What is common to all rows of a run and part of what they ask for: recorded with each result, so that
// another run can tell that it asks for something else, and what.
//
// In a line it is the last member, "settings": four hashes of eight hexadecimal digits, or dashes where
// the row says it itself. The first line of each run has the texts before it, shortened, as
// "run_settings"; then the hashes end with a plus sign.
// SPDX-License-Identifier: MIT
#ifndef JOBS_SETTINGS_H
#define JOBS_SETTINGS_H

#include "jobs/base/buf.h"

#include <stdint.h>

enum setting {
    SETTING_PROMPT, // --template or --prompt-field, and --fields
    SETTING_SYSTEM,
    SETTING_MODEL,  // of the provider that is preferred for the row
    SETTING_PARAMS, // --param and its kin
    SETTINGS,
};

extern const char *const setting_names[SETTINGS];

// 0: it does not matter to the row.
struct settings {
    uint32_t of[SETTINGS];
};

// What a run has. texts: JSON tokens, for people; models: the hashes of each provider's model.
struct run_settings {
    struct settings all;
    struct buf texts[SETTINGS];
    const uint32_t *models;
    size_t model_count;
};

// Never 0.
uint32_t setting_hash(struct slice text);

// Which settings of a result are others than the run's, one bit each.
unsigned settings_differ(const struct run_settings *run, const struct settings *result);

// Appends the members; `told` adds the texts.
void settings_add(struct buf *out, const struct settings *s, const struct run_settings *run,
                  bool told);

// Of a line of results. False when it has none; *told: it has the texts too.
bool settings_read(struct slice line, struct settings *s, bool *told);

#endif
