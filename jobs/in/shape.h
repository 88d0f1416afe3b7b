// What a row asks for: its shape, prompt or body, and steering fields, set in job->request.
// SPDX-License-Identifier: MIT
#ifndef JOBS_IN_SHAPE_H
#define JOBS_IN_SHAPE_H

#include "jobs/in/row.h"

// Fills job->request from rows->fields, whose tokens lie in job->line (rules: row.h). A prompt that
// a template rendered is there already. False: the job has failed.
bool shape_fill(struct rows *rows, struct job *job);

// The text a string token in job->line means; decoded behind the row (room is reserved) only when
// it has escapes. SLICE_NONE: half a surrogate pair.
struct slice shape_text(struct job *job, struct slice token);

#endif
