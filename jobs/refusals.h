// Who refused a row, and how: what the pool tells row from key by (pool/suspects.c).
// SPDX-License-Identifier: MIT
#ifndef JOBS_REFUSALS_H
#define JOBS_REFUSALS_H

#include "jobs/outcome.h"

#include <stdbool.h>
#include <stdint.h>

#define REFUSALS_KEPT 8

struct row_refusal {
    void *seat;      // the pool's: the key that refused it, with this model
    int64_t sent_at; // monotonic
    int64_t at;
    int status;
    int cause;       // enum cause
    bool about_size; // the words speak of the request's size
    bool is_local;   // it is final at that account, but need not be at another
    bool was_alone;  // its account had taken next to nothing else for a minute
};

// Zeroed: nobody has refused it.
struct row_refusals {
    int count;                              // all of them
    struct row_refusal list[REFUSALS_KEPT]; // the latest; the n-th at n % REFUSALS_KEPT
    int size_class;                         // how much it was estimated to take
    enum outcome fails_as;                  // what the row fails as, should it be to blame
};

// How many are in the list.
static inline int refusals_kept(const struct row_refusals *refused) {
    return refused->count < REFUSALS_KEPT ? refused->count : REFUSALS_KEPT;
}

// count is not 0.
static inline const struct row_refusal *refusals_last(const struct row_refusals *refused) {
    return &refused->list[(refused->count - 1) % REFUSALS_KEPT];
}

#endif
