// lines.c: reads an input block by block and finds its lines. Reader thread; owns one buffer.
// SPDX-License-Identifier: MIT
#include "jobs/in/lines.h"

#include "jobs/base/die.h"
#include "jobs/base/io.h"
#include "jobs/in/unpack.h"

#include <errno.h>
#include <poll.h>

#define BLOCK      (64 * 1024)
#define KEEP_BYTES (4 * BLOCK) // a buffer that grew beyond this for one line is made small again

// What a file can begin with. None holds a line end, so looking at it never waits longer than the
// first line would.
enum mark_kind { MARK_TEXT, MARK_GZIP, MARK_ZSTD, MARK_OTHER };

static const struct mark {
    struct slice bytes;
    enum mark_kind kind;
    const char *encoding; // MARK_TEXT: not UTF-8
    const char *what;     // MARK_OTHER: what it is and what to do
} marks[] = {
    {{"\xef\xbb\xbf", 3}, MARK_TEXT, NULL, NULL},
    {{"\xff\xfe", 2}, MARK_TEXT, "UTF-16LE", NULL},
    {{"\xfe\xff", 2}, MARK_TEXT, "UTF-16BE", NULL},
    {{"\x1f\x8b", 2}, MARK_GZIP, NULL, NULL},
    {{"\x28\xb5\x2f\xfd", 4}, MARK_ZSTD, NULL, NULL},
    {{"PK\x03\x04", 4},
     MARK_OTHER,
     NULL,
     "is a zip archive or a spreadsheet (xlsx, ods): unpack it, or save it as CSV UTF-8"},
    {{"PAR1", 4},
     MARK_OTHER,
     NULL,
     "is a Parquet file: convert it, for instance with python3 -c \"import pandas; "
     "pandas.read_parquet('in.parquet').to_json('in.jsonl', orient='records', lines=True)\""},
    {{"\xd0\xcf\x11\xe0", 4}, MARK_OTHER, NULL, "is an old Excel file (xls): save it as CSV UTF-8"},
    {{"SQLite format 3", 15},
     MARK_OTHER,
     NULL,
     "is an SQLite database: export a table with sqlite3 -csv -header FILE 'select …' > in.csv"},
    {{"%PDF-", 5}, MARK_OTHER, NULL, "is a PDF document: get its text with pdftotext"},
    {{"BZh", 3}, MARK_OTHER, NULL, "is compressed by bzip2: unpack it first with bunzip2"},
    {{"\xfd"
      "7zXZ",
      5},
     MARK_OTHER,
     NULL,
     "is compressed by xz: unpack it first with unxz"},
};

void lines_free(struct lines *l) {
    buf_free(&l->data);
    unpack_free(l->unpack);
}

static void shrink(struct buf *b) {
    if (b->cap <= KEEP_BYTES || b->n >= BLOCK)
        return;
    b->p = mem_resize(b->p, 2 * BLOCK);
    b->cap = 2 * BLOCK;
}

// Moves what is still needed to the front of the window.
static void drop_used(struct lines *l) {
    if (!l->start)
        return;
    memmove(l->data.p, l->data.p + l->start, l->data.n - l->start);
    l->data.n -= l->start;
    l->next -= l->start;
    l->first_end -= l->first_end < l->start ? l->first_end : l->start;
    l->dropped += (int64_t)l->start;
    l->start = 0;
    shrink(&l->data);
}

static enum lines_status read_failed(const struct lines *l, struct error *err) {
    error_set(err, ERROR_USAGE, "cannot read %s: %s", l->name, strerror(errno));
    return LINES_FAILED;
}

// Reads up to a block of the file to `to`; waits for it or for wake_fd.
static enum lines_status read_bytes(struct lines *l, char *to, size_t *got, struct error *err) {
    struct pollfd fds[] = {{l->fd, POLLIN, 0}, {l->wake_fd, POLLIN, 0}};
    for (;;) {
        if (poll(fds, 2, -1) < 0) {
            if (errno == EINTR)
                continue;
            return read_failed(l, err);
        }
        if (fds[1].revents)
            return LINES_STOPPED;
        ssize_t n = io_read(l->fd, to, BLOCK);
        if (n >= 0) {
            *got = (size_t)n;
            return LINES_LINE;
        }
        if (errno != EINTR && errno != EAGAIN)
            return read_failed(l, err);
    }
}

static enum lines_status unpack_failed(const struct lines *l, const char *what, struct error *err) {
    error_set(err, ERROR_USAGE, "%s %s", l->name, what);
    return LINES_FAILED;
}

