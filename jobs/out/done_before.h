// Which rows an earlier run has done, for who only looks: the results file is read, nothing is locked,
// made or repaired.
//
// The caller (one thread): done_before_open(), done_before_has() for each row, done_before_close().
// SPDX-License-Identifier: MIT
#ifndef JOBS_OUT_DONE_BEFORE_H
#define JOBS_OUT_DONE_BEFORE_H

#include "jobs/out/output.h"

struct done_before;

// Options as for output_open(). No file, standard output or `overwrite`: nothing is done. NULL: err is
// filled, since the file is none of results.
struct done_before *done_before_open(const struct output_options *options, struct error *err);

// Whether a run would skip this row. A row that is no good is skipped when it has a good line.
bool done_before_has(struct done_before *d, const struct job *job);

void done_before_close(struct done_before *d); // NULL is fine

#endif
