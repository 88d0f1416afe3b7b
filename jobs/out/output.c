// output.c: gathers result lines and writes them, whole ones only. Writer thread; owns the file.
// SPDX-License-Identifier: MIT
#include "jobs/out/output.h"

#include "jobs/base/die.h"
#include "jobs/base/io.h"
#include "jobs/base/log.h"
#include "jobs/out/claim.h"
#include "jobs/out/resume.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define GATHER_BYTES ((size_t)256 * 1024)

struct output {
    struct claim claim;
    struct line_options line;
    struct sent *sent;
    char *path; // as the user wrote it, or "standard output"
    struct resume resume;
    bool shares_ids; // with who reads the input
    struct inflight *inflight;
    enum output_sync sync;
    struct buf gathered;
    int64_t gathered_lines;
    int64_t whole;     // bytes in the file, all of them whole lines
    int64_t unsynced;  // lines of them that were written since the last sync
    int64_t sync_due;  // TIME_NEVER while there are none, or none that anybody has looked at
    int64_t unsaved;   // lines that a failure kept off the disk
    char failure[200]; // what went wrong; "" while nothing has
};

static int64_t count_lines(struct slice s) {
    int64_t count = 0;
    const char *end = s.p + s.n;
    for (const char *p = s.p; p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
        count++;
    return count;
}

static bool cut(struct output *o, struct error *err) {
    return ftruncate(o->claim.fd, (off_t)o->whole) == 0 ||
           error_set(err, ERROR_OUTPUT, "%s: cannot be cut to its last whole line: %s", o->path,
                     strerror(errno));
}

static bool take_up(struct output *o, const struct output_options *options, struct error *err) {
    struct resume_options how = {.path = o->path,
                                 .format = options->line.format,
                                 .keep_failed = options->no_retry_failed,
                                 .sent = o->sent};
    if (!o->claim.regular)
        return true;
    if (options->overwrite)
        return cut(o, err);
    if (!resume_scan(&o->resume, o->claim.fd, &how, err))
        return false;
    o->whole = o->resume.whole;
    if (o->resume.torn)
        log_info("%s: the last line was cut short by a crash and is taken out", o->path);
    return !o->resume.torn || cut(o, err);
}

// A new file's name, before anything is sent: results that nobody finds again are lost too.
static bool name_is_safe(const struct output *o, struct error *err) {
    return o->sync == OUTPUT_SYNC_NONE || claim_sync_name(&o->claim) ||
           error_set(err, ERROR_OUTPUT, "%s: its directory cannot be synced: %s", o->path,
                     strerror(errno));
}

static bool is_done(const void *context, struct slice id, uint64_t sent) {
    return resume_is_done(context, id, sent);
}

// Nothing has been sent yet; results that somebody reads from a pipe cannot be gone on with.
static bool take_up_inflight(struct output *o, const struct output_options *options,
                             struct error *err) {
    struct buf path = BUF_INIT(1u << 16);
    struct inflight_options how = {.results = o->path,
                                   .jobs_most = options->jobs_most,
                                   .overwrite = options->overwrite,
                                   .sync_name = o->sync != OUTPUT_SYNC_NONE,
                                   .is_done = is_done,
                                   .context = &o->resume};
    if (o->claim.path && options->jobs_most) {
        buf_addf(&path, "%s.inflight", o->claim.path);
        how.path = buf_cstr(&path);
    }
    o->inflight = inflight_open(&how, err);
    buf_free(&path);
    return o->inflight != NULL;
}

static void output_free(struct output *o) {
    resume_free(&o->resume);
    sent_free(o->sent);
    buf_free(&o->gathered);
    free(o->path);
    free(o);
}

struct output *output_open(const struct output_options *options, struct error *err) {
    struct output *o = mem_zero(1, sizeof *o);
    bool standard = strcmp(options->path, "-") == 0;
    const char *path = standard ? "standard output" : options->path;
    o->path = mem_text(path, strlen(path));
    o->line = options->line;
    o->sent = sent_new(&options->sent);
    o->sync = options->sync;
    o->sync_due = TIME_NEVER;
    o->gathered = BUF_INIT(RESULT_LINE_MAX);
    o->claim.fd = STDOUT_FILENO;
    if ((standard ||
         (claim_open(&o->claim, path, err) && name_is_safe(o, err) && take_up(o, options, err))) &&
        take_up_inflight(o, options, err))
        return o;
    claim_close(&o->claim);
    output_free(o);
    return NULL;
}

enum row_before output_look(struct output *o, struct job *job) {
    int64_t line;
    bool asked_for = o->line.format != OUTPUT_NATIVE || o->line.no_input || o->resume.lines;
    job->sent = asked_for ? sent_hash(o->sent, job->input) : 0;
    enum row_before before = resume_look(&o->resume, job->id, job->sent, &line);
    bool bad = job->result.outcome == OUTCOME_BAD_INPUT;
    if (o->shares_ids)
        resume_pass(&o->resume, job->id, job->line_no);
    if (before == ROW_FAILED || (before == ROW_CHANGED && !bad))
        job->replaces = line;
    inflight_find(o->inflight, job);
    if (before == ROW_DONE || (before == ROW_CHANGED && bad))
        inflight_written(o->inflight, job);
    return before;
}

struct ids *output_share_ids(struct output *o) {
    o->shares_ids = o->resume.rows > 0;
    return o->shares_ids ? o->resume.ids : NULL;
}

struct inflight *output_inflight(const struct output *o) {
    return o->inflight;
}

void output_forget_rest(struct output *o) {
    inflight_forget_rest(o->inflight);
}

void output_written(struct output *o, struct job *job) {
    inflight_written(o->inflight, job);
}

int64_t output_unseen(const struct output *o) {
    return resume_unseen(&o->resume);
}

int64_t output_kept_failed(const struct output *o) {
    return o->resume.failed_done;
}

static const char *advice(const struct output *o) {
    return o->claim.regular
               ? "what is in the file is whole: put that right and run the same command "
                 "again to get the rest"
               : "run again with -o FILE to have them in a file";
}

static bool report(const struct output *o, struct error *err) {
    return error_set(err, ERROR_OUTPUT, "%s: %s: %lld result%s not saved; %s", o->path, o->failure,
                     (long long)o->unsaved, o->unsaved == 1 ? "" : "s", advice(o));
}

static void fail(struct output *o, const char *what, int64_t unsaved) {
    snprintf(o->failure, sizeof o->failure, "%s", what);
    o->unsaved += unsaved;
    buf_recycle(&o->gathered, 0);
    o->gathered_lines = 0;
}

// What arrived of the gathered bytes stays as far as it is whole lines. Should the cut fail too,
// the next run finds a torn last line and repairs it.
static void write_failed(struct output *o, size_t written, int code) {
    struct slice all = buf_slice(&o->gathered);
    const char *last = written ? memrchr(all.p, '\n', written) : NULL;
    size_t kept = last ? (size_t)(last + 1 - all.p) : 0;
    int64_t lost = count_lines(slice_of(all.p + kept, all.n - kept));
    o->whole += (int64_t)kept;
    o->unsynced += o->gathered_lines - lost;
    if (o->claim.regular && kept < written && ftruncate(o->claim.fd, (off_t)o->whole) != 0)
        log_warn("%s: cannot be cut to its last whole line: %s; the next run will do it", o->path,
                 strerror(errno));
    fail(o, strerror(code), lost);
}

bool output_flush(struct output *o, struct error *err) {
    size_t written;
    if (o->failure[0])
        return report(o, err);
    if (o->gathered.n == 0)
        return true;
    errno = 0;
    if (!io_write_all(o->claim.fd, buf_slice(&o->gathered), &written)) {
        write_failed(o, written, errno ? errno : EIO);
        return report(o, err);
    }
    o->whole += (int64_t)written;
    o->unsynced += o->gathered_lines;
    o->gathered_lines = 0;
    buf_recycle(&o->gathered, 2 * GATHER_BYTES);
    return true;
}

int64_t output_sync_due(const struct output *o) {
    return o->sync_due;
}

// What may be lost stays counted: a disk that failed once is not asked again whether it has it now.
static bool sync_now(struct output *o, struct error *err) {
    char what[120];
    o->sync_due = TIME_NEVER;
    if (claim_sync(&o->claim)) {
        o->unsynced = 0;
        inflight_sync(o->inflight);
        return true;
    }
    snprintf(what, sizeof what,
             "cannot be synced: %s: the last %lld result%s may not survive a crash",
             strerror(errno), (long long)o->unsynced, o->unsynced == 1 ? "" : "s");
    fail(o, what, o->gathered_lines);
    return report(o, err);
}

static bool has_unsynced(const struct output *o) {
    return o->claim.regular && o->sync != OUTPUT_SYNC_NONE && o->unsynced;
}

bool output_sync(struct output *o, int64_t now, struct error *err) {
    if (o->failure[0])
        return report(o, err);
    if (!has_unsynced(o))
        return true;
    if (o->sync_due == TIME_NEVER)
        o->sync_due = o->sync == OUTPUT_SYNC_EACH ? now : now + OUTPUT_SYNC_AFTER;
    return now < o->sync_due || sync_now(o, err);
}

// The line that does not fit is the only one lost; those before it are written.
static bool too_long(struct output *o, const struct job *job, size_t before, struct error *err) {
    char what[120];
    o->gathered.n = before;
    o->gathered.failed = false;
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

bool output_add(struct output *o, const struct job *job, struct error *err) {
    if (o->failure[0]) {
        o->unsaved++;
        return report(o, err);
    }
    size_t before = o->gathered.n;
    line_add(&o->gathered, job, &o->line);
    if (o->gathered.failed)
        return too_long(o, job, before, err);
    o->gathered_lines++;
    if (job->replaces)
        resume_give_up(&o->resume, job->replaces);
    return o->gathered.n < GATHER_BYTES || output_flush(o, err);
}

// The file without the lines that others took the place of. Until the new one is synced and has taken
// the name, the old one is untouched.
static bool drop_lines(struct output *o, struct error *err) {
    int64_t bytes;
    int fd = claim_aside(&o->claim, err);
    if (fd < 0)
        return false;
    if (!resume_copy(&o->resume, o->claim.fd, fd, &bytes)) {
        error_set(err, ERROR_OUTPUT,
                  "%s: cannot be written: %s; all results are in %s, some rows with an earlier one "
                  "beside the last: make room and run again",
                  o->claim.aside, strerror(errno), o->path);
        claim_discard(&o->claim, fd);
        return false;
    }
    o->whole = bytes;
    return claim_swap(&o->claim, fd, err);
}

// Everything on disk, or err says what is not.
static bool settle(struct output *o, struct error *err) {
    if (!output_flush(o, err)) {
        if (has_unsynced(o))
            claim_sync(&o->claim); // what is there is to stay; the failure before says more
        return false;
    }
    if (o->claim.regular && resume_drops(&o->resume))
        return drop_lines(o, err);
    return !has_unsynced(o) || sync_now(o, err);
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
