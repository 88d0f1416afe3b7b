// The results file: appended to as jobs finish, read back to resume. It is the only truth.
//
// The caller:
//   1. output_open() before threads start: refuses a file that is no result file, takes the lock,
//      repairs a torn last line, and remembers which rows are done;
//   2. output_look(job) from the reader thread, to skip what is done;
//   3. output_add(), output_flush() and output_sync() from the writer thread;
//   4. output_close(): everything on disk, synced, and one line a row: the lines that new ones took the
//      place of are taken out. Until then they stay in the file, so that whatever ends the run earlier,
//      nothing is lost: the file is written anew beside the old one, synced, and takes its name.
//
// With `ordered` a line is written when all before it are; until then it waits in a side file that the
// next run takes up, ordered or not (jobs/out/ahead.h). What is added to a file that was there before
// may belong between its lines: output_close() then puts the file in the order of the input, with lines
// of rows that were not looked up at its end (jobs/out/ranks.h).
// The process must ignore SIGPIPE and SIGXFSZ, so that a write fails instead of killing it.
// SPDX-License-Identifier: MIT
#ifndef JOBS_OUT_OUTPUT_H
#define JOBS_OUT_OUTPUT_H

#include "jobs/base/clock.h"
#include "jobs/base/error.h"
#include "jobs/out/inflight.h"
#include "jobs/out/line.h"
#include "jobs/out/line_sent.h"
#include "jobs/out/resume.h"

// When what was written is put on the disk, to survive a power cut. (A kill loses nothing either
// way.) Only for regular files, not for standard output.
enum output_sync {
    OUTPUT_SYNC_NONE,     // when the system sees fit
    OUTPUT_SYNC_INTERVAL, // at most OUTPUT_SYNC_AFTER later, and at the end
    OUTPUT_SYNC_EACH,     // after each write
};

// What becomes of good results that were asked for with other settings.
enum output_changed {
    OUTPUT_CHANGED_ASK,    // output_open() refuses, and says what changed
    OUTPUT_CHANGED_RESEND, // their rows are ROW_CHANGED
    OUTPUT_CHANGED_KEEP,   // they stay
};

#define OUTPUT_SYNC_AFTER USEC_PER_SEC

struct output_options {
    const char *path; // "-" is standard output: nothing to resume from
    struct line_options line;
    bool overwrite; // start afresh: whatever the file holds is gone once output_open() returns
    const struct run_settings *settings; // what all rows ask for; NULL: that does not matter
    enum output_changed changed;
    bool no_retry_failed; // failed rows count as done
    enum output_sync sync;
    bool ordered;             // lines in the order of job.sequence; see below
    struct sent_options sent; // what a row's `input` says is sent
    size_t
        jobs_most; // jobs there can be at a time, for the file of rows in doubt; 0: there is none
};

struct output;

// A FIFO or a character device is written to, with nothing to resume from; a directory, a block
// device or a socket is refused.
//
// Beside it lies the file of rows in doubt (inflight.h), its name with .inflight: taken up here, kept
// in step by output_look(), output_written() and output_close().
struct output *output_open(const struct output_options *options, struct error *err);

// What the file says of the row that the job was made of. Fills in job->sent if the file or the row's
// line has a use for it, and job->replaces unless the row is done. Reader thread.
//
// A row that is no good (OUTCOME_BAD_INPUT) gets a line only if there is no answer that it would take
// the place of: a wrong option must not cost a file of them. Then this is ROW_DONE or ROW_CHANGED.
enum row_before output_look(struct output *o, struct job *job);

// The ids of the results, for source_share_ids(): rows of the input are then told apart with the same
// set. NULL: there are none. The output keeps it; only before the first output_look().
struct ids *output_share_ids(struct output *o);

// What attempts are noted in; the output's own.
struct inflight *output_inflight(const struct output *o);

// The input is at its end: rows of earlier runs that it does not have are in doubt no longer. Reader
// thread.
void output_forget_rest(struct output *o);

// How many results are of rows that were not looked up. Reader thread.
int64_t output_unseen(const struct output *o);

// How many rows were found done by a failed result (no_retry_failed).
int64_t output_kept_failed(const struct output *o);

// A job that ends without a line. Ordered results wait for it no longer.
void output_pass(struct output *o, const struct job *job);

// Adds the job's line; writes when enough has gathered. False: err is filled (ERROR_OUTPUT), with
// how many results are not on disk. After that nothing is written any more; further calls only
// count what is lost, and say so again.
bool output_add(struct output *o, const struct job *job, struct error *err);

// Writes what has gathered, whole lines: also to the side file, those that are early. After a failure the file ends with its last whole line.
bool output_flush(struct output *o, struct error *err);

// A job whose line was flushed without a failure is in doubt no longer.
void output_written(struct output *o, struct job *job);

// Syncs what was written once that is due, which it is OUTPUT_SYNC_AFTER after the first call that
// finds something to sync. To be called after each flush and whenever output_sync_due() has come.
// `now` is monotonic. False like output_flush(): err says how much may not survive.
bool output_sync(struct output *o, int64_t now, struct error *err);

// Also false, once OUTPUT_LOOK_AFTER has passed since the last look, when another program has cut,
// moved, replaced, deleted or written to the file. What comes then is still written, and
// output_is_touched() is true.
#define OUTPUT_LOOK_AFTER (USEC_PER_SEC / 4)
bool output_is_touched(const struct output *o);

// The run has done all there was to do: the file is newer than the input from now on, also when there
// was nothing to write, as make expects it.
void output_renew_time(struct output *o);

// TIME_NEVER when there is nothing to sync, 0 when the next output_flush() has more to write.
int64_t output_sync_due(const struct output *o);

// Flush, sync, release the lock, free. o may be NULL.
bool output_close(struct output *o, struct error *err);

#endif