// One step: a block of text, or a block of the file into the stage.
static enum lines_status unpack_more(struct lines *l, bool *gave, struct error *err) {
    char block[BLOCK];
    size_t n;
    enum unpack_status step = unpack_take(l->unpack, l->data.p + l->data.n, BLOCK, &n);
    l->data.n += n;
    *gave = n > 0;
    if (step == UNPACK_FAULT)
        return unpack_failed(l, "cannot be unpacked: its compressed data is damaged", err);
    if (step == UNPACK_TOO_LARGE)
        return unpack_failed(l,
                             "needs more than 128 MiB of memory to be unpacked (its zstd window): "
                             "unpack it first with zstd -d --long=31",
                             err);
    if (step == UNPACK_GAVE)
        return LINES_LINE;
    enum lines_status status = read_bytes(l, block, &n, err);
    if (status != LINES_LINE)
        return status;
    l->taken += (int64_t)n;
    l->eof = n == 0;
    if (l->eof && !unpack_is_whole(l->unpack))
        return unpack_failed(l, "ends too early: it was cut off", err);
    unpack_put(l->unpack, slice_of(block, n));
    return LINES_LINE;
}

enum lines_status lines_fill(struct lines *l, struct error *err) {
    size_t n = 0;
    bool gave = false;
    enum lines_status status = LINES_LINE;
    drop_used(l);
    l->data.max = l->max > SIZE_MAX - 2 * BLOCK ? SIZE_MAX : l->max + 2 * BLOCK;
    BUG_IF(!buf_reserve(&l->data, BLOCK));
    while (l->unpack && !gave && !l->eof && status == LINES_LINE)
        status = unpack_more(l, &gave, err);
    if (l->unpack)
        return status;
    status = read_bytes(l, l->data.p + l->data.n, &n, err);
    l->eof = status == LINES_LINE && n == 0;
    l->data.n += n;
    return status;
}

// The mark the input begins with, as far as it has been read; NULL when it is none of them.
static const struct mark *find_mark(struct slice head) {
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        size_t n = head.n < marks[i].bytes.n ? head.n : marks[i].bytes.n;
        if (memcmp(head.p, marks[i].bytes.p, n) == 0)
            return marks + i;
    }
    return NULL;
}

const char *lines_unreadable(struct slice head) {
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (head.n >= marks[i].bytes.n && memcmp(head.p, marks[i].bytes.p, marks[i].bytes.n) == 0)
            return marks[i].what;
    return NULL;
}

// Looks at what the text begins with; *mark is NULL when it begins with none.
static enum lines_status look(struct lines *l, const struct mark **mark, struct error *err) {
    *mark = NULL;
    while (!l->eof) {
        if (l->data.n) {
            *mark = find_mark(buf_slice(&l->data));
            if (!*mark || l->data.n >= (*mark)->bytes.n)
                break;
        }
        enum lines_status status = lines_fill(l, err);
        if (status != LINES_LINE)
            return status;
    }
    if (*mark && l->data.n < (*mark)->bytes.n)
        *mark = NULL;
    return LINES_LINE;
}

// Puts a stage between the file and the window, and what was read already into it.
static enum lines_status put_between(struct lines *l, enum unpack_kind kind, const char *encoding,
                                     size_t skip, struct error *err) {
    if (l->unpack && kind != UNPACK_TEXT)
        return unpack_failed(l, "is packed twice: unpack it once first", err);
    struct unpack *stage = unpack_new(kind, encoding);
    if (!stage) {
        error_set(err, ERROR_USAGE, "--encoding: '%s' is no encoding that iconv knows (iconv -l)",
                  encoding ? encoding : "");
        return LINES_FAILED;
    }
    if (!l->unpack)
        l->taken = (int64_t)l->data.n;
    unpack_put(stage, slice_of(l->data.p ? l->data.p + skip : "", l->data.n - skip));
    unpack_after(stage, l->unpack);
    l->unpack = stage;
    l->data.n = 0;
    l->eof = false;
    return LINES_LINE;
}

enum lines_status lines_begin(struct lines *l, struct error *err) {
    const struct mark *mark;
    enum lines_status status = l->began ? LINES_END : look(l, &mark, err);
    if (l->began || status != LINES_LINE)
        return l->began ? LINES_LINE : status;
    bool packed = mark && mark->kind != MARK_TEXT && mark->kind != MARK_OTHER && !mark->encoding;
    if (mark && mark->kind == MARK_OTHER) {
        error_set(err, ERROR_USAGE, "%s %s", l->name, mark->what);
        return LINES_FAILED;
    }
    if (packed) {
        status = put_between(l, mark->kind == MARK_GZIP ? UNPACK_GZIP : UNPACK_ZSTD, NULL, 0, err);
        return status == LINES_LINE ? lines_begin(l, err) : status;
    }
    l->began = true;
    if (mark && mark->encoding)
        return put_between(l, UNPACK_TEXT, mark->encoding, mark->bytes.n, err);
    if (mark)
        l->start = l->next = mark->bytes.n;
    else if (l->encoding)
        return put_between(l, UNPACK_TEXT, l->encoding, 0, err);
    return LINES_LINE;
}

