// The rows in doubt: what was sent, and whose answer is not in the results file yet. They are kept in a
// small file beside it, so that after a crash the next run can say what may have been paid twice.
//
// The file is mapped: a note costs a copy and a hash, and survives the end of the process at any
// instruction. A power cut it survives as far as inflight_sync() came. Each job has a record of its
// own there for as long as it lives, so whoever owns the job owns the record, and there are no locks.
//   1. inflight_open() once the results file is locked and read: tells which rows of earlier runs are
//      still in doubt, and keeps them;
//   2. inflight_find() when a row is read: it goes on where an earlier run left it;
//   3. inflight_sent(), and inflight_answered() for an answer that is no result; nothing for one that
//      is lost, and nothing yet for a result;
//   4. inflight_written() once the row's line is in the results file, which ends the doubt;
//   5. inflight_close() takes the file away if no row is left in it.
// A job that goes back without a line leaves its record behind if it is in doubt (job_clear()).
//
// Nothing secret is in it: ids, the names of keys, times. It is for this machine alone (byte order).
// SPDX-License-Identifier: MIT
#ifndef JOBS_OUT_INFLIGHT_H
#define JOBS_OUT_INFLIGHT_H

#include "jobs/base/error.h"
#include "jobs/job.h"

struct inflight;

// Ids up to this length are kept whole, longer ones are cut.
#define INFLIGHT_ID_MAX 144

struct inflight_options {
    const char *path;    // NULL: there is no file, only keys are made
    const char *results; // what messages call the results file
    size_t jobs_most;    // jobs there can be at a time
    bool overwrite;      // what earlier runs left is forgotten
    bool sync_name;      // a new file's name is put on the disk
    // Whether the results file holds a line that ends the doubt. NULL: none does.
    bool (*is_done)(const void *context, struct slice id, uint64_t sent);
    const void *context;
};

// NULL, and err is filled (ERROR_USAGE): the name is taken by something else. A file that cannot be
// made, for want of room or rights, is a warning: the run then remembers nothing.
struct inflight *inflight_open(const struct inflight_options *options, struct error *err);

// How many rows of earlier runs are in doubt. Constant.
size_t inflight_found(const struct inflight *f);

// The row's notes of an earlier run become job->notes. Reader thread.
void inflight_find(struct inflight *f, struct job *job);

// Rows that inflight_find() has not met are not in the input: forgets them. Reader thread.
void inflight_forget_rest(struct inflight *f);

// An attempt leaves; job->result says which. `keyed`: it carries an idempotency key. Loop thread.
void inflight_sent(struct inflight *f, struct job *job, bool keyed);

// It was answered, but not with a result; or it never left. `paid`: for all that, it may have been
// paid. Loop thread.
void inflight_answered(struct inflight *f, struct job *job, bool paid);

// The row's line is in the results file. Whoever owns the job.
void inflight_written(struct inflight *f, struct job *job);

// Puts the file on the disk, as far as that works. Any thread.
void inflight_sync(const struct inflight *f);

// The idempotency key of the job's next attempt with this body, in the form of a UUID. The same as
// long as nothing was answered, in this run or the next ones; another after any answer.
#define INFLIGHT_KEY_SIZE 37
void inflight_key(const struct inflight *f, const struct job *job, struct slice body,
                  char key[INFLIGHT_KEY_SIZE]);

// NULL is fine.
void inflight_close(struct inflight *f);

#endif
