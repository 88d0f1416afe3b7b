// ranks.c: sorts the lines of a results file by their rows' places in the input. Main thread, after
// reader and writer have told it of each line.
// SPDX-License-Identifier: MIT
#include "jobs/out/ranks.h"

#include "jobs/base/die.h"
#include "jobs/base/io.h"
#include "jobs/out/table.h"

#include <errno.h>
#include <stdlib.h>

#define BLOCK ((size_t)256 * 1024)

struct ranks {
    const struct resume *resume;
    struct table *old, *added;    // line → index of its row + 1; 0: not known
    int64_t old_rows, added_rows; // beyond the highest index of either
    int64_t added_lines;
};

struct ranks *ranks_new(const struct resume *resume) {
    struct ranks *ranks = mem_zero(1, sizeof *ranks);
    ranks->resume = resume;
    ranks->old = table_new();
    ranks->added = table_new();
    return ranks;
}

void ranks_free(struct ranks *ranks) {
    if (!ranks)
        return;
    table_free(ranks->old);
    table_free(ranks->added);
    free(ranks);
}

void ranks_look(struct ranks *ranks, int64_t line, int64_t index) {
    table_set(ranks->old, line - 1, index + 1);
    if (index >= ranks->old_rows)
        ranks->old_rows = index + 1;
}

void ranks_add(struct ranks *ranks, int64_t index) {
    table_set(ranks->added, ranks->added_lines++, index + 1);
    if (index >= ranks->added_rows)
        ranks->added_rows = index + 1;
}

// The index of a line's row + 1, or 0.
static int64_t row_of(struct ranks *ranks, int64_t line) {
    int64_t old = ranks->resume->lines;
    return line <= old ? table_get(ranks->old, line - 1) : table_get(ranks->added, line - old - 1);
}

static bool tables_are_good(const struct ranks *ranks) {
    errno = table_failure(ranks->old) ? table_failure(ranks->old) : table_failure(ranks->added);
    return errno == 0;
}

bool ranks_are_right(struct ranks *ranks) {
    int64_t last = 0, lines = ranks->resume->lines + ranks->added_lines;
    bool is_end = false;
    for (int64_t line = 1; line <= lines; line++) {
        if (!resume_keeps(ranks->resume, line))
            continue;
        int64_t row = row_of(ranks, line);
        if (row && (is_end || row < last))
            return false;
        is_end = row == 0;
        last = row;
    }
    return tables_are_good(ranks);
}

// ---- the file in order ----

// Where the lines are, by their places in the new file.
struct places {
    struct ranks *ranks;
    struct table *table; // of a place: offset, length (0: no line)
    int64_t count;       // of places
    int64_t line;        // lines found so far
    int64_t offset;      // where the next one begins
    int64_t kept;        // bytes of those that stay
};

// Two lines of one row cannot be; if they are, none is lost.
static void take_line(struct places *places, int64_t length) {
    if (resume_keeps(places->ranks->resume, ++places->line)) {
        int64_t row = row_of(places->ranks, places->line);
        bool is_free = row && !table_get(places->table, 2 * (row - 1) + 1);
        int64_t place = is_free ? row - 1 : places->count++;
        table_set(places->table, 2 * place, places->offset);
        table_set(places->table, 2 * place + 1, length);
        places->kept += length;
    }
    places->offset += length;
}

static void take_block(struct places *places, struct slice block, int64_t *open) {
    const char *p = block.p, *end = p + block.n, *newline;
    while (p < end && (newline = memchr(p, '\n', (size_t)(end - p)))) {
        take_line(places, *open + (newline + 1 - p));
        *open = 0;
        p = newline + 1;
    }
    *open += end - p;
}

static bool find_lines(struct places *places, int fd, struct buf *block) {
    int64_t open = 0; // bytes of a line whose end has not come
    size_t got = BLOCK;
    for (int64_t at = 0; got == BLOCK; at += (int64_t)got) {
        if (!io_read_at(fd, block->p, BLOCK, at, &got))
            return false;
        take_block(places, slice_of(block->p, got), &open);
    }
    if (open || places->line != places->ranks->resume->lines + places->ranks->added_lines) {
        errno = EIO; // somebody without the lock is at it
        return false;
    }
    return tables_are_good(places->ranks);
}

static bool put_out(int to, struct buf *block) {
    bool good = io_write_all(to, buf_slice(block), NULL);
    buf_clear(block);
    return good;
}

static bool put(int from, int64_t offset, int64_t n, int to, struct buf *block) {
    while (n > 0) {
        size_t room = BLOCK - block->n, most = n < (int64_t)room ? (size_t)n : room;
        if (!io_read_at(from, block->p + block->n, most, offset, NULL))
            return false;
        block->n += most;
        if (block->n == BLOCK && !put_out(to, block))
            return false;
        offset += (int64_t)most;
        n -= (int64_t)most;
    }
    return true;
}

// Lines that follow each other in the old file too are copied together.
static bool put_lines(struct places *places, int from, int to, struct buf *block) {
    int64_t offset = 0, n = 0;
    for (int64_t place = 0; place < places->count; place++) {
        int64_t length = table_get(places->table, 2 * place + 1);
        int64_t at = table_get(places->table, 2 * place);
        if (length && at != offset + n) {
            if (!put(from, offset, n, to, block))
                return false;
            offset = at;
            n = 0;
        }
        n += length;
    }
    errno = table_failure(places->table);
    return !errno && put(from, offset, n, to, block) && put_out(to, block);
}

bool ranks_copy(struct ranks *ranks, int from, int to, int64_t *bytes) {
    struct buf block = BUF_INIT(BLOCK);
    bool more = ranks->added_rows > ranks->old_rows;
    struct places places = {
        .ranks = ranks, .table = table_new(), .count = more ? ranks->added_rows : ranks->old_rows};
    bool good = buf_reserve(&block, BLOCK) && find_lines(&places, from, &block) &&
                put_lines(&places, from, to, &block);
    int code = errno;
    *bytes = places.kept;
    table_free(places.table);
    buf_free(&block);
    errno = code;
    return good;
}
