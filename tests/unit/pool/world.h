// A world on a virtual clock for tests of the whole pool: jobs, a provider that answers, no time lost.
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_POOL_WORLD_H
#define TESTS_UNIT_POOL_WORLD_H

#include "pool/pool.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "pool/limits/day.h"
#include "tests/unit/check.h"

#include <stdio.h>
#include <stdlib.h>

#define SEC INT64_C(1000000)

// What the provider says to a request that arrives now.
struct said {
    struct verdict verdict;
    struct announced announced;
    bool announces;
    int64_t latency;
    struct usage usage;
};

struct world;
typedef void (*world_answers)(struct world *w, size_t key, struct said *said);

struct flight {
    struct lease lease;
    struct said said;
    size_t key;
    int64_t done_at;
};

struct world {
    struct keyring ring;
    struct pool *pool;
    struct channel *channel;
    const struct provider *provider;
    struct need need;
    world_answers answers;
    void *server;
    struct flight *flights; // unordered: few
    size_t flight_count, flight_cap;
    int64_t now, wall_offset;
    int64_t jobs; // still to be answered
    int64_t begun, ended;
    int64_t calls, refused, failed;
    int64_t *key_calls;
    int64_t last_ok;          // when the last good answer came
    enum pool_answer stopped; // why it ended early, POOL_LEASED: it did not
    bool stalled;             // nobody could go on, and nobody said when
};

static const struct provider world_provider = {.name = "here"};

struct world_options {
    size_t keys;
    int slots;
    size_t groups;           // 0: each key its own
    struct key_group *group; // what is stated for one of them, or NULL
    enum strategy strategy;
    const struct provider *provider;
    struct key_limits limits;
    int64_t cooldown;
    uint64_t seed;
    bool deaf; // to rates that nobody announces
};

static inline void world_open(struct world *w, const struct world_options *o) {
    *w = (struct world){.now = 1000 * SEC, .wall_offset = INT64_C(1795000000) * SEC};
    w->provider = o->provider ? o->provider : &world_provider;
    w->ring.entries = mem_zero(o->keys, sizeof *w->ring.entries);
    w->ring.count = o->keys;
    w->key_calls = mem_zero(o->keys, sizeof *w->key_calls);
    for (size_t i = 0; i < o->keys; i++) {
        char text[32];
        struct key_entry *entry = &w->ring.entries[i];
        snprintf(text, sizeof text, "here-%zu", i + 1);
        *entry = (struct key_entry){.provider = w->provider, .weight = 1, .enabled = true};
        entry->name = mem_text(text, strlen(text));
        snprintf(text, sizeof text, "group %zu", o->groups ? i % o->groups : 0);
        if (o->groups)
            entry->group = mem_text(text, strlen(text));
    }
    w->ring.groups = o->group;
    w->ring.group_count = o->group != NULL;
    w->pool = pool_new(&(struct pool_options){.keyring = &w->ring,
                                              .strategy = o->strategy,
                                              .slots_per_key = o->slots,
                                              .limits = o->limits,
                                              .cooldown = o->cooldown,
                                              .feels_nothing = o->deaf,
                                              .seed = o->seed + 1});
    pool_tell_time(w->pool, w->now, w->now + w->wall_offset);
    w->channel = pool_channel(w->pool, w->provider, SLICE("\"m\""));
    w->need = (struct need){.input_tokens = 10, .output_tokens = -1};
}

static inline void world_close(struct world *w) {
    pool_free(w->pool);
    for (size_t i = 0; i < w->ring.count; i++) {
        free(w->ring.entries[i].name);
        free(w->ring.entries[i].group);
    }
    free(w->ring.entries);
    free(w->key_calls);
    free(w->flights);
}

