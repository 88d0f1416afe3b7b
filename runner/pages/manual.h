// The words of the manual that no table of options knows: what it is about, in prose.
//
// The markup: paragraphs are separated by an empty line; one whose lines begin with "- " is a list;
// one whose lines begin with four spaces is shown as it stands; `text` is shown in bold.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_MANUAL_H
#define RUNNER_MANUAL_H

#include "jobs/base/buf.h"

struct manual_section {
    const char *title; // "INPUT"; NULL ends the table
    const char *text;
};

struct manual_exit_code {
    int code;
    const char *meaning; // NULL ends the table
};

struct manual_example {
    const char *command; // NULL ends the table
    const char *purpose;
};

// One line each, for NAME and the overview.
extern const char manual_purpose[];
extern const char manual_description[];

// In the order of the page, one table after the other. ENVIRONMENT is followed by the list of variables.
extern const struct manual_section manual_sections[];
extern const struct manual_section manual_sections_around[];
extern const struct manual_exit_code manual_exit_codes[];
extern const struct manual_example manual_examples[];

// Appends the whole page as mdoc(7), from these words and the tables of commands and options.
void manual_add_page(struct buf *out);

#endif
