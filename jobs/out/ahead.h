// The lines that are ahead of their turn: what makes results come out in the order of their sequence.
//
// Each line has a sequence number, 0, 1, 2 and so on; some numbers never come. Lines whose turn it is
// are none of this module's business but for ahead_advance(). An early one is gathered in memory until
// ahead_flush() and then waits in a side file (jobs/out/side.h) until its turn; so memory is bounded by
// what comes between two flushes and a table's cache, however many wait. Two side files are used in turn, and one
// that nobody waits in any longer is emptied, so they do not grow while lines come and go.
//
// The writer's thread.
// SPDX-License-Identifier: MIT
#ifndef JOBS_OUT_AHEAD_H
#define JOBS_OUT_AHEAD_H

#include "jobs/base/buf.h"
#include "jobs/out/claim.h"

// A side file is left for the other one from this size on.
#define AHEAD_SIDE_BYTES (INT64_C(1) << 20)

struct ahead;

// claim: the results file, which lends the side files its name; NULL for an output that is none.
// line_max: no line is longer.
struct ahead *ahead_new(const struct claim *claim, size_t line_max);

// Makes the first side file. Whoever may need it had better know beforehand that it cannot be made.
// False: see ahead_failure().
bool ahead_begin(struct ahead *a);

// Side files that have names go; with `keep` they stay for the next run. NULL is fine.
void ahead_free(struct ahead *a, bool keep);

// The number whose turn it is.
int64_t ahead_next(const struct ahead *a);

// It has its turn, by a line of the caller's.
void ahead_advance(struct ahead *a);

// A number beyond ahead_next() has a line: the caller appends it to the buffer, whose size was
// `from` before, and adds it. `index` is the caller's, see ahead_take().
struct buf *ahead_buf(struct ahead *a);
void ahead_add(struct ahead *a, int64_t sequence, size_t from, int64_t index);

// A number has no line and never will.
void ahead_pass(struct ahead *a, int64_t sequence);

// The length of the line whose turn it is; 0 when it has not come yet.
size_t ahead_turn(struct ahead *a);

// As that, when no other lines will come: numbers that have none are passed over. 0: none is left.
size_t ahead_turn_at_end(struct ahead *a);

struct ahead_line {
    int64_t index; // as it was added
    bool is_saved; // it is in a file that outlives the process
};

// Appends the line whose turn it is to `out`, which must have room for it, and advances. False: it
// cannot be read, see ahead_failure().
bool ahead_take(struct ahead *a, struct buf *out, struct ahead_line *line);

// Writes what was added since the last call and still waits to a side file: *count lines. False: see
// ahead_failure().
bool ahead_flush(struct ahead *a, int64_t *count);

// Syncs the side files. False with errno set.
bool ahead_sync(struct ahead *a);

// Whatever was taken is now safe elsewhere: side files that nobody waits in are emptied.
void ahead_recycle(struct ahead *a);

// Gives up lines that no file keeps for another run, and says how many.
int64_t ahead_lose(struct ahead *a);

// What went wrong, in words, with errno as it was.
const char *ahead_failure(const struct ahead *a);

// What the side files hold, waiting or not, and the files with the places: for the tests that hold it
// to its promise.
int64_t ahead_file_bytes(const struct ahead *a);

#endif
