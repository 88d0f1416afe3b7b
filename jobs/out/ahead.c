// ahead.c: keeps lines that are ahead of their turn in side files and finds them again. Writer thread.
// SPDX-License-Identifier: MIT
#include "jobs/out/ahead.h"

#include "jobs/base/die.h"
#include "jobs/out/side.h"
#include "jobs/out/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// What is known of a sequence number, in the table: the length of its line (0: has not come, PASSED:
// there is none), where it is, and its index.
enum { LENGTH, WHERE, INDEX, NUMBERS };
#define PASSED     (-1)
#define IN_MEMORY  SIDES // else the number of a side file
#define WHERE_BITS 2

struct ahead {
    struct table *places;
    struct side sides[SIDES];
    int64_t in_side[SIDES]; // lines that wait there
    int current;            // the side file that is written to
    struct buf fresh;       // lines that came since the last flush
    struct buf sequences;   // their numbers
    int64_t next;
    int64_t waiting;    // lines of all
    const char *failed; // what could not be used, NULL while all is well
    int code;
};

struct ahead *ahead_new(const struct claim *claim, size_t line_max) {
    struct ahead *a = mem_zero(1, sizeof *a);
    a->places = table_new();
    for (int i = 0; i < SIDES; i++)
        side_init(&a->sides[i], i, claim);
    a->fresh = BUF_INIT(line_max);
    a->sequences = BUF_INIT(SIZE_MAX / 2);
    return a;
}

void ahead_free(struct ahead *a, bool keep) {
    if (!a)
        return;
    table_free(a->places);
    for (int i = 0; i < SIDES; i++)
        side_close(&a->sides[i], keep);
    buf_free(&a->fresh);
    buf_free(&a->sequences);
    free(a);
}

static bool fail(struct ahead *a, const char *what) {
    if (!a->failed) {
        a->code = errno ? errno : EIO;
        a->failed = what;
    }
    return false;
}

static bool fail_side(struct ahead *a) {
    return fail(a, a->sides[0].path ? "its side file .ahead" : "a temporary file (TMPDIR)");
}

bool ahead_begin(struct ahead *a) {
    return side_make(&a->sides[a->current]) || fail_side(a);
}

// The table is asked in passing and judged before anything is done that it was needed for.
static bool table_is_good(struct ahead *a) {
    errno = table_failure(a->places);
    return !errno || fail(a, "a temporary file (TMPDIR)");
}

const char *ahead_failure(const struct ahead *a) {
    errno = a->code;
    return a->failed;
}

int64_t ahead_next(const struct ahead *a) {
    return a->next;
}

void ahead_advance(struct ahead *a) {
    a->next++;
    table_drop(a->places, a->next * NUMBERS);
}

struct buf *ahead_buf(struct ahead *a) {
    return &a->fresh;
}

static int64_t known(struct ahead *a, int64_t sequence, int what) {
    return table_get(a->places, sequence * NUMBERS + what);
}

static void know(struct ahead *a, int64_t sequence, int what, int64_t value) {
    table_set(a->places, sequence * NUMBERS + what, value);
}

static void place(struct ahead *a, int64_t sequence, int where, int64_t offset) {
    know(a, sequence, WHERE, offset << WHERE_BITS | where);
}

void ahead_add(struct ahead *a, int64_t sequence, size_t from, int64_t index) {
    BUG_IF(sequence <= a->next || known(a, sequence, LENGTH));
    know(a, sequence, LENGTH, (int64_t)(a->fresh.n - from));
    know(a, sequence, INDEX, index);
    place(a, sequence, IN_MEMORY, (int64_t)from);
    buf_add(&a->sequences, &sequence, sizeof sequence);
    a->waiting++;
}

void ahead_pass(struct ahead *a, int64_t sequence) {
    if (sequence == a->next)
        ahead_advance(a);
    else
        know(a, sequence, LENGTH, PASSED);
}

size_t ahead_turn(struct ahead *a) {
    int64_t length;
    while ((length = known(a, a->next, LENGTH)) == PASSED)
        ahead_advance(a);
    return (size_t)length;
}

size_t ahead_turn_at_end(struct ahead *a) {
    while (a->waiting && ahead_turn(a) == 0 && table_is_good(a))
        ahead_advance(a);
    return ahead_turn(a);
}

