// rowid.c: ids of rows, made unique. Reader thread; owns the set of ids seen.
// SPDX-License-Identifier: MIT
#include "jobs/in/rowid.h"

#include "jobs/base/json.h"
#include "jobs/base/utf8.h"

#include <inttypes.h>

// How much of an id is shown in a message.
#define SHOWN_BYTES 100

// The row that has this id because of its number alone and is not in the set, or 0.
static int64_t plain_row(const struct rowids *r, struct slice id) {
    int64_t row;
    bool canonical = id.n && id.p[0] != '0' && id.p[0] != '-';
    return canonical && json_int(id, &row) && row <= r->plain ? row : 0;
}

// The line of an id that the input had before, or 0.
static int64_t line_in(int64_t number) {
    return number & IDS_RESULT ? 0 : number;
}

static bool is_taken(const struct rowids *r, struct slice id) {
    return plain_row(r, id) || line_in(ids_find(r->set, id));
}

// The line that has the id already, or 0. What a results file says of it stays until output_look().
static int64_t take(struct rowids *r, struct slice id, int64_t line) {
    return line_in(ids_add(r->set, id, line));
}

// base#k behind what job->line holds, without keeping it.
static struct slice numbered(struct job *job, struct slice base, int64_t k) {
    size_t start = job->line.n;
    buf_add_slice(&job->line, base);
    buf_add_char(&job->line, '#');
    buf_add_int(&job->line, k);
    struct slice id = slice_of(job->line.p + start, job->line.n - start);
    job->line.n = start;
    return id;
}

// A k with base#k free. The taken ones are 2, 3 … up to some number unless rows have such ids of
// their own: so by doubling and halving, however often an id is repeated.
static int64_t free_number(const struct rowids *r, struct job *job, struct slice base) {
    int64_t taken = 1, free = 2;
    while (is_taken(r, numbered(job, base, free))) {
        taken = free;
        free *= 2;
    }
    while (free - taken > 1) {
        int64_t middle = taken + (free - taken) / 2;
        if (is_taken(r, numbered(job, base, middle)))
            taken = middle;
        else
            free = middle;
    }
    return free;
}

static void renumber(struct rowids *r, struct job *job, struct slice base) {
    job->id = numbered(job, base, free_number(r, job, base));
    job->line.n += job->id.n;
    take(r, job->id, job->line_no);
}

static void fail_taken(struct job *job, struct slice own, int64_t plain, int64_t line) {
    static const char remedy[] = "(--allow-duplicate-ids numbers them)";
    struct slice shown = utf8_cut(own, SHOWN_BYTES);
    const char *dots = shown.n < own.n ? "…" : "";
    if (plain)
        job_fail(job, OUTCOME_BAD_INPUT,
                 "id \"%.*s%s\" is already that of row %" PRId64 ", which has none of its own %s",
                 SLICE_ARG(shown), dots, plain, remedy);
    else
        job_fail(job, OUTCOME_BAD_INPUT, "id \"%.*s%s\" was already used on line %" PRId64 " %s",
                 SLICE_ARG(shown), dots, line, remedy);
}

static void assign_own(struct rowids *r, struct job *job, struct slice own) {
    r->own_seen = true;
    int64_t plain = plain_row(r, own);
    int64_t line = plain ? 0 : take(r, own, job->line_no);
    job->id = own;
    if (!plain && !line)
        return;
    if (!r->number_them && job->result.outcome == OUTCOME_NONE)
        fail_taken(job, own, plain, line);
    renumber(r, job, own);
}

static void assign_number(struct rowids *r, struct job *job) {
    size_t start = job->line.n;
    int64_t row = job->index + 1;
    buf_add_int(&job->line, row);
    job->id = slice_of(job->line.p + start, job->line.n - start);
    if (!r->own_seen) {
        r->plain = row;
        return;
    }
    int64_t line = take(r, job->id, job->line_no);
    if (!line)
        return;
    if (!r->number_them && job->result.outcome == OUTCOME_NONE)
        job_fail(job, OUTCOME_BAD_INPUT,
                 "the row has no id, and its number %" PRId64 " was already used as one on line "
                 "%" PRId64 " (--allow-duplicate-ids numbers them)",
                 row, line);
    renumber(r, job, job->id);
}

void rowid_assign(struct rowids *r, struct job *job, struct slice own) {
    if (own.p)
        assign_own(r, job, own);
    else
        assign_number(r, job);
}
