// A pool of one provider's keys on a virtual clock: what its tests share.
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_POOL_ONE_PROVIDER_H
#define TESTS_UNIT_POOL_ONE_PROVIDER_H

#include "jobs/base/clock.h"
#include "jobs/base/log.h"
#include "pool/limits/cooldown.h"
#include "pool/pool.h"
#include "tests/unit/check.h"

#include <stdio.h>
#include <stdlib.h>

#define SEC  INT64_C(1000000)
#define MOST 64

static const struct need any = {.output_tokens = -1};
static const struct provider here = {.name = "here"}, there = {.name = "there"};

struct fixture {
    struct keyring ring;
    struct key_entry entries[MOST];
    char names[MOST][24];
    struct pool *pool;
    struct channel *home;
    int64_t now;
};

static inline void open_pool(struct fixture *f, int keys, int slots, int64_t cooldown) {
    *f = (struct fixture){.now = 1000 * SEC};
    for (int i = 0; i < keys; i++) {
        snprintf(f->names[i], sizeof f->names[i], "here-%d", i + 1);
        f->entries[i] = (struct key_entry){.provider = &here, .name = f->names[i], .enabled = true};
    }
    f->ring = (struct keyring){.entries = f->entries, .count = (size_t)keys};
    f->pool = pool_new(&(struct pool_options){.keyring = &f->ring,
                                              .slots_per_key = slots,
                                              .cooldown = cooldown,
                                              .feels_nothing = true,
                                              .seed = 5});
    f->home = pool_channel(f->pool, &here, SLICE("\"m\""));
}

static inline struct lease take(struct fixture *f) {
    struct lease lease;
    int64_t not_before;
    assert_int_equal(pool_acquire(f->home, &any, f->now, &lease, &not_before), POOL_LEASED);
    return lease;
}

// The answer when no key is ready, and when it says one will be.
static inline enum pool_answer refuse(struct fixture *f, int64_t *not_before) {
    struct lease lease;
    enum pool_answer answer = pool_acquire(f->home, &any, f->now, &lease, not_before);
    assert_int_not_equal(answer, POOL_LEASED);
    return answer;
}

static inline void give(struct fixture *f, struct lease *lease, enum outcome outcome,
                        enum cause cause, int64_t hint) {
    struct verdict verdict = {.outcome = outcome, .cause = cause, .hint = hint};
    struct pool_report report = {.verdict = &verdict,
                                 .usage = USAGE_NONE,
                                 .end = outcome == OUTCOME_OK ? REQUEST_ANSWERED : REQUEST_REFUSED,
                                 .latency = 1000};
    pool_release(lease, &report, f->now);
}

static inline void answer(struct fixture *f, struct lease *lease) {
    give(f, lease, OUTCOME_OK, BECAUSE_NOTHING, -1);
}

static inline void limit(struct fixture *f, struct lease *lease, int64_t hint) {
    give(f, lease, OUTCOME_RATE_LIMITED, BECAUSE_RATE, hint);
}

static inline size_t index_of(struct fixture *f, const struct key *key) {
    return (size_t)(key->entry - f->entries);
}

#endif
