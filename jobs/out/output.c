// output.c: gathers result lines and writes them, whole ones only. Writer thread; owns the file.
// SPDX-License-Identifier: MIT
#include "jobs/out/output.h"

#include "jobs/base/io.h"
#include "jobs/base/log.h"
#include "jobs/out/output_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define GATHER_BYTES ((size_t)256 * 1024)

// Lines whose turn has come are written in pieces of this size, so that results which arrive meanwhile
// are not kept from the disk.
#define TURN_BYTES ((size_t)4 * 1024 * 1024)

static int64_t count_lines(struct slice s) {
    int64_t count = 0;
    const char *end = s.p + s.n;
    for (const char *p = s.p; p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
        count++;
    return count;
}

static const char *advice(const struct output *o) {
    return o->claim.regular
               ? o->ahead
                     ? "what is in the file and in those beside it (.ahead) is whole: put that "
                       "right and run the same command again to get the rest"
                     : "what is in the file is whole: put that right and run the same command "
                       "again to get the rest"
               : "run again with -o FILE to have them in a file";
}

static bool report(const struct output *o, struct error *err) {
    return error_set(err, ERROR_OUTPUT, "%s: %s: %lld result%s not saved; %s", o->path, o->failure,
                     (long long)o->unsaved, o->unsaved == 1 ? "" : "s", advice(o));
}

// One more line in `gathered`; with ordered results it is known whose.
static void count_gathered(struct output *o, int64_t index, bool is_saved) {
    o->gathered_lines++;
    if (o->ahead)
        buf_add_char(&o->saved, is_saved);
    if (o->ranks)
        ranks_add(o->ranks, index);
}

static void fail(struct output *o, const char *what, int64_t unsaved) {
    snprintf(o->failure, sizeof o->failure, "%s", what);
    o->unsaved += unsaved;
    if (o->ahead)
        o->unsaved += ahead_lose(o->ahead);
    buf_recycle(&o->gathered, 0);
    buf_recycle(&o->saved, 0);
    o->gathered_lines = 0;
}

// How many of the gathered lines, from this one on, no side file keeps.
static int64_t only_gathered(const struct output *o, int64_t from) {
    int64_t count = o->gathered_lines - from;
    for (int64_t i = from; o->ahead && i < o->gathered_lines; i++)
        count -= o->saved.p[i];
    return count;
}

static void note_written(struct output *o, size_t bytes, int64_t lines) {
    int64_t first = only_gathered(o, 0) - only_gathered(o, lines);
    o->whole += (int64_t)bytes;
    o->unsynced += first;
    o->moved = o->moved || first < lines;
}

// What arrived of the gathered bytes stays as far as it is whole lines. Should the cut fail too,
// the next run finds a torn last line and repairs it.
static void write_failed(struct output *o, size_t written, int code) {
    struct slice all = buf_slice(&o->gathered);
    const char *last = written ? memrchr(all.p, '\n', written) : NULL;
    size_t kept = last ? (size_t)(last + 1 - all.p) : 0;
    int64_t lost = count_lines(slice_of(all.p + kept, all.n - kept));
    note_written(o, kept, o->gathered_lines - lost);
    if (o->claim.regular && kept < written && ftruncate(o->claim.fd, (off_t)o->whole) != 0)
        log_warn("%s: cannot be cut to its last whole line: %s; the next run will do it", o->path,
                 strerror(errno));
    fail(o, strerror(code), only_gathered(o, o->gathered_lines - lost));
}

static bool write_gathered(struct output *o, struct error *err) {
    size_t written;
    if (o->gathered.n == 0)
        return true;
    errno = 0;
    if (!io_write_all(o->claim.fd, buf_slice(&o->gathered), &written)) {
        write_failed(o, written, errno ? errno : EIO);
        return report(o, err);
    }
    note_written(o, written, o->gathered_lines);
    o->gathered_lines = 0;
    buf_recycle(&o->gathered, 2 * GATHER_BYTES);
    buf_clear(&o->saved);
    return true;
}

// ---- in order ----

static bool early_failed(struct output *o, struct error *err) {
    char what[160];
    const char *where = ahead_failure(o->ahead);
    snprintf(what, sizeof what, "%s: %s", where, strerror(errno));
    fail(o, what, only_gathered(o, 0));
    return report(o, err);
}

// Gathers early lines whose turn has come, and writes, up to so many bytes.
static bool take_turns(struct output *o, size_t most, struct error *err) {
    struct ahead_line line;
    size_t n;
    for (size_t taken = 0; taken < most && (n = ahead_turn(o->ahead)); taken += n) {
        bool full = o->gathered.n >= GATHER_BYTES || n > o->gathered.max - o->gathered.n;
        if (full && !write_gathered(o, err))
            return false;
        if (!ahead_take(o->ahead, &o->gathered, &line))
            return early_failed(o, err);
        count_gathered(o, line.index, line.is_saved);
    }
    return true;
}

static bool may_recycle(const struct output *o) {
    return !o->claim.regular || o->sync == OUTPUT_SYNC_NONE;
}

static bool flush_early(struct output *o, struct error *err) {
    int64_t count;
    bool good = ahead_flush(o->ahead, &count);
    o->unsynced += count;
    if (good && may_recycle(o))
        ahead_recycle(o->ahead);
    return good || early_failed(o, err);
}

bool output_flush(struct output *o, struct error *err) {
    if (o->failure[0])
        return report(o, err);
    if (!o->ahead)
        return write_gathered(o, err);
    return take_turns(o, TURN_BYTES, err) && write_gathered(o, err) && flush_early(o, err);
}

void output_pass(struct output *o, const struct job *job) {
    if (o->ahead && !o->failure[0])
        ahead_pass(o->ahead, job->sequence);
}

// ---- on the disk ----

int64_t output_sync_due(const struct output *o) {
    bool has_more = o->ahead && !o->failure[0] && ahead_turn(o->ahead);
    return has_more ? 0 : o->sync_due;
}

static bool sync_early(struct output *o) {
    return !o->ahead || ahead_sync(o->ahead);
}

// What may be lost stays counted: a disk that failed once is not asked again whether it has it now.
static bool sync_now(struct output *o, struct error *err) {
    char what[120];
    o->sync_due = TIME_NEVER;
    if (claim_sync(&o->claim) && sync_early(o)) {
        o->unsynced = 0;
        o->moved = false;
        if (o->ahead)
            ahead_recycle(o->ahead);
        inflight_sync(o->inflight);
        return true;
    }
    snprintf(what, sizeof what,
             "cannot be synced: %s: the last %lld result%s may not survive a crash",
             strerror(errno), (long long)o->unsynced, o->unsynced == 1 ? "" : "s");
    fail(o, what, only_gathered(o, 0));
    return report(o, err);
}

static bool has_unsynced(const struct output *o) {
    return o->claim.regular && o->sync != OUTPUT_SYNC_NONE && (o->unsynced || o->moved);
}

// ---- other programs ----

static bool report_touched(const struct output *o, struct error *err) {
    return error_set(err, ERROR_OUTPUT,
                     "%s: %s while the run went on: results may be missing there, or be in another "
                     "place; put that right and run the same command again to get the rest",
                     o->path, o->touched);
}

static void look_for_touch(struct output *o) {
    if (!o->touched)
        o->touched = claim_touched(&o->claim, o->whole);
}

bool output_is_touched(const struct output *o) {
    return o->touched && !o->failure[0];
}

void output_renew_time(struct output *o) {
    claim_renew_time(&o->claim);
}

bool output_sync(struct output *o, int64_t now, struct error *err) {
    if (o->failure[0])
        return report(o, err);
    if (now - o->looked_at >= OUTPUT_LOOK_AFTER) {
        o->looked_at = now;
        look_for_touch(o);
    }
    if (o->touched)
        return report_touched(o, err);
    if (!has_unsynced(o))
        return true;
    if (o->sync_due == TIME_NEVER)
        o->sync_due = o->sync == OUTPUT_SYNC_EACH ? now : now + OUTPUT_SYNC_AFTER;
    return now < o->sync_due || sync_now(o, err);
}

// The line that does not fit is the only one lost; those before it are written.
static bool too_long(struct output *o, const struct job *job, struct error *err) {
    char what[120];
    if (output_flush(o, err)) {
        snprintf(what, sizeof what,
                 "the result of row %lld is longer than 1 GiB (see --no-input, "
                 "--max-reply-bytes)",
                 (long long)job->index + 1);
        fail(o, what, 1);
    } else {
        o->unsaved++;
    }
    return report(o, err);
}

static void add_in_turn(struct output *o, const struct job *job) {
    count_gathered(o, job->index, false);
    if (o->ahead)
        ahead_advance(o->ahead);
}

bool output_add(struct output *o, const struct job *job, struct error *err) {
    if (o->failure[0]) {
        o->unsaved++;
        return report(o, err);
    }
    bool is_early = o->ahead && job->sequence != ahead_next(o->ahead);
    struct buf *into = is_early ? ahead_buf(o->ahead) : &o->gathered;
    size_t before = into->n;
    line_add(into, job, &o->line);
    if (job->result.outcome != OUTCOME_BAD_INPUT)
        o->line.tell_settings = false;
    if (into->failed) {
        into->n = before;
        into->failed = false;
        return too_long(o, job, err);
    }
    if (is_early)
        ahead_add(o->ahead, job->sequence, before, job->index);
    else
        add_in_turn(o, job);
    if (job->replaces)
        resume_give_up(&o->resume, job->replaces);
    return into->n < GATHER_BYTES || output_flush(o, err);
}

// The file without the lines that others took the place of, and in the order of the input if it is to
// be. Until the new one is synced and has taken the name, the old one is untouched.
static bool write_anew(struct output *o, bool sort, struct error *err) {
    int64_t bytes;
    int fd = claim_aside(&o->claim, err);
    if (fd < 0)
        return false;
    if (!(sort ? ranks_copy(o->ranks, o->claim.fd, fd, &bytes)
               : resume_copy(&o->resume, o->claim.fd, fd, &bytes))) {
        error_set(err, ERROR_OUTPUT,
                  "%s: cannot be written: %s; all results are in %s, %s: make room and run again",
                  o->claim.aside, strerror(errno), o->path,
                  sort ? "but not in the order of the input"
                       : "some rows with an earlier one beside the last");
        claim_discard(&o->claim, fd);
        return false;
    }
    o->whole = bytes;
    return claim_swap(&o->claim, fd, err);
}

// The file's name is gone or another's, but the file is there until it is closed.
static bool write_again(struct output *o, bool sort, struct error *err) {
    struct error why = {0};
    if (write_anew(o, sort, &why))
        return error_set(err, ERROR_OUTPUT,
                         "%s: %s while the run went on; it has been written anew, with all results "
                         "so far: run the same command again to get the rest",
                         o->path, o->touched);
    if (access(o->claim.aside, F_OK) == 0) {
        *err = why;
        return false;
    }
    return error_set(
        err, ERROR_OUTPUT,
        "%s: %s while the run went on, and cannot be written anew: its results are lost", o->path,
        o->touched);
}

// What is still early has its turn now: nothing comes any more that it might wait for.
static bool flush_all(struct output *o, struct error *err) {
    bool more = true;
    while (more) {
        if (o->ahead && !o->failure[0])
            ahead_turn_at_end(o->ahead);
        if (!output_flush(o, err))
            return false;
        more = o->ahead && ahead_turn_at_end(o->ahead);
    }
    return true;
}

// Nothing of the side files is needed once the results are safe.
static bool end_early(struct output *o, struct error *err) {
    if (o->ahead && has_unsynced(o) && !sync_now(o, err))
        return false;
    ahead_free(o->ahead, false);
    o->ahead = NULL;
    return true;
}

// Everything on disk, or err says what is not.
static bool settle(struct output *o, struct error *err) {
    if (!flush_all(o, err)) {
        if (has_unsynced(o)) { // what is there is to stay; the failure before says more
            claim_sync(&o->claim);
            sync_early(o);
        }
        return false;
    }
    if (!end_early(o, err))
        return false;
    bool sort = o->ranks && !ranks_are_right(o->ranks);
    look_for_touch(o);
    if (o->touched && !claim_has_name(&o->claim))
        return write_again(o, sort, err);
    if (o->touched) { // which line is where is no longer known: what is there stays
        claim_sync(&o->claim);
        return report_touched(o, err);
    }
    if (o->claim.regular && (sort || resume_drops(&o->resume)))
        return write_anew(o, sort, err);
    return !has_unsynced(o) || sync_now(o, err);
}

void output_written(struct output *o, struct job *job) {
    inflight_written(o->inflight, job);
}

bool output_close(struct output *o, struct error *err) {
    if (!o)
        return true;
    bool good = settle(o, err);
    inflight_close(o->inflight); // while the lock is held
    bool standard = o->claim.fd == STDOUT_FILENO && !o->claim.path;
    if (!standard && !claim_close(&o->claim))
        good =
            error_set(err, ERROR_OUTPUT, "%s: closing it failed: %s; the last results may be lost",
                      o->path, strerror(errno));
    output_free(o);
    return good;
}
