// blocks.c: reads a results file, cut at line ends. Any one thread.
// SPDX-License-Identifier: MIT
#include "jobs/out/blocks.h"

#include "jobs/base/io.h"

#include <errno.h>
#include <unistd.h>

bool blocks_open(struct blocks *b, int fd, int64_t from) {
    *b = (struct blocks){.fd = fd, .rest = BLOCKS_BUF};
    return lseek(fd, from, SEEK_SET) == from;
}

static ssize_t read_some(int fd, char *p, size_t n) {
    ssize_t got;
    do
        got = io_read(fd, p, n);
    while (got < 0 && errno == EINTR);
    return got;
}

// A first line that has grown for some blocks and does not look like a result ends the reading early,
// so that a foreign file is not gathered in memory first.
static bool is_foreign(const struct blocks *b, const struct buf *line) {
    return !b->any && line->n >= 2 * BLOCKS_BYTES && line->p[0] != '{';
}

enum blocks_status blocks_next(struct blocks *b, struct buf *lines) {
    buf_recycle(lines, 3 * BLOCKS_BYTES);
    buf_add_slice(lines, buf_slice(&b->rest));
    buf_recycle(&b->rest, BLOCKS_BYTES);
    for (;;) {
        if (is_foreign(b, lines) || !buf_reserve(lines, BLOCKS_BYTES))
            return BLOCKS_TOO_LONG;
        char *block = lines->p + lines->n;
        ssize_t got = read_some(b->fd, block, BLOCKS_BYTES);
        if (got < 0)
            return BLOCKS_UNREADABLE;
        if (got == 0)
            return lines->n ? BLOCKS_TORN : BLOCKS_END;
        lines->n += (size_t)got;
        const char *newline = memrchr(block, '\n', (size_t)got);
        if (!newline)
            continue;
        size_t whole = (size_t)(newline + 1 - lines->p);
        buf_add(&b->rest, newline + 1, lines->n - whole);
        lines->n = whole;
        b->any = true;
        return BLOCKS_LINES;
    }
}

void blocks_free(struct blocks *b) {
    int code = errno;
    buf_free(&b->rest);
    errno = code;
}
