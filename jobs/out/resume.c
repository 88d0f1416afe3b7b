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
// of what was sent. A changed row is taken for an unchanged one in 1 of 2^24 cases.
#define LINE_BITS 33
#define LINE_MOST ((INT64_C(1) << LINE_BITS) - 1)
#define OK_BIT    (INT64_C(1) << LINE_BITS)
#define SENT_BITS (IDS_NUMBER_BITS - 1 - LINE_BITS - 1)

static int64_t tag_of(uint64_t sent) {
    int64_t tag = (int64_t)(sent >> (64 - SENT_BITS));
    return sent && !tag ? 1 : tag;
}

static int64_t number_of(int64_t line, bool ok, uint64_t sent) {
    return line | (ok ? OK_BIT : 0) | tag_of(sent) << (LINE_BITS + 1) | IDS_RESULT;
}

static int64_t line_in(int64_t number) {
    return number & LINE_MOST;
}

static bool is_ok(int64_t number) {
    return number & OK_BIT;
}

static bool sent_the_same(int64_t a, int64_t b) {
    int64_t x = (a & ~IDS_RESULT) >> (LINE_BITS + 1), y = (b & ~IDS_RESULT) >> (LINE_BITS + 1);
    return !x || !y || x == y;
}

static void count_kept(struct resume *resume, int64_t number, int64_t by) {
    if (is_ok(number))
        resume->kept_ok += by;
    else
        resume->kept_failed += by;
}

// Results that were read and have yet to be looked up in the table: each lookup is a trip to memory,
// and they are made together.
#define FOUND_MOST 64

struct found {
    size_t count;
    struct ids_key keys[FOUND_MOST];
    int64_t numbers[FOUND_MOST];
};

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

static void take_found(struct resume *resume, struct found *found) {
    for (size_t i = 0; i < found->count; i++)
        take_result(resume, found->keys[i], found->numbers[i]);
    found->count = 0;
}

static void add_found(struct resume *resume, struct found *found, struct slice id, int64_t number) {
    if (found->count == FOUND_MOST)
        take_found(resume, found);
    struct ids_key key = ids_key(resume->ids, id);
    ids_prefetch(resume->ids, key);
    found->keys[found->count] = key;
    found->numbers[found->count++] = number;
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

// What the reading of one file needs.
struct scan {
    const struct resume_options *options;
    struct buf space; // for an id with escapes
    struct found found;
};

static uint64_t sent_of(const struct resume_options *options, const struct line_facts *facts) {
    if (!options->sent)
        return 0;
    return facts->input.n ? sent_hash(options->sent, facts->input) : facts->sent;
}

static bool take_line(struct resume *resume, struct scan *scan, struct slice line,
                      struct error *err) {
    struct line_facts facts;
    resume->lines++;
    resume->whole += (int64_t)line.n;
    if (resume->lines > LINE_MOST)
        return error_set(err, ERROR_OUTPUT, "%s: has more lines than can be told apart",
                         scan->options->path);
    if (!line_read(line, scan->options->format, &facts))
        return refuse(resume, scan->options, line, err);
    set_bit(&resume->keep, resume->lines, false);
    set_bit(&resume->seen, resume->lines, false);
    if (facts.bad_input)
        return true;
    struct slice id = id_text(facts.id_token, &scan->space);
    add_found(resume, &scan->found, id,
              number_of(resume->lines, facts.ok, sent_of(scan->options, &facts)));
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
    struct scan scan = {.options = options, .space = BUF_INIT(RESULT_LINE_MAX)};
    struct slice line;
    enum line_kind kind;
    bool good = true;
    while (good && (kind = lines_next(lines, &line)) == LINE_WHOLE)
        good = take_line(resume, &scan, line, err);
    take_found(resume, &scan.found);
    buf_free(&scan.space);
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
    *resume = (struct resume){.ids = ids_new(),
                              .keep_failed = options->keep_failed,
                              .keep = BUF_INIT(SIZE_MAX / 2),
                              .seen = BUF_INIT(SIZE_MAX / 2)};
    bool good = lines_open(&lines, fd) ? scan_lines(resume, &lines, options, err)
                                       : unreadable(options, err);
    resume->rows = ids_count(resume->ids);
    buf_free(&lines.buf);
    return good;
}

bool resume_is_done(const struct resume *resume, struct slice id, uint64_t sent) {
    int64_t number = resume->ids ? ids_find(resume->ids, id) : 0;
    return number && (is_ok(number) || resume->keep_failed) &&
           sent_the_same(number, number_of(0, false, sent));
}

bool resume_scan_on(struct resume *resume, int fd, const struct resume_options *options,
                    struct error *err) {
    struct lines lines;
    bool good = lines_open(&lines, fd) && lseek(fd, resume->whole, SEEK_SET) >= 0
                    ? scan_lines(resume, &lines, options, err)
                    : unreadable(options, err);
    buf_free(&lines.buf);
    return good;
}

enum row_before resume_look(struct resume *resume, struct slice id, uint64_t sent, int64_t *line) {
    int64_t number = resume->ids ? ids_find(resume->ids, id) : 0;
    *line = 0;
    if (!(number & IDS_RESULT))
        return ROW_NEW;
    *line = line_in(number);
    if (!has_bit(&resume->seen, *line))
        resume->seen_count++;
    set_bit(&resume->seen, *line, true);
    bool same = sent_the_same(number, number_of(0, false, sent));
    if (is_ok(number))
        return same ? ROW_DONE : ROW_CHANGED;
    bool done = same && resume->keep_failed;
    resume->failed_done += done;
    return done ? ROW_DONE : ROW_FAILED;
}

void resume_pass(struct resume *resume, struct slice id, int64_t input_line) {
    struct ids_key key = ids_key(resume->ids, id);
    if (ids_find_key(resume->ids, key) & IDS_RESULT)
        ids_change(resume->ids, key, input_line);
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
    buf_recycle(out, 2 * BLOCK);
    return good;
}

// Neighbours that stay are written together.
static bool copy_lines(const struct resume *resume, struct lines *lines, int to, int64_t *bytes) {
    struct buf out = BUF_INIT(RESULT_LINE_MAX + 2 * BLOCK);
    struct slice line;
    enum line_kind kind = LINE_WHOLE;
    bool good = true;
    int64_t n = 1;
    for (; good && (kind = lines_next(lines, &line)) == LINE_WHOLE; n++) {
        if (resume_keeps(resume, n))
            buf_add_slice(&out, line);
        if (out.n >= BLOCK)
            good = write_gathered(&out, to, bytes);
    }
    bool shorter = kind == LINE_NONE && n <= resume->lines;
    if (good && (shorter || kind == LINE_TORN))
        errno = EIO; // somebody without the lock is at it
    good = good && kind == LINE_NONE && !shorter && write_gathered(&out, to, bytes);
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

void resume_free(struct resume *resume) {
    ids_free(resume->ids);
    buf_free(&resume->keep);
    buf_free(&resume->seen);
    *resume = (struct resume){0};
}
