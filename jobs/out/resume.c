// resume.c: says what stays of a results file. Main thread, before others start.
// SPDX-License-Identifier: MIT
#include "jobs/out/resume.h"

#include "jobs/base/io.h"
#include "jobs/out/readers.h"

#include <errno.h>
#include <unistd.h>

static void set_bit(struct buf *bits, int64_t line, bool value) {
    size_t place = (size_t)(line - 1) / 8;
    unsigned char bit = (unsigned char)(1u << ((line - 1) % 8));
    while (bits->n <= place)
        buf_add_char(bits, 0);
    char *byte = &bits->p[place];
    *byte = (char)(value ? (unsigned char)*byte | bit : (unsigned char)*byte & ~bit);
}

static bool has_bit(const struct buf *bits, int64_t line) {
    size_t place = (size_t)(line - 1) / 8;
    return (unsigned char)bits->p[place] >> ((line - 1) % 8) & 1;
}

// What is known of an id, as its number in the set: the line, whether that is ok, and the highest bits
// of what was sent. A changed row is taken for an unchanged one in 1 of 2^23 cases.
#define LINE_BITS 33
#define LINE_MOST ((INT64_C(1) << LINE_BITS) - 1)
#define OK_BIT    (INT64_C(1) << LINE_BITS)
#define OTHER_BIT (INT64_C(1) << (LINE_BITS + 1)) // has other settings than this run
#define SENT_AT   (LINE_BITS + 2)
#define SENT_BITS (IDS_NUMBER_BITS - 1 - SENT_AT)

static int64_t tag_of(uint64_t sent) {
    int64_t tag = (int64_t)(sent >> (64 - SENT_BITS));
    return sent && !tag ? 1 : tag;
}

static int64_t number_of(int64_t line, bool ok, uint64_t sent) {
    return line | (ok ? OK_BIT : 0) | tag_of(sent) << SENT_AT | IDS_RESULT;
}

static int64_t line_in(int64_t number) {
    return number & LINE_MOST;
}

static bool is_ok(int64_t number) {
    return number & OK_BIT;
}

static bool sent_the_same(int64_t a, int64_t b) {
    int64_t x = (a & ~IDS_RESULT) >> SENT_AT, y = (b & ~IDS_RESULT) >> SENT_AT;
    return !x || !y || x == y;
}

static void count_kept(struct resume *resume, int64_t number, int64_t by) {
    if (is_ok(number) && (number & OTHER_BIT))
        resume->others += by;
    if (is_ok(number))
        resume->kept_ok += by;
    else
        resume->kept_failed += by;
}

static void take_result(struct resume *resume, struct ids_key key, int64_t number) {
    int64_t before = ids_add_key(resume->ids, key, number);
    if (before && is_ok(before) && !is_ok(number) && sent_the_same(before, number))
        return;
    if (before) {
        set_bit(&resume->keep, line_in(before), false);
        count_kept(resume, before, -1);
        ids_change(resume->ids, key, number);
    }
    set_bit(&resume->keep, line_in(number), true);
    count_kept(resume, number, 1);
}

static bool refuse(const struct resume *resume, const struct resume_options *options,
                   struct slice line, struct error *err) {
    struct line_facts facts;
    bool other = false;
    for (int f = 0; f < OUTPUT_FORMATS; f++)
        other |= line_read(line, (enum output_format)f, &facts);
    const char *why = other ? "a result of another --format" : "no result of batch-run";
    return error_set(err, ERROR_USAGE,
                     "%s:%lld: this line is %s, so the file is left alone; choose another one with "
                     "-o, or --overwrite to lose what is in it",
                     options->path, (long long)resume->lines, why);
}

// The first one is shown to people, with its texts when they come.
static void note_other(struct resume *resume, const struct finding *line) {
    if (line->ok && !resume->which_other)
        resume->other = line->settings;
    if (line->ok)
        resume->which_other |= line->others;
    if (line->told.n && !resume->other_told.n)
        buf_add_slice(&resume->other_told, line->told);
}

// Each lookup is a trip to memory: it is sent for so many lines before.
#define FETCH_AHEAD 16

