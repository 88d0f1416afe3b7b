// Elements of a top-level JSON array, or JSON values one after the other, over any number of lines, in
// memory bounded by the longest of them. Reader thread only.
// SPDX-License-Identifier: MIT
#ifndef JOBS_IN_ELEMENTS_H
#define JOBS_IN_ELEMENTS_H

#include "jobs/in/lines.h"

struct elements {
    bool array; // else values that follow each other
    bool began, ended;
};

// The next value: text is all of it, number the line it begins on. A value that is too long is passed
// over (LINES_TOO_LONG). LINES_FAILED with err filled when the array is not closed or something else
// stands between or behind the elements.
enum lines_status elements_next(struct elements *e, struct lines *l, struct line *line,
                                struct error *err);

#endif