bool ahead_take(struct ahead *a, struct buf *out, struct ahead_line *line) {
    size_t length = ahead_turn(a);
    int64_t where = known(a, a->next, WHERE), offset = where >> WHERE_BITS;
    int side = (int)(where & ((1 << WHERE_BITS) - 1));
    line->index = known(a, a->next, INDEX);
    line->is_saved = side != IN_MEMORY && a->sides[side].path;
    if (!table_is_good(a) || !buf_reserve(out, length))
        return false;
    if (side == IN_MEMORY)
        memcpy(out->p + out->n, a->fresh.p + offset, length);
    else if (!side_read(&a->sides[side], out->p + out->n, length, offset))
        return fail_side(a);
    else
        a->in_side[side]--;
    out->n += length;
    a->waiting--;
    ahead_advance(a);
    return true;
}

// Moves the lines that still wait together, and their numbers; returns how many there are.
static size_t close_gaps(struct ahead *a) {
    int64_t *sequences = (int64_t *)(void *)a->sequences.p;
    size_t count = a->sequences.n / sizeof *sequences, left = 0, bytes = 0;
    for (size_t i = 0; i < count; i++) {
        if (sequences[i] < a->next)
            continue;
        size_t length = (size_t)known(a, sequences[i], LENGTH);
        size_t offset = (size_t)(known(a, sequences[i], WHERE) >> WHERE_BITS);
        memmove(a->fresh.p + bytes, a->fresh.p + offset, length);
        place(a, sequences[i], IN_MEMORY, (int64_t)bytes);
        sequences[left++] = sequences[i];
        bytes += length;
    }
    a->fresh.n = bytes;
    a->sequences.n = left * sizeof *sequences;
    return left;
}

static struct side *side_to_write(struct ahead *a) {
    int other = (a->current + 1) % SIDES;
    if (a->sides[a->current].size >= AHEAD_SIDE_BYTES && a->sides[other].size == 0)
        a->current = other;
    return &a->sides[a->current];
}

// The first lines of those in memory, as many as `written` bytes hold, are now in a file from `base`
// on.
static int64_t settle(struct ahead *a, int64_t base, size_t written) {
    const int64_t *sequences = (const int64_t *)(void *)a->sequences.p;
    size_t count = a->sequences.n / sizeof *sequences, i = 0, offset = 0;
    for (; i < count && offset < written; i++) {
        place(a, sequences[i], a->current, base + (int64_t)offset);
        offset += (size_t)known(a, sequences[i], LENGTH);
    }
    a->in_side[a->current] += (int64_t)i;
    memmove(a->sequences.p, sequences + i, (count - i) * sizeof *sequences);
    a->sequences.n = (count - i) * sizeof *sequences;
    return (int64_t)i;
}

bool ahead_flush(struct ahead *a, int64_t *count) {
    size_t written;
    *count = 0;
    if (!a->sequences.n)
        return true;
    bool any = close_gaps(a) > 0;
    if (!table_is_good(a))
        return false;
    if (any) {
        struct side *side = side_to_write(a);
        int64_t base = side->size;
        bool good = side_append(side, buf_slice(&a->fresh), &written);
        if (!good)
            fail_side(a);
        *count = settle(a, base, written);
        if (!good)
            return false;
    }
    buf_recycle(&a->fresh, 2 * AHEAD_SIDE_BYTES);
    buf_recycle(&a->sequences, AHEAD_SIDE_BYTES);
    return table_is_good(a);
}

bool ahead_sync(struct ahead *a) {
    for (int i = 0; i < SIDES; i++)
        if (!side_sync(&a->sides[i]))
            return false;
    return true;
}

void ahead_recycle(struct ahead *a) {
    for (int i = 0; i < SIDES; i++)
        if (a->in_side[i] == 0 && a->sides[i].size >= AHEAD_SIDE_BYTES)
            side_empty(&a->sides[i]);
}

int64_t ahead_lose(struct ahead *a) {
    int64_t lost = (int64_t)(a->sequences.n ? close_gaps(a) : 0);
    if (!a->sides[0].path)
        lost = a->waiting;
    a->waiting -= lost;
    buf_recycle(&a->fresh, 0);
    buf_recycle(&a->sequences, 0);
    return lost;
}

int64_t ahead_file_bytes(const struct ahead *a) {
    return a->sides[0].size + a->sides[1].size + table_file_bytes(a->places);
}
