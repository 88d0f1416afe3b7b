// output_open.c: takes a results file up, and says of each row what it holds. Main thread before others
// start, then the reader's.
// SPDX-License-Identifier: MIT
#include "jobs/out/output_parts.h"

#include "jobs/base/die.h"
#include "jobs/base/json.h"
#include "jobs/base/log.h"
#include "jobs/out/side.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static bool cut(struct output *o, struct error *err) {
    return ftruncate(o->claim.fd, (off_t)o->whole) == 0 ||
           error_set(err, ERROR_OUTPUT, "%s: cannot be cut to its last whole line: %s", o->path,
                     strerror(errno));
}

// What a run that was killed left in side files.
static bool take_up_sides(struct output *o, const struct resume_options *how, struct error *err) {
    int64_t more;
    if (!side_take_in(&o->claim, how, o->whole, &more, err))
        return false;
    o->whole += more;
    return !more || resume_scan_on(&o->resume, o->claim.fd, how, err);
}

// "model "a" -> "b"", or only what it is now.
static void add_other(const struct output *o, const struct run_settings *now, int setting,
                      struct buf *out) {
    struct slice told = o->resume.other_told.n
                            ? json_get(buf_slice(&o->resume.other_told), setting_names[setting])
                            : SLICE_NONE;
    buf_addf(out, "%s%s ", out->n ? ", " : "", setting_names[setting]);
    if (told.n)
        buf_addf(out, "%.*s -> ", SLICE_ARG(told));
    else
        buf_add_str(out, "is now ");
    buf_add_slice(out, buf_slice(&now->texts[setting]));
}

static bool refuse_others(const struct output *o, const struct run_settings *now,
                          struct error *err) {
    struct buf what = BUF_INIT(1 << 16);
    for (int i = 0; i < SETTINGS; i++)
        if (o->resume.which_other & 1u << i)
            add_other(o, now, i, &what);
    long long count = (long long)o->resume.others;
    error_set(err, ERROR_USAGE,
              "%s: %lld row%s answered with other settings: %s; nothing was sent: --changed resend "
              "sends %s again, --changed keep keeps the old answers, -o names another file",
              o->path, count, count == 1 ? " was" : "s were", buf_cstr(&what),
              count == 1 ? "it" : "them");
    buf_free(&what);
    return false;
}

static bool take_up(struct output *o, const struct output_options *options, struct error *err) {
    struct resume_options how = {.path = o->path,
                                 .format = options->line.format,
                                 .keep_failed = options->no_retry_failed,
                                 .settings = options->settings,
                                 .resend_others = options->changed == OUTPUT_CHANGED_RESEND,
                                 .keep_others = options->changed == OUTPUT_CHANGED_KEEP,
                                 .sent = o->sent};
    if (!o->claim.regular)
        return true;
    if (options->overwrite)
        return side_remove_all(&o->claim, err);
    if (!resume_scan(&o->resume, o->claim.fd, &how, err))
        return false;
    o->whole = o->resume.whole;
    if (o->resume.torn)
        log_info("%s: the last line was cut short by a crash and is taken out", o->path);
    return (!o->resume.torn || cut(o, err)) && take_up_sides(o, &how, err) &&
           (options->changed != OUTPUT_CHANGED_ASK || !o->resume.others ||
            refuse_others(o, options->settings, err));
}

// A new file's name, before anything is sent: results that nobody finds again are lost too.
static bool name_is_safe(const struct output *o, struct error *err) {
    return o->sync == OUTPUT_SYNC_NONE || claim_sync_name(&o->claim) ||
           error_set(err, ERROR_OUTPUT, "%s: its directory cannot be synced: %s", o->path,
                     strerror(errno));
}

static bool start_ordered(struct output *o, struct error *err) {
    o->ahead = ahead_new(o->claim.regular ? &o->claim : NULL, RESULT_LINE_MAX);
    if (o->resume.lines)
        o->ranks = ranks_new(&o->resume);
    if (ahead_begin(o->ahead))
        return true;
    const char *where = ahead_failure(o->ahead);
    return error_set(err, claim_error_class(errno),
                     "%s: %s cannot be made: %s; --ordered keeps results there until their turn",
                     o->path, where, strerror(errno));
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

void output_free(struct output *o) {
    ahead_free(o->ahead, true);
    ranks_free(o->ranks);
    resume_free(&o->resume);
    sent_free(o->sent);
    buf_free(&o->gathered);
    buf_free(&o->saved);
    free(o->path);
    free(o);
}

// What is to be thrown away goes last, once nothing else can be in the way.
static bool start(struct output *o, const struct output_options *options, struct error *err) {
    return take_up_inflight(o, options, err) && (!options->ordered || start_ordered(o, err)) &&
           (!options->overwrite || !o->claim.regular || cut(o, err));
}

struct output *output_open(const struct output_options *options, struct error *err) {
    struct output *o = mem_zero(1, sizeof *o);
    bool standard = strcmp(options->path, "-") == 0;
    const char *path = standard ? "standard output" : options->path;
    o->path = mem_text(path, strlen(path));
    o->line = options->line;
    o->line.settings = options->settings;
    o->line.tell_settings = options->settings != NULL;
    o->sent = sent_new(&options->sent);
    o->sync = options->sync;
    o->sync_due = TIME_NEVER;
    o->gathered = BUF_INIT(RESULT_LINE_MAX);
    o->saved = BUF_INIT(SIZE_MAX / 2);
    o->claim.fd = STDOUT_FILENO;
    if ((standard ||
         (claim_open(&o->claim, path, err) && name_is_safe(o, err) && take_up(o, options, err))) &&
        start(o, options, err))
        return o;
    inflight_close(o->inflight);
    if (o->claim.path)
        claim_undo(&o->claim);
    claim_close(&o->claim);
    output_free(o);
    return NULL;
}

enum row_before output_look(struct output *o, struct job *job) {
    int64_t line;
    bool asked_for = o->line.format != OUTPUT_NATIVE || o->line.no_input || o->resume.lines;
    job->sent = asked_for ? sent_hash(o->sent, job->input) : 0;
    enum row_before before = o->shares_ids ? resume_pass(&o->resume, job, &line)
                                           : resume_look(&o->resume, job->id, job->sent, &line);
    bool bad = job->result.outcome == OUTCOME_BAD_INPUT;
    if (before == ROW_FAILED || (before == ROW_CHANGED && !bad))
        job->replaces = line;
    if (o->ranks && before != ROW_NEW)
        ranks_look(o->ranks, line, job->index);
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

int64_t output_unseen(const struct output *o) {
    return resume_unseen(&o->resume);
}

int64_t output_kept_failed(const struct output *o) {
    return o->resume.failed_done;
}
