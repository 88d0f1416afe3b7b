// resume.c: reads a results file back in blocks and says what stays. Main thread, before others
// start.
// SPDX-License-Identifier: MIT
#include "jobs/out/resume.h"

#include "jobs/base/io.h"
#include "jobs/base/json.h"

#include <errno.h>
#include <unistd.h>

#define BLOCK ((size_t)256 * 1024)

// Lines out of a file: `line` is good until the next call.
struct lines {
    int fd;
    struct buf buf;
    size_t start;    // of the line to come
    size_t searched; // up to here there is no newline after start
    bool any;        // a whole line was handed out
};

enum line_kind { LINE_WHOLE, LINE_TORN, LINE_NONE, LINE_TOO_LONG, LINE_UNREADABLE };

static bool lines_open(struct lines *lines, int fd) {
    *lines = (struct lines){.fd = fd, .buf = BUF_INIT(RESULT_LINE_MAX + BLOCK)};
    return lseek(fd, 0, SEEK_SET) == 0;
}

static ssize_t read_some(int fd, char *p, size_t n) {
    ssize_t got;
    do
        got = io_read(fd, p, n);
    while (got < 0 && errno == EINTR);
    return got;
}

// Another block behind the unfinished line, which moves to the front.
static ssize_t lines_fill(struct lines *lines) {
    struct buf *b = &lines->buf;
    if (lines->start) {
        b->n -= lines->start;
        memmove(b->p, b->p + lines->start, b->n);
        lines->searched -= lines->start;
        lines->start = 0;
    }
    if (!buf_reserve(b, BLOCK))
        return -1;
    ssize_t got = read_some(lines->fd, b->p + b->n, BLOCK);
    if (got > 0)
        b->n += (size_t)got;
    return got;
}

static bool in_buffer(struct lines *lines, struct slice *line) {
    struct buf *b = &lines->buf;
    if (lines->searched == b->n)
        return false;
    char *newline = memchr(b->p + lines->searched, '\n', b->n - lines->searched);
    if (!newline) {
        lines->searched = b->n;
        return false;
    }
    char *start = b->p + lines->start;
    *line = slice_of(start, (size_t)(newline + 1 - start));
    lines->start = lines->searched = (size_t)(newline + 1 - b->p);
    lines->any = true;
    return true;
}

// A whole line comes with its newline. A first line that has grown for some blocks and does not
// look like a result ends the reading early, so that a foreign file is not gathered in memory
// first.
static enum line_kind lines_next(struct lines *lines, struct slice *line) {
    while (!in_buffer(lines, line)) {
        struct buf *b = &lines->buf;
        bool long_and_foreign = !lines->any && b->n >= 2 * BLOCK && b->p[0] != '{';
        ssize_t got = long_and_foreign ? -1 : lines_fill(lines);
        if (got > 0)
            continue;
        if (got < 0)
            return long_and_foreign || b->failed ? LINE_TOO_LONG : LINE_UNREADABLE;
        *line = slice_of(b->p, b->n);
        return b->n ? LINE_TORN : LINE_NONE;
    }
    return LINE_WHOLE;
}

static void set_keep(struct resume *resume, int64_t line, bool keep) {
    size_t place = (size_t)(line - 1) / 8;
    unsigned char bit = (unsigned char)(1u << ((line - 1) % 8));
    while (resume->keep.n <= place)
        buf_add_char(&resume->keep, 0);
    char *byte = &resume->keep.p[place];
    *byte = (char)(keep ? (unsigned char)*byte | bit : (unsigned char)*byte & ~bit);
}

static bool is_kept(const struct resume *resume, int64_t line) {
    size_t place = (size_t)(line - 1) / 8;
    return (unsigned char)resume->keep.p[place] >> ((line - 1) % 8) & 1;
}

// An ok line displaces a failed one that was kept before it was seen.
static bool keep_ok(struct resume *resume, struct slice id) {
    if (ids_add(resume->ok, id, resume->lines))
        return false;
    int64_t failed = ids_find(resume->failed, id);
    if (failed) {
        set_keep(resume, failed, false);
        resume->kept_failed--;
    }
    resume->kept_ok++;
    return true;
}

