// In what order the input has the rows of a results file that was there before, and the file in that
// order. What an ordered run adds to such a file may belong between its lines.
//
// Where a line belongs is known from the looking up of its row, whatever the format of the lines. Lines
// whose row was not looked up (the input no longer has it, or the run ended before it was read) go to
// the end, in the order they had.
//
// Memory: that of four tables (jobs/out/table.h) and the longest line, whatever the number of rows.
// SPDX-License-Identifier: MIT
#ifndef JOBS_OUT_RANKS_H
#define JOBS_OUT_RANKS_H

#include "jobs/out/resume.h"

struct ranks;

struct ranks *ranks_new(const struct resume *resume);
void ranks_free(struct ranks *ranks); // NULL is fine

// An old line (1-based) is that of the row with this index. Reader thread.
void ranks_look(struct ranks *ranks, int64_t line, int64_t index);

// The next line that is added to the file is. Writer thread; indexes grow.
void ranks_add(struct ranks *ranks, int64_t index);

// Whether the lines that stay are in order. Once the other threads have ended, as ranks_copy().
bool ranks_are_right(struct ranks *ranks);

// Copies the lines that stay, in order; *bytes: how much was written. False with errno set.
bool ranks_copy(struct ranks *ranks, int from, int to, int64_t *bytes);

#endif
