// ledger.c: limits and counters of the simulator's keys. Any thread, under its own lock.
// SPDX-License-Identifier: MIT
#include "runner/simulate/ledger.h"

#include "jobs/base/die.h"
#include "jobs/base/json.h"
#include "jobs/base/random.h"
#include "runner/simulate/bucket.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#define PREFIX      "sim-key-"
#define SECRET_SIZE 64

struct counts {
    int64_t requests, ok, failed, rate_limited;
    int64_t input_tokens, output_tokens;
    int64_t connections;
    int64_t early; // came before the time a 429's Retry-After had named
    int64_t in_flight_max;
};

struct key {
    struct counts counts;
    int64_t in_flight;
    int64_t not_before;
    struct bucket requests, tokens;
};

struct ledger {
    struct ledger_limits limits;
    struct key *keys;
    pthread_mutex_t lock; // guards all below and the keys
    int64_t unknown;      // requests that reached no key
    int64_t in_flight, in_flight_max;
};

struct ledger *ledger_new(const struct ledger_limits *limits, int64_t now) {
    struct ledger *l = mem_zero(1, sizeof *l);
    l->limits = *limits;
    l->keys = mem_zero((size_t)limits->keys, sizeof *l->keys);
    pthread_mutex_init(&l->lock, NULL);
    for (int64_t i = 0; i < limits->keys; i++) {
        l->keys[i].not_before = INT64_MIN;
        bucket_init(&l->keys[i].requests, limits->rpm, now);
        bucket_init(&l->keys[i].tokens, limits->tpm, now);
    }
    return l;
}

void ledger_free(struct ledger *l) {
    if (!l)
        return;
    pthread_mutex_destroy(&l->lock);
    free(l->keys);
    free(l);
}

