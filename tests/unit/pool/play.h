// Rows that are sent with a pool of one provider's keys on a virtual clock, each one known, as the loop
// sends them: what tests of blame share.
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_POOL_PLAY_H
#define TESTS_UNIT_POOL_PLAY_H

#include "tests/unit/pool/one_provider.h"

#include <string.h>

#define ROWS_MOST 400

enum row_state { WAITING, PARKED, IN_FLIGHT, SERVED, FAILED };

struct row {
    enum row_state state;
    struct row_refusals refused;
    struct lease lease;
    struct verdict verdict;
    int64_t due; // PARKED: until then; IN_FLIGHT: when it is answered
    int calls;
    enum outcome failed_as;
};

struct play;
typedef void (*player)(struct play *p, size_t key, int row, struct verdict *v);

// Rows that are sent with a pool, as the loop does it.
struct play {
    struct fixture f;
    struct row rows[ROWS_MOST];
    int count;
    player says;
    int64_t latency;
    int64_t key_calls[MOST];
    bool is_stopped; // no key can serve again
    int bad;         // the row that is refused
};

static inline void refuse_with(struct verdict *v, enum outcome outcome, enum cause cause,
                               int status) {
    *v = (struct verdict){
        .outcome = outcome, .cause = cause, .status = status, .hint = -1, .by_status = true};
    snprintf(v->message, sizeof v->message, "words %d", status);
    v->final = cause == BECAUSE_REQUEST;
}

static inline bool others_wait(const struct play *p, int than) {
    for (int i = 0; i < p->count; i++)
        if (i != than && p->rows[i].state == WAITING)
            return true;
    return false;
}

static inline void end_row(struct row *row, enum outcome outcome) {
    row->state = outcome == OUTCOME_OK ? SERVED : FAILED;
    row->failed_as = outcome;
}

static inline void settle_row(struct play *p, int i) {
    struct row *row = &p->rows[i];
    struct verdict *v = &row->verdict;
    struct pool_report report = {.verdict = v,
                                 .usage = USAGE_NONE,
                                 .end =
                                     v->outcome == OUTCOME_OK ? REQUEST_ANSWERED : REQUEST_REFUSED,
                                 .latency = p->latency,
                                 .is_first = row->calls == 1,
                                 .refused = &row->refused,
                                 .others_wait = others_wait(p, i)};
    row->state = WAITING;
    enum pool_blame blame = pool_release(&row->lease, &report, p->f.now);
    if (blame == BLAME_ROW)
        end_row(row, row->refused.fails_as);
    else if (v->outcome == OUTCOME_OK || (blame == BLAME_VERDICT && v->final))
        end_row(row, v->outcome);
}

// False: nobody can be asked before *next.
static inline bool start_row(struct play *p, int i, int64_t *next) {
    struct row *row = &p->rows[i];
    struct need need = {.output_tokens = -1,
                        .row = (uint64_t)i + 1,
                        .refused = row->refused.count ? &row->refused : NULL,
                        .others_wait = others_wait(p, i)};
    int64_t not_before = TIME_NEVER;
    if (row->refused.count && pool_blames_row(&row->refused, need.others_wait)) {
        end_row(row, row->refused.fails_as);
        return true;
    }
    enum pool_answer answer = pool_acquire(p->f.home, &need, p->f.now, &row->lease, &not_before);
    if (answer == POOL_LEASED) {
        size_t key = index_of(&p->f, row->lease.key);
        p->key_calls[key]++;
        row->calls++;
        row->verdict = (struct verdict){.outcome = OUTCOME_OK, .hint = -1, .status = 200};
        p->says(p, key, i, &row->verdict);
        row->due = p->f.now + p->latency;
        row->state = IN_FLIGHT;
        return true;
    }
    if (answer == POOL_NO_MODEL) {
        end_row(row, OUTCOME_MODEL);
        return true;
    }
    if (answer == POOL_ROW_LATER) {
        row->state = PARKED;
        row->due = not_before;
        return true;
    }
    p->is_stopped = answer == POOL_NONE;
    if (not_before < *next)
        *next = not_before;
    return false;
}

static inline bool is_going(const struct row *row) {
    return row->state == IN_FLIGHT || row->state == PARKED;
}

// As far as `until`, or until all rows have ended.
static inline void play(struct play *p, int64_t until) {
    while (!p->is_stopped && p->f.now < until) {
        int64_t next = TIME_NEVER;
        pool_tell_time(p->f.pool, p->f.now, p->f.now + INT64_C(1795000000) * SEC);
        for (int i = 0; i < p->count; i++) {
            struct row *row = &p->rows[i];
            if (row->state == IN_FLIGHT && row->due <= p->f.now)
                settle_row(p, i);
            if (row->state == PARKED && row->due <= p->f.now)
                row->state = WAITING;
        }
        bool may = true, goes_on = false;
        for (int i = 0; i < p->count && may && !p->is_stopped; i++)
            if (p->rows[i].state == WAITING)
                may = start_row(p, i, &next);
        for (int i = 0; i < p->count; i++) {
            goes_on = goes_on || p->rows[i].state < SERVED;
            if (is_going(&p->rows[i]) && p->rows[i].due < next)
                next = p->rows[i].due;
        }
        if (!goes_on || p->is_stopped)
            return;
        assert_true(next != TIME_NEVER &&
                    next > p->f.now); // else it would hang, or turn in a circle
        p->f.now = next;
    }
}

static inline void open_play(struct play *p, int keys, int rows, player says) {
    log_set_level(LOG_ERROR);
    memset(p, 0, sizeof *p);
    open_pool(&p->f, keys, 2, COOLDOWN_AUTO);
    p->count = rows;
    p->says = says;
    p->latency = SEC / 50;
    p->bad = -1;
}

#endif