static bool take_lines(struct resume *resume, const struct resume_options *options,
                       const struct findings *found, struct error *err) {
    for (size_t i = 0; i < found->count; i++) {
        const struct finding *line = &found->lines[i];
        if (i + FETCH_AHEAD < found->count)
            ids_prefetch(resume->ids, found->lines[i + FETCH_AHEAD].key);
        resume->lines++;
        if (resume->lines > LINE_MOST)
            return error_set(err, ERROR_OUTPUT, "%s: has more lines than can be told apart",
                             options->path);
        set_bit(&resume->keep, resume->lines, false);
        set_bit(&resume->seen, resume->lines, false);
        if (line->bad_input)
            continue;
        int64_t number = number_of(resume->lines, line->ok, line->sent);
        if (line->others)
            note_other(resume, line);
        take_result(resume, line->key, number | (line->others ? OTHER_BIT : 0));
    }
    resume->whole += (int64_t)found->bytes.n;
    if (!found->refused.n)
        return true;
    resume->lines++;
    return refuse(resume, options, found->refused, err);
}

static bool take_torn(struct resume *resume, const struct resume_options *options,
                      struct slice piece, struct error *err) {
    if (resume->lines == 0 && !line_may_begin_with(piece, options->format)) {
        resume->lines++;
        return refuse(resume, options, piece, err);
    }
    resume->torn = true;
    return true;
}

static bool unreadable(const struct resume_options *options, struct error *err) {
    return error_set(err, ERROR_OUTPUT, "%s: cannot be read back to resume: %s", options->path,
                     strerror(errno));
}

// As many ids to each byte as up to here.
static void expect(struct resume *resume, int64_t bytes) {
    double share = resume->whole ? (double)bytes / (double)resume->whole : 1;
    ids_expect(resume->ids, (int64_t)((double)ids_count(resume->ids) * share));
}

static bool take_blocks(struct resume *resume, struct readers *readers,
                        const struct resume_options *options, struct error *err) {
    const struct findings *found;
    enum blocks_status status;
    while ((status = readers_next(readers, &found)) == BLOCKS_LINES) {
        if (!take_lines(resume, options, found, err))
            return false;
        expect(resume, readers_bytes(readers));
    }
    ids_expect(resume->ids, 0);
    switch (status) {
    case BLOCKS_TORN: return take_torn(resume, options, buf_slice(&found->bytes), err);
    case BLOCKS_UNREADABLE: return unreadable(options, err);
    case BLOCKS_TOO_LONG: resume->lines++; return refuse(resume, options, SLICE(""), err);
    default: return true;
    }
}

bool resume_scan_on(struct resume *resume, int fd, const struct resume_options *options,
                    struct error *err) {
    struct readers_options how = {.fd = fd,
                                  .from = resume->whole,
                                  .format = options->format,
                                  .ids = resume->ids,
                                  .settings = options->settings,
                                  .sent = options->sent};
    struct readers *readers = readers_start(&how);
    bool good = readers ? take_blocks(resume, readers, options, err) : unreadable(options, err);
    resume->rows = ids_count(resume->ids);
    readers_stop(readers);
    return good;
}

bool resume_scan(struct resume *resume, int fd, const struct resume_options *options,
                 struct error *err) {
    *resume = (struct resume){.ids = ids_new(),
                              .keep_failed = options->keep_failed,
                              .resend_others = options->resend_others,
                              .keep_others = options->keep_others,
                              .other_told = BUF_INIT(SIZE_MAX / 2),
                              .keep = BUF_INIT(SIZE_MAX / 2),
                              .seen = BUF_INIT(SIZE_MAX / 2)};
    return resume_scan_on(resume, fd, options, err);
}

bool resume_is_done(const struct resume *resume, struct slice id, uint64_t sent) {
    int64_t number = resume->ids ? ids_find(resume->ids, id) : 0;
    return number && (is_ok(number) || resume->keep_failed) &&
           sent_the_same(number, number_of(0, false, sent));
}

