// reasons.c: counts failures by class and keeps an example of each. Loop thread, and the reader for bad
// rows.
// SPDX-License-Identifier: MIT
#include "runner/reasons.h"

#include "jobs/base/utf8.h"

static void keep(char *to, size_t size, struct slice text) {
    struct slice cut = text.n < size ? text : utf8_cut(text, size - 1);
    if (cut.n)
        memcpy(to, cut.p, cut.n);
    to[cut.n] = '\0';
}

static void keep_example(struct reason *reason, const struct job *job, const char *message) {
    keep(reason->message, sizeof reason->message, slice_str(message ? message : ""));
    keep(reason->example_id, sizeof reason->example_id, job->id);
    reason->key = job->result.key;
}

void reasons_add_attempt(struct reasons *r, const struct job *job, enum outcome outcome,
                         const char *message) {
    struct reason *reason = &r->of[outcome];
    if (!reason->attempts++ && !reason->rows)
        keep_example(reason, job, message);
}

void reasons_add_row(struct reasons *r, const struct job *job) {
    struct reason *reason = &r->of[job->result.outcome];
    if (!reason->rows++)
        keep_example(reason, job, job->result.message);
}

void reasons_merge(struct reasons *into, const struct reasons *from) {
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        struct reason *to = &into->of[i];
        struct reason sum = to->rows || !from->of[i].rows ? *to : from->of[i];
        if (!to->rows && !to->attempts)
            sum = from->of[i];
        sum.rows = to->rows + from->of[i].rows;
        sum.attempts = to->attempts + from->of[i].attempts;
        *to = sum;
    }
}
