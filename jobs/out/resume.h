// Reading a results file back: which of its lines stay, and which rows are done.
//
// A line counts once its newline is on disk; a last piece without one is what a crash left of a
// line. Kept are the first ok line of each id and, if asked for, the first failed line of each id
// that has no ok line. Lines about rows that were no good themselves never stay: nothing was sent
// for them, and reading the input says again what was wrong.
// Memory: the ids, a bit a line, and the longest line.
// SPDX-License-Identifier: MIT
#ifndef JOBS_OUT_RESUME_H
#define JOBS_OUT_RESUME_H

#include "jobs/base/error.h"
#include "jobs/ids.h"
#include "jobs/out/line.h"

// A longer line is neither written nor read.
#define RESULT_LINE_MAX ((size_t)1 << 30)

struct resume_options {
    const char *path; // for messages
    enum output_format format;
    bool keep_failed;
};

struct resume {
    struct ids *ok;     // id → number of its ok line
    struct ids *failed; // id → number of its failed line, some of which an ok line replaced
    int64_t kept_ok;
    int64_t kept_failed;
    int64_t lines;   // whole lines
    int64_t whole;   // bytes up to the end of the last whole line
    bool torn;       // a piece of a line follows
    struct buf keep; // bit n: line n+1 stays
};

// Reads the file from its start, changes nothing. False: err is filled, naming file and line.
bool resume_scan(struct resume *resume, int fd, const struct resume_options *options,
                 struct error *err);

// Whether lines have to be taken out.
bool resume_drops(const struct resume *resume);

// Copies the lines that stay from one file, read from its start, to another; *bytes: how much.
bool resume_copy(const struct resume *resume, int from, int to, int64_t *bytes);

bool resume_has(const struct resume *resume, struct slice id);

// Zeroed memory is fine.
void resume_free(struct resume *resume);

#endif
