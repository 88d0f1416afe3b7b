// lines.c: reads an input block by block and finds its lines. Reader thread; owns one buffer.
// SPDX-License-Identifier: MIT
#include "jobs/in/lines.h"

#include "jobs/base/die.h"
#include "jobs/base/io.h"

#include <errno.h>
#include <poll.h>

#define BLOCK      (64 * 1024)
#define KEEP_BYTES (4 * BLOCK) // a buffer that grew beyond this for one line is made small again

// What a file can begin with that is no text for us; NULL: the mark of UTF-8, which is passed over.
// None holds a line end, so looking at it never waits longer than the first line would.
static const struct mark {
    struct slice bytes;
    const char *what;
} marks[] = {
    {{"\xef\xbb\xbf", 3}, NULL},
    {{"\xff\xfe", 2}, "is UTF-16 text: convert it with iconv -f UTF-16 -t UTF-8"},
    {{"\xfe\xff", 2}, "is UTF-16 text: convert it with iconv -f UTF-16 -t UTF-8"},
    {{"\x1f\x8b", 2}, "is compressed: unpack it first, for instance with gunzip"},
    {{"\x28\xb5\x2f\xfd", 4}, "is compressed: unpack it first, for instance with unzstd"},
    {{"PK\x03\x04", 4}, "is a zip archive or a spreadsheet: unpack it, or save it as CSV"},
};

void lines_free(struct lines *l) {
    buf_free(&l->data);
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

// Reads one more block behind the window; waits for it or for wake_fd.
static enum lines_status fill(struct lines *l, struct error *err) {
    struct pollfd fds[] = {{l->fd, POLLIN, 0}, {l->wake_fd, POLLIN, 0}};
    drop_used(l);
    l->data.max = l->max > SIZE_MAX - 2 * BLOCK ? SIZE_MAX : l->max + 2 * BLOCK;
    BUG_IF(!buf_reserve(&l->data, BLOCK));
    for (;;) {
        if (poll(fds, 2, -1) < 0) {
            if (errno == EINTR)
                continue;
            return read_failed(l, err);
        }
        if (fds[1].revents)
            return LINES_STOPPED;
        ssize_t n = io_read(l->fd, l->data.p + l->data.n, BLOCK);
        if (n >= 0) {
            l->eof = n == 0;
            l->data.n += (size_t)n;
            return LINES_LINE;
        }
        if (errno != EINTR && errno != EAGAIN)
            return read_failed(l, err);
    }
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

static enum lines_status begin(struct lines *l, struct error *err) {
    const struct mark *mark = NULL;
    while (!l->eof) {
        if (l->data.n) {
            mark = find_mark(buf_slice(&l->data));
            if (!mark || l->data.n >= mark->bytes.n)
                break;
        }
        enum lines_status status = fill(l, err);
        if (status != LINES_LINE)
            return status;
    }
    l->began = true;
    if (!mark || l->data.n < mark->bytes.n)
        return LINES_LINE;
    if (mark->what) {
        error_set(err, ERROR_USAGE, "%s %s", l->name, mark->what);
        return LINES_FAILED;
    }
    l->start = l->next = mark->bytes.n;
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
        enum lines_status status = fill(l, err);
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
        enum lines_status status = fill(l, err);
        if (status != LINES_LINE)
            return status;
    }
}

enum lines_status lines_next(struct lines *l, struct line *line, struct error *err) {
    size_t end;
    enum lines_status status = l->began ? LINES_LINE : begin(l, err);
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

void lines_back(struct lines *l) {
    l->next = l->first_end;
    l->line_no = l->first_no;
}

struct slice lines_record(const struct lines *l) {
    return slice_of(l->data.p + l->start, text_end(l, l->start, l->next) - l->start);
}

int64_t lines_offset(const struct lines *l) {
    return l->dropped + (int64_t)l->next;
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
