// Fields of requests that are not sent: each name is told once in a run, so that a misspelt parameter
// or one that is known to a single provider is not lost without a word.
//
// A record's fields are data and are never told. Reader thread only.
// SPDX-License-Identifier: MIT
#ifndef JOBS_IN_UNSENT_H
#define JOBS_IN_UNSENT_H

#include "jobs/in/fields.h"

#define UNSENT_NAMES 8

struct unsent {
    char *names[UNSENT_NAMES]; // told already
    size_t count;
    bool nan_told;
    bool silent; // the rows will be read again: they are told then
};

void unsent_free(struct unsent *u);

// Looks at a row whose request is set.
void unsent_look(struct unsent *u, const struct fields *f, const struct job *job);

#endif