static void add_hex(struct buf *out, uint64_t value) {
    char digits[16];
    for (int i = 0; i < 16; i++)
        digits[i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
    buf_add(out, digits, sizeof digits);
}

void ledger_add_secret(int64_t n, struct buf *out) {
    struct random mix = {(uint64_t)n};
    buf_add_str(out, PREFIX);
    buf_add_int(out, n);
    buf_add_char(out, '-');
    add_hex(out, random_next(&mix));
}

int64_t ledger_find(const struct ledger *l, struct slice secret) {
    char memory[SECRET_SIZE];
    struct buf expected = {.p = memory, .cap = sizeof memory, .max = sizeof memory};
    int64_t n;
    if (!slice_starts(secret, PREFIX))
        return 0;
    const char *number = secret.p + strlen(PREFIX);
    const char *dash = memchr(number, '-', secret.n - strlen(PREFIX));
    if (!dash || !json_int(slice_of(number, (size_t)(dash - number)), &n))
        return 0;
    if (n < 1 || n > l->limits.keys)
        return 0;
    ledger_add_secret(n, &expected);
    return slice_eq(secret, buf_slice(&expected)) ? n : 0;
}

static struct key *lock_key(struct ledger *l, int64_t key) {
    BUG_IF(key < 1 || key > l->limits.keys);
    pthread_mutex_lock(&l->lock);
    return &l->keys[key - 1];
}

static void unlock(struct ledger *l) {
    pthread_mutex_unlock(&l->lock);
}

void ledger_arrive(struct ledger *l, int64_t key, bool fresh, int64_t now) {
    struct key *k = lock_key(l, key);
    k->counts.requests++;
    k->counts.connections += fresh;
    k->counts.early += now < k->not_before;
    if (++k->in_flight > k->counts.in_flight_max)
        k->counts.in_flight_max = k->in_flight;
    if (++l->in_flight > l->in_flight_max)
        l->in_flight_max = l->in_flight;
    unlock(l);
}

void ledger_arrive_nowhere(struct ledger *l) {
    pthread_mutex_lock(&l->lock);
    l->unknown++;
    unlock(l);
}

static bool refuse(struct refusal *r, enum limit_kind kind, int64_t limit, int64_t used) {
    r->kind = kind;
    r->limit = limit;
    r->used = used;
    return false;
}

static bool admit(struct ledger *l, struct key *k, int64_t tokens, int64_t now, struct refusal *r) {
    int64_t concurrency = l->limits.concurrency;
    *r = (struct refusal){.requested = 1, .wait = -1};
    if (concurrency && k->in_flight > concurrency)
        return refuse(r, LIMIT_CONCURRENCY, concurrency, k->in_flight - 1);
    r->wait = bucket_wait(&k->requests, 1, now);
    if (r->wait)
        return refuse(r, LIMIT_REQUESTS, l->limits.rpm,
                      l->limits.rpm - bucket_left(&k->requests, now));
    r->wait = bucket_wait(&k->tokens, tokens, now);
    r->requested = tokens;
    if (r->wait)
        return refuse(r, LIMIT_TOKENS, l->limits.tpm, l->limits.tpm - bucket_left(&k->tokens, now));
    bucket_take(&k->requests, 1, now);
    bucket_take(&k->tokens, tokens, now);
    return true;
}

bool ledger_admit(struct ledger *l, int64_t key, int64_t tokens, int64_t now,
                  struct refusal *refusal) {
    struct key *k = lock_key(l, key);
    bool admitted = admit(l, k, tokens, now, refusal);
    unlock(l);
    return admitted;
}

void ledger_settle(struct ledger *l, int64_t key, const struct settlement *s, int64_t now) {
    struct key *k = lock_key(l, key);
    k->in_flight--;
    l->in_flight--;
    k->counts.ok += s->how == SETTLED_OK;
    k->counts.failed += s->how == SETTLED_FAILED;
    k->counts.rate_limited += s->how == SETTLED_RATE_LIMITED;
    if (s->how == SETTLED_OK) {
        k->counts.input_tokens += s->input_tokens;
        k->counts.output_tokens += s->output_tokens;
    }
    if (s->retry_after >= 0 && now + s->retry_after > k->not_before)
        k->not_before = now + s->retry_after;
    BUG_IF(k->in_flight < 0);
    unlock(l);
}

static void look(struct bucket *b, int64_t now, struct allowance *a) {
    *a = (struct allowance){b->limit, bucket_left(b, now), bucket_until_full(b, now)};
}

bool ledger_allowance(struct ledger *l, int64_t key, int64_t now, struct allowance *requests,
                      struct allowance *tokens) {
    if (!l->limits.rpm && !l->limits.tpm)
        return false;
    struct key *k = lock_key(l, key);
    look(&k->requests, now, requests);
    look(&k->tokens, now, tokens);
    unlock(l);
    return true;
}

int64_t ledger_wait(struct ledger *l, int64_t key, int64_t now) {
    if (!l->limits.rpm)
        return -1;
    struct key *k = lock_key(l, key);
    int64_t wait = bucket_wait(&k->requests, 1, now);
    unlock(l);
    return wait;
}

static void add_counts(struct counts *sum, const struct counts *c) {
    sum->requests += c->requests;
    sum->ok += c->ok;
    sum->failed += c->failed;
    sum->rate_limited += c->rate_limited;
    sum->input_tokens += c->input_tokens;
    sum->output_tokens += c->output_tokens;
    sum->connections += c->connections;
    sum->early += c->early;
}

static void add_number(struct buf *out, const char *name, int64_t value) {
    json_add_name(out, name);
    buf_add_int(out, value);
}

static void add_members(struct buf *out, const struct counts *c, int64_t in_flight) {
    add_number(out, "requests", c->requests);
    add_number(out, "ok", c->ok);
    add_number(out, "failed", c->failed);
    add_number(out, "rate_limited", c->rate_limited);
    add_number(out, "input_tokens", c->input_tokens);
    add_number(out, "output_tokens", c->output_tokens);
    add_number(out, "in_flight", in_flight);
    add_number(out, "in_flight_max", c->in_flight_max);
    add_number(out, "connections", c->connections);
    add_number(out, "early", c->early);
}

static struct counts sum_keys(const struct ledger *l) {
    struct counts sum = {.in_flight_max = l->in_flight_max};
    for (int64_t i = 0; i < l->limits.keys; i++)
        add_counts(&sum, &l->keys[i].counts);
    return sum;
}

void ledger_stats(struct ledger *l, struct buf *out) {
    pthread_mutex_lock(&l->lock);
    struct counts sum = sum_keys(l);
    buf_add_char(out, '{');
    add_members(out, &sum, l->in_flight);
    add_number(out, "unknown_key", l->unknown);
    buf_add_str(out, ",\"keys\":[");
    for (int64_t i = 0; i < l->limits.keys; i++) {
        buf_add_str(out, i ? ",{\"key\":\"simulate-" : "{\"key\":\"simulate-");
        buf_add_int(out, i + 1);
        buf_add_char(out, '"');
        add_members(out, &l->keys[i].counts, l->keys[i].in_flight);
        buf_add_char(out, '}');
    }
    buf_add_str(out, "]}");
    unlock(l);
}

static void add_row(struct buf *out, const char *name, const struct counts *c) {
    buf_addf(out,
             "%-16s %9" PRId64 " %9" PRId64 " %7" PRId64 " %7" PRId64 " %11" PRId64 " %11" PRId64
             " %9" PRId64 "\n",
             name, c->requests, c->ok, c->failed, c->rate_limited, c->input_tokens,
             c->output_tokens, c->in_flight_max);
}

void ledger_table(struct ledger *l, int rows, struct buf *out) {
    char name[32];
    int64_t left_out = 0;
    pthread_mutex_lock(&l->lock);
    struct counts sum = sum_keys(l);
    buf_addf(out, "%-16s %9s %9s %7s %7s %11s %11s %9s\n", "key", "requests", "ok", "failed",
             "429s", "tokens in", "tokens out", "at once");
    for (int64_t i = 0; i < l->limits.keys; i++) {
        const struct counts *c = &l->keys[i].counts;
        if (!c->requests)
            continue;
        if (rows-- > 0) {
            snprintf(name, sizeof name, "simulate-%" PRId64, i + 1);
            add_row(out, name, c);
        } else {
            left_out++;
        }
    }
    if (left_out)
        buf_addf(out, "(%" PRId64 " more keys)\n", left_out);
    add_row(out, "total", &sum);
    if (l->unknown)
        buf_addf(out, "%" PRId64 " requests came without a known key\n", l->unknown);
    unlock(l);
}

void ledger_reset(struct ledger *l) {
    pthread_mutex_lock(&l->lock);
    for (int64_t i = 0; i < l->limits.keys; i++) {
        struct key *k = &l->keys[i];
        k->counts = (struct counts){.requests = k->in_flight, .in_flight_max = k->in_flight};
    }
    l->in_flight_max = l->in_flight;
    l->unknown = 0;
    unlock(l);
}