// The end of the text that ends before `end` with or without a line end.
static size_t text_end(const struct lines *l, size_t from, size_t end) {
    const char *p = l->data.p;
    if (end > from && p[end - 1] == '\n') {
        end--;
        if (end > from && p[end - 1] == '\r')
            end--;
    }
    return end;
}

static enum lines_status take(struct lines *l, size_t end, struct line *line) {
    size_t stop = text_end(l, l->next, end);
    if (stop - l->start > l->max)
        return LINES_TOO_LONG;
    line->text = slice_of(l->data.p + l->next, stop - l->next);
    line->raw = slice_of(l->data.p + l->next, end - l->next);
    line->number = ++l->line_no;
    l->next = end;
    return LINES_LINE;
}

// Finds the end of the line at l->next. LINES_TOO_LONG comes back with *end 0 when it lies beyond
// what may be kept: one byte more than max, which could be the CR of a line end.
static enum lines_status find_end(struct lines *l, size_t *end, struct error *err) {
    size_t scanned = 0; // from l->next on
    *end = 0;
    for (;;) {
        const char *from = l->data.p + l->next + scanned;
        size_t left = l->data.n - l->next - scanned;
        const char *found = left ? memchr(from, '\n', left) : NULL;
        if (found) {
            *end = (size_t)(found - l->data.p) + 1;
            return LINES_LINE;
        }
        if (l->data.n - l->start > l->max + 1)
            return LINES_TOO_LONG;
        if (l->eof) {
            *end = l->data.n;
            return l->data.n > l->next ? LINES_LINE : LINES_END;
        }
        scanned = l->data.n - l->next;
        enum lines_status status = lines_fill(l, err);
        if (status != LINES_LINE)
            return status;
    }
}

static enum lines_status pass(struct lines *l, size_t end) {
    l->start = l->next = l->first_end = end;
    l->line_no++;
    return LINES_TOO_LONG;
}

// Drops the rest of a line that is too long to keep.
static enum lines_status pass_over(struct lines *l, struct error *err) {
    for (;;) {
        size_t left = l->data.n - l->next;
        const char *found = left ? memchr(l->data.p + l->next, '\n', left) : NULL;
        if (found)
            return pass(l, (size_t)(found - l->data.p) + 1);
        if (l->eof)
            return pass(l, l->data.n);
        l->start = l->next = l->data.n;
        enum lines_status status = lines_fill(l, err);
        if (status != LINES_LINE)
            return status;
    }
}

enum lines_status lines_next(struct lines *l, struct line *line, struct error *err) {
    size_t end;
    enum lines_status status = lines_begin(l, err);
    if (status != LINES_LINE)
        return status;
    l->start = l->next;
    l->first_no = l->line_no + 1;
    status = find_end(l, &end, err);
    if (status == LINES_LINE)
        status = take(l, end, line);
    if (status == LINES_TOO_LONG)
        return end ? pass(l, end) : pass_over(l, err);
    l->first_end = l->next;
    return status;
}

enum lines_status lines_more(struct lines *l, struct line *line, struct error *err) {
    size_t end;
    enum lines_status status = find_end(l, &end, err);
    return status == LINES_LINE ? take(l, end, line) : status;
}

void lines_again(struct lines *l) {
    l->next = l->first_end = l->start;
    l->line_no = l->first_no - 1;
}

void lines_back(struct lines *l) {
    l->next = l->first_end;
    l->line_no = l->first_no;
}

struct slice lines_record(const struct lines *l) {
    return slice_of(l->data.p + l->start, text_end(l, l->start, l->next) - l->start);
}

int64_t lines_offset(const struct lines *l) {
    return l->unpack ? l->taken : l->dropped + (int64_t)l->next;
}

bool line_is_blank(struct slice text) {
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] != ' ' && text.p[i] != '\t' && text.p[i] != '\r' && text.p[i] != '\n')
            return false;
    return true;
}

static size_t count_quotes(const char *p, const char *end) {
    size_t count = 0;
    for (; (p = memchr(p, '"', (size_t)(end - p))); p++)
        count++;
    return count;
}

bool lines_has_record(const struct lines *l, bool quotes) {
    if (l->next >= l->data.n)
        return false;
    const char *start = l->data.p + l->next, *end = l->data.p + l->data.n, *found;
    size_t seen = 0;
    for (const char *p = start; p < end; p = found + 1) {
        found = memchr(p, '\n', (size_t)(end - p));
        if (!found)
            return false;
        seen += quotes ? count_quotes(p, found) : 0;
        if (seen % 2 != 0)
            continue;
        if (!line_is_blank(slice_of(start, (size_t)(found - start))))
            return true;
        start = found + 1;
    }
    return false;
}