static inline void world_send(struct world *w, struct lease *lease) {
    if (w->flight_count == w->flight_cap) {
        w->flight_cap = w->flight_cap * 2 + 16;
        w->flights = mem_resize(w->flights, w->flight_cap * sizeof *w->flights);
    }
    struct flight *f = &w->flights[w->flight_count++];
    *f = (struct flight){.lease = *lease, .key = (size_t)(lease->key->entry - w->ring.entries)};
    f->said = (struct said){.verdict = {.hint = -1}, .latency = SEC / 10, .usage = USAGE_NONE};
    w->calls++;
    w->key_calls[f->key]++;
    w->answers(w, f->key, &f->said);
    f->done_at = w->now + f->said.latency;
}

static inline void world_settle(struct world *w, size_t i) {
    struct flight f = w->flights[i];
    const struct verdict *v = &f.said.verdict;
    struct pool_report report = {.verdict = v,
                                 .usage = f.said.usage,
                                 .end =
                                     v->outcome == OUTCOME_OK ? REQUEST_ANSWERED : REQUEST_REFUSED,
                                 .latency = f.said.latency,
                                 .announced = f.said.announces ? &f.said.announced : NULL};
    w->flights[i] = w->flights[--w->flight_count];
    w->refused += v->outcome == OUTCOME_RATE_LIMITED;
    w->failed += v->outcome != OUTCOME_RATE_LIMITED && v->outcome != OUTCOME_OK;
    if (v->outcome == OUTCOME_OK || v->cause == BECAUSE_REQUEST) {
        w->jobs--;
        w->last_ok = w->now;
    }
    pool_release(&f.lease, &report, w->now);
}

static inline void world_settle_due(struct world *w) {
    for (size_t i = 0; i < w->flight_count;)
        if (w->flights[i].done_at <= w->now)
            world_settle(w, i);
        else
            i++;
}

static inline int64_t world_next_done(const struct world *w) {
    int64_t next = TIME_NEVER;
    for (size_t i = 0; i < w->flight_count; i++)
        if (w->flights[i].done_at < next)
            next = w->flights[i].done_at;
    return next;
}

// Starts what may start now. When to come again.
static inline int64_t world_start(struct world *w) {
    int64_t not_before = TIME_NEVER;
    while (w->jobs > (int64_t)w->flight_count) {
        struct lease lease;
        enum pool_answer answer = pool_acquire(w->channel, &w->need, w->now, &lease, &not_before);
        if (answer == POOL_NONE || answer == POOL_NO_MODEL)
            w->stopped = answer;
        if (answer != POOL_LEASED)
            return not_before;
        world_send(w, &lease);
    }
    return TIME_NEVER;
}

// Until all jobs are answered, or nobody can, or `until`.
static inline void world_run_until(struct world *w, int64_t until) {
    w->begun = w->begun ? w->begun : w->now;
    while (w->jobs > 0 && w->stopped == POOL_LEASED && w->now < until) {
        pool_tell_time(w->pool, w->now, w->now + w->wall_offset);
        int64_t next = world_start(w), done = world_next_done(w);
        if (w->stopped != POOL_LEASED)
            break;
        next = next < done ? next : done;
        w->stalled = next == TIME_NEVER || next < w->now;
        if (w->stalled)
            break;
        w->now = next < until ? next : until;
        world_settle_due(w);
    }
    while (w->stopped != POOL_LEASED && w->flight_count)
        world_settle(w, 0);
    if (w->stopped == POOL_LEASED)
        world_start(w);
    w->ended = w->now;
}

static inline void world_run(struct world *w, int64_t jobs) {
    w->jobs = jobs;
    world_run_until(w, w->now + 100 * 86400 * SEC);
}

static inline void said_ok(struct said *said, int64_t latency) {
    said->verdict.outcome = OUTCOME_OK;
    said->verdict.cause = BECAUSE_NOTHING;
    said->latency = latency;
    said->usage = (struct usage){10, 20, 30, -1, -1, -1};
}

static inline void said_no(struct said *said, enum outcome outcome, enum cause cause) {
    said->verdict.outcome = outcome;
    said->verdict.cause = cause;
    said->latency = SEC / 50;
    snprintf(said->verdict.code, sizeof said->verdict.code, "no");
}

#endif
