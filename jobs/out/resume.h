// Reading a results file back: which of its lines stay, and which rows are done.
//
// A line counts once its newline is on disk; a last piece without one is what a crash left of a
// line. Of each id one line stays: the last one, but a failed one does not take the place of an ok one
// for the same request. Two lines of one id are what a run leaves that was killed after a row was sent
// again. Lines about rows that were no good themselves never stay: nothing was sent for them, and
// reading the input says again what was wrong.
//
// Lines stay in the file until resume_copy() leaves them out. Until then rows that are read from the
// input are looked up, and lines are given up as others take their place.
// Memory: below 9 bytes a row without an id of its own, else below 18 (jobs/ids.h and two bits a line),
// and the blocks of jobs/out/readers.h.
// SPDX-License-Identifier: MIT
#ifndef JOBS_OUT_RESUME_H
#define JOBS_OUT_RESUME_H

#include "jobs/base/error.h"
#include "jobs/ids.h"
#include "jobs/out/blocks.h"
#include "jobs/out/line.h"
#include "jobs/out/line_sent.h"

struct resume_options {
    const char *path; // for messages
    enum output_format format;
    bool keep_failed;                    // failed rows are done too
    const struct run_settings *settings; // of this run; NULL: they do not matter
    bool keep_others;                    // lines with other settings stay
    bool resend_others;                  // lines with other settings are of changed rows
    struct sent *sent; // says what the `input` of a line asked for; NULL: that does not matter
};

struct resume {
    struct ids *ids; // id → number of its line, whether it is ok, and some bits of what was sent
    int64_t rows;    // ids that the file has
    bool keep_failed;
    bool resend_others, keep_others;
    int64_t others;        // good lines that stay and have other settings than this run
    unsigned which_other;  // of which kind, one bit each
    struct settings other; // of the first of them
    struct buf other_told; // its texts, as far as they are known
    int64_t kept_ok;       // lines that stay, as the scan found them
    int64_t kept_failed;
    int64_t given_up; // of those, since
    int64_t lines;    // whole lines
    int64_t whole;    // bytes up to the end of the last whole line
    bool torn;        // a piece of a line follows
    struct buf keep;  // bit n: line n+1 stays
    struct buf seen;  // bit n: the row of line n+1 was looked up
    int64_t seen_count;
    int64_t failed_done; // rows looked up that are done with a failure
};

// Reads the file from its start, changes nothing. False: err is filled, naming file and line.
bool resume_scan(struct resume *resume, int fd, const struct resume_options *options,
                 struct error *err);

// Reads on where that ended: whole lines were added since.
bool resume_scan_on(struct resume *resume, int fd, const struct resume_options *options,
                    struct error *err);

enum row_before {
    ROW_NEW,     // has no line that stays
    ROW_DONE,    // needs no other
    ROW_FAILED,  // has one of a failure
    ROW_CHANGED, // has an answer to another request
};

// What the file says of a row, by its id and what it sends (0: not known, taken for the same). *line is
// the number of the line, 0 for a new one. Marks the row as seen. One thread at a time; it may be
// another one than that of resume_give_up().
enum row_before resume_look(struct resume *resume, struct slice id, uint64_t sent, int64_t *line);

// The same for who shares `ids` with the reading of the input: the row is not asked for again, and its
// id's number is from now on its line there.
enum row_before resume_pass(struct resume *resume, const struct job *job, int64_t *line);

// Whether resume_look() would say ROW_DONE, without marking the row as seen.
bool resume_is_done(const struct resume *resume, struct slice id, uint64_t sent);

// A new line takes the place of this one, which stays no longer. Any one thread.
void resume_give_up(struct resume *resume, int64_t line);

// How many lines that stay belong to rows that were not looked up.
int64_t resume_unseen(const struct resume *resume);

// Whether this line stays; one that came after the scan does.
bool resume_keeps(const struct resume *resume, int64_t line);

// Whether lines have to be taken out.
bool resume_drops(const struct resume *resume);

// Copies the file, read from its start to its end, without the lines that do not stay; *bytes: how much
// was written. Lines that came after the scan stay.
bool resume_copy(const struct resume *resume, int from, int to, int64_t *bytes);

// Zeroed memory is fine.
void resume_free(struct resume *resume);

#endif