// Under another template nobody knows whether the row's own part changed: it is kept or sent as told.
static bool is_the_same(const struct resume *resume, int64_t number, uint64_t sent) {
    bool other = number & OTHER_BIT;
    if (other && resume->resend_others)
        return false;
    return (other && resume->keep_others && resume->which_other & 1u << SETTING_PROMPT) ||
           sent_the_same(number, number_of(0, false, sent));
}

static enum row_before judge(struct resume *resume, int64_t number, uint64_t sent, int64_t *line) {
    *line = 0;
    if (!(number & IDS_RESULT))
        return ROW_NEW;
    *line = line_in(number);
    if (!has_bit(&resume->seen, *line))
        resume->seen_count++;
    set_bit(&resume->seen, *line, true);
    bool same = is_the_same(resume, number, sent);
    if (is_ok(number))
        return same ? ROW_DONE : ROW_CHANGED;
    bool done = same && resume->keep_failed;
    resume->failed_done += done;
    return done ? ROW_DONE : ROW_FAILED;
}

enum row_before resume_look(struct resume *resume, struct slice id, uint64_t sent, int64_t *line) {
    return judge(resume, resume->ids ? ids_find(resume->ids, id) : 0, sent, line);
}

enum row_before resume_pass(struct resume *resume, const struct job *job, int64_t *line) {
    struct ids_key key = ids_key(resume->ids, job->id);
    int64_t number = ids_find_key(resume->ids, key);
    if (number & IDS_RESULT)
        ids_change(resume->ids, key, job->line_no);
    return judge(resume, number, job->sent, line);
}

void resume_give_up(struct resume *resume, int64_t line) {
    if (!has_bit(&resume->keep, line))
        return;
    set_bit(&resume->keep, line, false);
    resume->given_up++;
}

int64_t resume_unseen(const struct resume *resume) {
    return resume->rows - resume->seen_count;
}

bool resume_keeps(const struct resume *resume, int64_t line) {
    return line > resume->lines || has_bit(&resume->keep, line);
}

bool resume_drops(const struct resume *resume) {
    return resume->kept_ok + resume->kept_failed - resume->given_up < resume->lines;
}

static bool write_gathered(struct buf *out, int to, int64_t *bytes) {
    bool good = io_write_all(to, buf_slice(out), NULL);
    *bytes += (int64_t)out->n;
    buf_recycle(out, 2 * BLOCKS_BYTES);
    return good;
}

// Neighbours that stay are written together. *n: the number of the first line.
static bool copy_lines(const struct resume *resume, struct slice lines, int64_t *n,
                       struct buf *out) {
    struct slice line;
    for (; blocks_line(&lines, &line); ++*n)
        if (resume_keeps(resume, *n))
            buf_add_slice(out, line);
    return !out->failed;
}

static bool copy_blocks(const struct resume *resume, struct blocks *blocks, int to,
                        int64_t *bytes) {
    struct buf lines = BLOCKS_BUF, out = BUF_INIT(RESULT_LINE_MAX + 2 * BLOCKS_BYTES);
    enum blocks_status status = BLOCKS_LINES;
    bool good = true;
    int64_t n = 1;
    while (good && (status = blocks_next(blocks, &lines)) == BLOCKS_LINES)
        good = copy_lines(resume, buf_slice(&lines), &n, &out) &&
               (out.n < BLOCKS_BYTES || write_gathered(&out, to, bytes));
    bool shorter = status == BLOCKS_END && n <= resume->lines;
    if (good && (shorter || status == BLOCKS_TORN))
        errno = EIO; // somebody without the lock is at it
    good = good && status == BLOCKS_END && !shorter && write_gathered(&out, to, bytes);
    buf_free(&lines);
    buf_free(&out);
    return good;
}

bool resume_copy(const struct resume *resume, int from, int to, int64_t *bytes) {
    struct blocks blocks;
    *bytes = 0;
    bool good = blocks_open(&blocks, from, 0) && copy_blocks(resume, &blocks, to, bytes);
    blocks_free(&blocks);
    return good;
}

void resume_free(struct resume *resume) {
    ids_free(resume->ids);
    buf_free(&resume->keep);
    buf_free(&resume->seen);
    buf_free(&resume->other_told);
    *resume = (struct resume){0};
}
