// What a row asks for, as a number: the same for the same request, another for another.
//
// It is taken from the row as it is handed back in `input`, so that it can be found again from a
// result. Counted are the fields that are sent or steer the sending: the prompt (of whatever field or
// template), messages, the body of a batch line and its url, provider, system, model, temperature and
// their kin, each by its name and its bytes. Not counted are ids, fields that nobody asked for, the
// order of fields, and what options add: another --model or --system is no other row.
// SPDX-License-Identifier: MIT
#ifndef JOBS_OUT_LINE_SENT_H
#define JOBS_OUT_LINE_SENT_H

#include "jobs/base/slice.h"

#include <stdbool.h>
#include <stdint.h>

// As in struct source_options; each may be NULL. The template must be one that can be parsed.
struct sent_options {
    const char *prompt_field;
    const char *id_field;
    const char *template;
    const char *fields; // --fields, which are known to be good
    bool records;       // rows are records, as those of csv are
};

struct sent;

struct sent *sent_new(const struct sent_options *options);
struct sent *sent_copy(const struct sent *sent); // for another thread
void sent_free(struct sent *sent);               // NULL is fine

// Of a checked JSON value; never 0 but for SLICE_NONE. The same on every machine and in every run. One
// thread at a time.
uint64_t sent_hash(struct sent *sent, struct slice input);

#endif
