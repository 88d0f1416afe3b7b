// A closed loop on a virtual clock: keys that send jobs to a model of a provider, which admits or
// refuses them, paced by what is tested. Around it the rest of the pool in short: a key that was
// refused rests (cooldown.h), comes back with one request, and with all once that was answered.
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_POOL_LIMITS_LOOP_H
#define TESTS_UNIT_POOL_LIMITS_LOOP_H

#include "jobs/base/clock.h"
#include "jobs/base/random.h"
#include "pool/limits/announced.h"
#include "pool/limits/cooldown.h"
#include "pool/limits/spend.h"

#include "tests/unit/check.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEC    USEC_PER_SEC
#define MINUTE (60 * SEC)

#define SERVER_LOG   2048
#define SERVER_CORES 128
#define KEYS_MOST    8
#define IN_AIR       256
#define LOOP_START   (1000 * SEC)

enum server_kind { UNLIMITED, TOKEN_BUCKET, FIXED_WINDOW, SLIDING_WINDOW };
enum header_style { NO_HEADERS, OPENAI, ANTHROPIC, MISTRAL };

struct server {
    enum server_kind kind;
    double rate;           // requests a second
    double capacity;       // a bucket's; of windows: rate × period
    int64_t period, phase; // of windows
    double change_rate;    // from change_at after the start on; 0: none
    int64_t change_at;
    double others; // what somebody else takes of it, a second
    int at_once;   // refuses what is more at the same time; 0: any
    int cores;     // answers so many at the same time, the others wait; 0: any
    int64_t latency;
    double spread;     // sigma of a lognormal latency
    int64_t way;       // on the way to it, at most
    double tokens;     // a second, capacity 60 seconds' worth; 0: any
    bool refunds;      // estimated tokens that were not used
    bool counts_early; // headers are of the moment of admission, else of the answer
    enum header_style style;

    double level, token_level;
    int64_t at, window;
    int used, in_flight;
    int64_t log[SERVER_LOG];
    size_t logged;
    int64_t free_at[SERVER_CORES];
};

struct request {
    bool is_in_air, has_arrived, refused;
    int key, in_flight; // of the key when it was sent, itself included
    int64_t sent_at, due;
    struct charge charge;
    int64_t real_tokens;
    uint64_t serial;
    struct announced announced;
};

struct loop;

// What is tested: one state per key, of the caller's own kind.
struct paced {
    void *state[KEYS_MOST];
    int64_t (*ready_at)(void *state, const struct spend *spend, int64_t now);
    void (*take)(void *state, struct request *r, int64_t now);
    void (*answered)(void *state, const struct request *r, int64_t now);
    int (*width)(void *state); // NULL: slots
};

struct loop {
    struct server *servers[KEYS_MOST]; // of each key; several keys may share one
    int keys, jobs, slots;
    int64_t estimate, real; // tokens of a request
    bool hints;             // refusals say how long to wait
    uint64_t seed;

    struct random random;
    struct request requests[IN_AIR];
    struct {
        int in_flight, refusals;
        int64_t rests_until, cooled_at;
        bool on_trial, probing;
    } key[KEYS_MOST];
    bool rest_together; // the keys are of one account
    bool tries_first;   // after a rest one request goes alone, and the others when it was answered
};

struct figures {
    double seconds;
    int ok, refused;
    double latency; // average of the second half, seconds
};

static double refused_share(const struct figures *f) {
    return (double)f->refused / (f->ok + f->refused);
}

