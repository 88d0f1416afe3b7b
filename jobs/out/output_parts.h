// What the parts of an output share: output_open.c opens it and answers the reader, output.c writes.
// SPDX-License-Identifier: MIT
#ifndef JOBS_OUT_OUTPUT_PARTS_H
#define JOBS_OUT_OUTPUT_PARTS_H

#include "jobs/out/ahead.h"
#include "jobs/out/claim.h"
#include "jobs/out/inflight.h"
#include "jobs/out/output.h"
#include "jobs/out/ranks.h"

struct output {
    struct claim claim;
    struct line_options line;
    struct sent *sent;
    char *path; // as the user wrote it, or "standard output"
    struct resume resume;
    bool shares_ids; // with who reads the input
    struct inflight *inflight;
    enum output_sync sync;
    struct ahead *ahead; // NULL: not ordered
    struct ranks *ranks; // NULL: not ordered, or a file that held nothing
    struct buf gathered;
    struct buf saved; // of each gathered line, if ordered: whether a side file keeps it
    int64_t gathered_lines;
    int64_t whole;       // bytes in the file, all of them whole lines
    int64_t unsynced;    // lines that were written since the last sync
    bool moved;          // others came from a side file since
    int64_t sync_due;    // TIME_NEVER while there are none, or none that anybody has looked at
    int64_t unsaved;     // lines that a failure kept off the disk
    char failure[200];   // what went wrong; "" while nothing has
    const char *touched; // what another program did to the file; NULL while it did nothing
    int64_t looked_at;   // monotonic: when that was looked for last
};

void output_free(struct output *o);

#endif