static bool keep_failed(struct resume *resume, struct slice id) {
    if (ids_find(resume->ok, id) || ids_add(resume->failed, id, resume->lines))
        return false;
    resume->kept_failed++;
    return true;
}

// The text of an id token; `space` is used if it has escapes.
static struct slice id_text(struct slice token, struct buf *space) {
    struct slice inside = slice_of(token.p + 1, token.n - 2);
    if (!memchr(inside.p, '\\', inside.n))
        return inside;
    buf_clear(space);
    json_string_decode(token, space);
    return buf_slice(space);
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

static bool take_line(struct resume *resume, const struct resume_options *options,
                      struct slice line, struct buf *space, struct error *err) {
    struct line_facts facts;
    resume->lines++;
    resume->whole += (int64_t)line.n;
    if (!line_read(line, options->format, &facts))
        return refuse(resume, options, line, err);
    struct slice id = id_text(facts.id_token, space);
    bool keep = false;
    if (facts.ok)
        keep = keep_ok(resume, id);
    else if (options->keep_failed && !facts.bad_input)
        keep = keep_failed(resume, id);
    set_keep(resume, resume->lines, keep);
    return true;
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

static bool scan_lines(struct resume *resume, struct lines *lines,
                       const struct resume_options *options, struct error *err) {
    struct buf space = BUF_INIT(RESULT_LINE_MAX);
    struct slice line;
    enum line_kind kind;
    bool good = true;
    while (good && (kind = lines_next(lines, &line)) == LINE_WHOLE)
        good = take_line(resume, options, line, &space, err);
    buf_free(&space);
    if (!good)
        return false;
    switch (kind) {
    case LINE_TORN: return take_torn(resume, options, line, err);
    case LINE_UNREADABLE: return unreadable(options, err);
    case LINE_TOO_LONG: resume->lines++; return refuse(resume, options, SLICE(""), err);
    default: return true;
    }
}

bool resume_scan(struct resume *resume, int fd, const struct resume_options *options,
                 struct error *err) {
    struct lines lines;
    *resume = (struct resume){.ok = ids_new(), .failed = ids_new(), .keep = BUF_INIT(SIZE_MAX / 2)};
    bool good = lines_open(&lines, fd) ? scan_lines(resume, &lines, options, err)
                                       : unreadable(options, err);
    buf_free(&lines.buf);
    return good;
}

bool resume_drops(const struct resume *resume) {
    return resume->kept_ok + resume->kept_failed < resume->lines;
}

// Neighbours that stay are written together.
static bool copy_lines(const struct resume *resume, struct lines *lines, int to, int64_t *bytes) {
    struct buf out = BUF_INIT(RESULT_LINE_MAX + 2 * BLOCK);
    struct slice line;
    bool good = true;
    for (int64_t n = 1; good && n <= resume->lines; n++) {
        enum line_kind kind = lines_next(lines, &line);
        good = kind == LINE_WHOLE;
        if (kind == LINE_NONE || kind == LINE_TORN)
            errno = EIO; // shorter than a moment ago: somebody without the lock is at it
        if (good && is_kept(resume, n))
            buf_add_slice(&out, line);
        if (good && (out.n >= BLOCK || n == resume->lines)) {
            good = io_write_all(to, buf_slice(&out), NULL);
            *bytes += (int64_t)out.n;
            buf_recycle(&out, 2 * BLOCK);
        }
    }
    buf_free(&out);
    return good;
}

bool resume_copy(const struct resume *resume, int from, int to, int64_t *bytes) {
    struct lines lines;
    *bytes = 0;
    bool good = lines_open(&lines, from) && copy_lines(resume, &lines, to, bytes);
    int code = errno;
    buf_free(&lines.buf);
    errno = code;
    return good;
}

bool resume_has(const struct resume *resume, struct slice id) {
    return resume->ok && (ids_find(resume->ok, id) || ids_find(resume->failed, id));
}

void resume_free(struct resume *resume) {
    ids_free(resume->ok);
    ids_free(resume->failed);
    buf_free(&resume->keep);
    *resume = (struct resume){0};
}