static double loop_normal(struct random *r) {
    double u = random_unit(r) + 1e-12, v = random_unit(r);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

static void server_refill(struct server *s, int64_t now) {
    if (s->change_rate > 0 && now >= LOOP_START + s->change_at) {
        s->capacity *= s->kind == TOKEN_BUCKET ? s->change_rate / s->rate : 1;
        s->rate = s->change_rate;
        s->change_rate = 0;
    }
    double elapsed = (double)(now - s->at) / 1e6;
    s->level = fmin(s->capacity, s->level + elapsed * (s->rate - s->others));
    s->token_level = fmin(s->tokens * 60, s->token_level + elapsed * s->tokens);
    s->at = now;
}

static int server_window_limit(const struct server *s) {
    return (int)lround(s->rate * (double)s->period / 1e6);
}

static bool server_has_room(struct server *s, int64_t tokens, int64_t now) {
    server_refill(s, now);
    if (s->tokens > 0 && s->token_level < (double)tokens)
        return false;
    if (s->kind == TOKEN_BUCKET)
        return s->level >= 1;
    if (s->kind == FIXED_WINDOW) {
        int64_t window = (now + s->phase) / s->period;
        if (window != s->window)
            s->used = 0;
        s->window = window;
        return s->used < server_window_limit(s);
    }
    size_t limit = s->kind == SLIDING_WINDOW ? (size_t)server_window_limit(s) : 0;
    return !limit || s->logged < limit ||
           now - s->log[(s->logged - limit) % SERVER_LOG] >= s->period;
}

static void server_count(struct server *s, int64_t tokens, int64_t now) {
    s->level -= 1;
    s->token_level -= (double)tokens;
    s->used++;
    s->log[s->logged++ % SERVER_LOG] = now;
}

// When a request that arrives now is answered: behind what waits before it.
static int64_t server_answers_at(struct server *s, struct random *random, int64_t now) {
    double took =
        (double)s->latency * exp(s->spread * loop_normal(random) - s->spread * s->spread / 2);
    int64_t begins = now, *core = NULL;
    for (int i = 0; i < s->cores; i++)
        if (!core || s->free_at[i] < *core)
            core = &s->free_at[i];
    if (core && *core > begins)
        begins = *core;
    if (core)
        *core = begins + (int64_t)took;
    return begins + (int64_t)took;
}

// As the styles round it: Go durations to the millisecond, times to the second, nothing at all.
static void server_announce_one(const struct server *s, struct announced_limit *said, double level,
                                double rate, double capacity) {
    said->limit = (int64_t)capacity;
    said->remaining = level > 0 ? (int64_t)level : 0;
    double reset = (capacity - level) / rate * 1e6;
    if (s->style == OPENAI)
        said->reset = (int64_t)(ceil(reset / 1e3) * 1e3);
    else if (s->style == ANTHROPIC)
        said->reset = (int64_t)(ceil(reset / 1e6) * 1e6);
}

static void server_announce(struct server *s, struct announced *announced, int64_t now) {
    server_refill(s, now);
    if (s->style == NO_HEADERS)
        return;
    server_announce_one(s, &announced->requests_minute, s->level, s->rate, s->capacity);
    if (s->tokens > 0)
        server_announce_one(s, &announced->tokens_minute, s->token_level, s->tokens,
                            s->tokens * 60);
}

static void server_arrive(struct loop *l, struct request *r, int64_t now) {
    struct server *s = l->servers[r->key];
    r->has_arrived = true;
    bool is_full = s->at_once && s->in_flight >= s->at_once;
    r->refused = is_full || !server_has_room(s, l->estimate, now);
    s->in_flight += !r->refused;
    if (!r->refused)
        server_count(s, l->estimate, now);
    server_announce(s, &r->announced, now);
    r->due = r->refused ? now + 20 * USEC_PER_MS + random_below(&l->random, 30 * USEC_PER_MS)
                        : server_answers_at(s, &l->random, now);
}

static void loop_send(struct loop *l, const struct paced *p, int key, int64_t now) {
    struct request *r = l->requests;
    while (r->is_in_air)
        r++;
    assert_true(r < l->requests + IN_AIR);
    memset(r, 0, sizeof *r);
    memset(&r->announced, -1, sizeof r->announced);
    r->is_in_air = true;
    r->key = key;
    r->in_flight = ++l->key[key].in_flight;
    r->sent_at = now;
    r->charge = (struct charge){.at = now, .spend = {1, l->estimate, 0}};
    int64_t way = l->servers[key]->way;
    r->due = now + (way ? random_below(&l->random, way) : 0);
    int rests = l->rest_together ? 0 : key;
    l->key[rests].probing = l->key[rests].on_trial;
    p->take(p->state[key], r, now);
}

static void loop_rest(struct loop *l, const struct request *r, int64_t now) {
    int key = l->rest_together ? 0 : r->key;
    if (l->key[key].refusals == 0 || r->sent_at > l->key[key].cooled_at) {
        l->key[key].refusals++;
        l->key[key].cooled_at = now;
    }
    const struct server *s = l->servers[key];
    int64_t hint = -1;
    if (l->hints)
        hint = (int64_t)(ceil(fmax(0, (1 - s->level) / s->rate)) * 1e6);
    int64_t until = now + cooldown_after(COOLDOWN_AUTO, hint, l->key[key].refusals, &l->random);
    if (until > l->key[key].rests_until)
        l->key[key].rests_until = until;
    l->key[key].on_trial = l->tries_first;
}

static void loop_answer(struct loop *l, const struct paced *p, struct request *r, int64_t now) {
    struct server *s = l->servers[r->key];
    int key = l->rest_together ? 0 : r->key;
    r->is_in_air = false;
    l->key[r->key].in_flight--;
    bool after_cooldown = l->key[key].refusals == 0 || r->sent_at > l->key[key].cooled_at;
    if (!r->refused) {
        s->in_flight--;
        server_refill(s, now);
        if (s->refunds)
            s->token_level += (double)(l->estimate - l->real);
        if (!s->counts_early)
            server_announce(s, &r->announced, now);
    }
    r->real_tokens = r->refused ? 0 : l->real;
    p->answered(p->state[r->key], r, now);
    if (r->refused)
        loop_rest(l, r, now);
    else if (after_cooldown)
        l->key[key].refusals = 0, l->key[key].on_trial = false;
    if (after_cooldown)
        l->key[key].probing = false;
}

// When this key may send its next request: TIME_NEVER when that depends on answers.
static int64_t loop_ready_at(struct loop *l, const struct paced *p, int key, int64_t now) {
    int width = p->width ? p->width(p->state[key]) : l->slots;
    int rests = l->rest_together ? 0 : key;
    if (l->key[key].in_flight >= width || (l->key[rests].on_trial && l->key[rests].probing))
        return TIME_NEVER;
    if (l->key[rests].rests_until > now)
        return l->key[rests].rests_until;
    struct spend spend = {1, l->estimate, 0};
    return p->ready_at(p->state[key], &spend, now);
}

static struct request *loop_next_due(struct loop *l) {
    struct request *first = NULL;
    for (struct request *r = l->requests; r < l->requests + IN_AIR; r++)
        if (r->is_in_air && (!first || r->due < first->due))
            first = r;
    return first;
}

// Sends what may be sent now, keys taking turns, and tells when to look again.
static int64_t loop_send_all(struct loop *l, const struct paced *p, int *left, int64_t now) {
    int64_t next = TIME_NEVER;
    for (bool sent = true; sent && *left > 0;) {
        sent = false;
        next = TIME_NEVER;
        for (int key = 0; key<l->keys && * left> 0; key++) {
            int64_t at = loop_ready_at(l, p, key, now);
            if (at <= now) {
                loop_send(l, p, key, now);
                --*left;
                sent = true;
            } else if (at < next) {
                next = at;
            }
        }
    }
    return *left > 0 ? next : TIME_NEVER;
}

// Runs until every job was answered.
static struct figures loop_run(struct loop *l, const struct paced *p) {
    struct figures f = {0};
    const int64_t start = LOOP_START;
    int64_t now = start;
    int left = l->jobs;
    l->random.state = l->seed;
    for (int key = 0; key < l->keys; key++) {
        struct server *s = l->servers[key];
        s->at = now;
        s->level = s->capacity;
        s->token_level = s->tokens * 60;
    }
    for (int steps = 0; f.ok < l->jobs; steps++) {
        assert_true(steps < 4000000);
        int64_t next = loop_send_all(l, p, &left, now);
        struct request *r = loop_next_due(l);
        if (!r || r->due > next) {
            assert_true(next < TIME_NEVER); // else nothing would ever happen again
            now = next;
            continue;
        }
        now = r->due > now ? r->due : now;
        if (!r->has_arrived) {
            server_arrive(l, r, now);
            continue;
        }
        loop_answer(l, p, r, now);
        f.refused += r->refused;
        f.ok += !r->refused;
        left += r->refused;
        if (!r->refused && f.ok > l->jobs / 2)
            f.latency += (double)(now - r->sent_at) / 1e6 / (l->jobs - l->jobs / 2);
    }
    f.seconds = (double)(now - start) / 1e6;
    return f;
}

#endif
