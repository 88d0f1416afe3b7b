// Gives every row an id that no other row of the run has.
//
// A row's own id is kept when it is the first to have it; a row without one gets its 1-based data
// row number as text. A second row with the same id is a bad row, or with number_them a good one;
// either way its id is the first free of id#2, id#3 …, so that every line of the results can be
// told from every other. Bad rows count as seen like good ones.
//
// Memory: nothing while no row has an id of its own, then one entry of jobs/ids.h a row. The set may be
// that of a results file (IDS_RESULT): then output_look() has to see each job before the next one is
// given its id. Reader thread only.
// SPDX-License-Identifier: MIT
#ifndef JOBS_IN_ROWID_H
#define JOBS_IN_ROWID_H

#include "jobs/ids.h"
#include "jobs/job.h"

struct rowids {
    struct ids *set;
    int64_t plain; // rows 1 to plain have no id of their own and are not in the set
    bool own_seen; // some row had one
    bool number_them;
};

// What job->line must have room for, beside the row, before an id of n bytes is assigned.
#define ROWID_ROOM(n) ((n) + 64)

// Sets job->id. own is the row's id, in job->line, or SLICE_NONE. A job that has not failed yet
// fails here when its id is taken.
void rowid_assign(struct rowids *r, struct job *job, struct slice own);

#endif
