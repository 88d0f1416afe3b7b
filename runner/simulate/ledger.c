// ledger.c: limits and counters of the simulator's keys. Any thread, under its own lock.
// SPDX-License-Identifier: MIT
#include "runner/simulate/ledger.h"

#include "jobs/base/die.h"
#include "jobs/base/histogram.h"
#include "jobs/base/json.h"
#include "jobs/base/random.h"
#include "runner/simulate/bucket.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#define PREFIX      "sim-key-"
#define SECRET_SIZE 64
#define DAY_DEFAULT (INT64_C(24) * 60 * BUCKET_MINUTE)

struct counts {
    int64_t requests, ok, failed, rate_limited;
    int64_t input_tokens, output_tokens;
    int64_t connections;
    int64_t early;         // came before the time that the key's last 429 had named
    int64_t refused_early; // refused, before the time that a 429 of its group had named
    int64_t in_flight_max;
};

struct key {
    struct counts counts;
    int64_t in_flight;
    int64_t not_before;
    bool awaited; // no request has come since
};

struct group {
    int64_t in_flight, in_flight_max;
    int64_t not_before;
    struct bucket requests, tokens, day;
};

struct ledger {
    struct ledger_limits limits;
    int64_t started;
    int64_t group_count; // as many as keys where --groups is not set
    struct key *keys;
    struct group *groups;
    pthread_mutex_t lock; // guards all below, keys and groups
    int64_t unknown;      // requests that reached no key
    int64_t in_flight, in_flight_max;
    int64_t answers, replays;
    struct histogram late; // from the time a key's 429 had named to its next request
};

static void group_init(struct group *g, const struct ledger_limits *limits, int64_t now) {
    struct bucket_shape rpm = {limits->rpm, BUCKET_MINUTE, limits->rpm ? limits->burst : 0, false};
    struct bucket_shape tpm = {limits->tpm, BUCKET_MINUTE, 0, false};
    struct bucket_shape rpd = {limits->rpd, limits->day, 0, !limits->day_refills};
    g->not_before = INT64_MIN;
    bucket_init(&g->requests, &rpm, now);
    bucket_init(&g->tokens, &tpm, now);
    bucket_init(&g->day, &rpd, now);
}

struct ledger *ledger_new(const struct ledger_limits *limits, int64_t now) {
    struct ledger *l = mem_zero(1, sizeof *l);
    l->limits = *limits;
    if (!l->limits.day)
        l->limits.day = DAY_DEFAULT;
    l->started = now;
    l->group_count = limits->groups ? limits->groups : limits->keys;
    l->keys = mem_zero((size_t)limits->keys, sizeof *l->keys);
    l->groups = mem_zero((size_t)l->group_count, sizeof *l->groups);
    pthread_mutex_init(&l->lock, NULL);
    for (int64_t i = 0; i < limits->keys; i++)
        l->keys[i].not_before = INT64_MIN;
    for (int64_t i = 0; i < l->group_count; i++)
        group_init(&l->groups[i], &l->limits, now);
    return l;
}

void ledger_free(struct ledger *l) {
    if (!l)
        return;
    pthread_mutex_destroy(&l->lock);
    histogram_free(&l->late);
    free(l->keys);
    free(l->groups);
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

static struct group *group_of(struct ledger *l, int64_t key) {
    return &l->groups[(key - 1) % l->group_count];
}

static struct group *lock_group(struct ledger *l, int64_t key) {
    lock_key(l, key);
    return group_of(l, key);
}

static void raise_to(int64_t *max, int64_t value) {
    if (*max < value)
        *max = value;
}

static void note_late(struct ledger *l, struct key *k, int64_t now) {
    if (!k->awaited || now < k->not_before)
        return;
    histogram_add(&l->late, now - k->not_before);
    k->awaited = false;
}

void ledger_arrive(struct ledger *l, int64_t key, bool fresh, int64_t now) {
    struct key *k = lock_key(l, key);
    struct group *g = group_of(l, key);
    k->counts.requests++;
    k->counts.connections += fresh;
    k->counts.early += now < k->not_before;
    note_late(l, k, now);
    raise_to(&k->counts.in_flight_max, ++k->in_flight);
    raise_to(&g->in_flight_max, ++g->in_flight);
    raise_to(&l->in_flight_max, ++l->in_flight);
    unlock(l);
}

void ledger_arrive_nowhere(struct ledger *l) {
    pthread_mutex_lock(&l->lock);
    l->unknown++;
    unlock(l);
}

static bool refuse_concurrency(struct ledger *l, struct group *g, struct refusal *r) {
    int64_t limit = l->limits.concurrency;
    if (!limit || g->in_flight <= limit)
        return false;
    *r = (struct refusal){LIMIT_CONCURRENCY, limit, g->in_flight - 1, 1, -1, false};
    return true;
}

static bool refuse_by(struct bucket *b, enum limit_kind kind, int64_t n, int64_t now,
                      struct refusal *r) {
    int64_t wait = bucket_wait(b, n, now), limit = b->shape.limit;
    if (!wait)
        return false;
    *r = (struct refusal){kind, limit, limit - bucket_left(b, now), n, wait, false};
    return true;
}

static bool refuse(struct ledger *l, struct group *g, int64_t tokens, int64_t now,
                   struct refusal *r) {
    return refuse_concurrency(l, g, r) || refuse_by(&g->day, LIMIT_DAY, 1, now, r) ||
           refuse_by(&g->requests, LIMIT_REQUESTS, 1, now, r) ||
           refuse_by(&g->tokens, LIMIT_TOKENS, tokens, now, r);
}

bool ledger_admit(struct ledger *l, int64_t key, int64_t tokens, int64_t now,
                  struct refusal *refusal) {
    struct group *g = lock_group(l, key);
    bool refused = refuse(l, g, tokens, now, refusal);
    if (!refused) {
        bucket_take(&g->day, 1, now);
        bucket_take(&g->requests, 1, now);
        bucket_take(&g->tokens, tokens, now);
    }
    unlock(l);
    return !refused;
}

void ledger_answer(struct ledger *l, bool again) {
    pthread_mutex_lock(&l->lock);
    *(again ? &l->replays : &l->answers) += 1;
    unlock(l);
}

static void count_settled(struct counts *c, const struct settlement *s) {
    c->ok += s->how == SETTLED_OK;
    c->failed += s->how == SETTLED_FAILED;
    c->rate_limited += s->how == SETTLED_RATE_LIMITED;
    if (s->how == SETTLED_OK) {
        c->input_tokens += s->input_tokens;
        c->output_tokens += s->output_tokens;
    }
}

void ledger_settle(struct ledger *l, int64_t key, const struct settlement *s, int64_t now) {
    struct key *k = lock_key(l, key);
    struct group *g = group_of(l, key);
    k->in_flight--;
    g->in_flight--;
    l->in_flight--;
    count_settled(&k->counts, s);
    k->counts.refused_early += s->how == SETTLED_RATE_LIMITED && now < g->not_before;
    if (s->retry_after >= 0) {
        raise_to(&k->not_before, now + s->retry_after);
        k->awaited = true;
        raise_to(&g->not_before, now + s->retry_after);
    }
    BUG_IF(k->in_flight < 0);
    unlock(l);
}

static void look(struct bucket *b, int64_t now, struct allowance *a) {
    *a = (struct allowance){b->shape.limit, bucket_left(b, now), bucket_until_full(b, now)};
}

void ledger_allowances(struct ledger *l, int64_t key, int64_t now,
                       struct allowance allowances[LIMIT_COUNT]) {
    struct group *g = lock_group(l, key);
    look(&g->requests, now, &allowances[LIMIT_REQUESTS]);
    look(&g->tokens, now, &allowances[LIMIT_TOKENS]);
    look(&g->day, now, &allowances[LIMIT_DAY]);
    unlock(l);
}

int64_t ledger_wait(struct ledger *l, int64_t key, int64_t now) {
    if (!l->limits.rpm)
        return -1;
    int64_t wait = bucket_wait(&lock_group(l, key)->requests, 1, now);
    unlock(l);
    return wait;
}

int64_t ledger_day_left(const struct ledger *l, int64_t now) {
    return l->limits.day - (now - l->started) % l->limits.day;
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
    sum->refused_early += c->refused_early;
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
    add_number(out, "refused_early", c->refused_early);
}

static struct counts sum_keys(const struct ledger *l) {
    struct counts sum = {.in_flight_max = l->in_flight_max};
    for (int64_t i = 0; i < l->limits.keys; i++)
        add_counts(&sum, &l->keys[i].counts);
    return sum;
}

static struct counts sum_group(const struct ledger *l, int64_t i) {
    struct counts sum = {.in_flight_max = l->groups[i].in_flight_max};
    for (int64_t k = i; k < l->limits.keys; k += l->group_count)
        add_counts(&sum, &l->keys[k].counts);
    return sum;
}

// A key with its counts; its group where groups are set.
static void add_key(const struct ledger *l, int64_t i, struct buf *out) {
    buf_add_str(out, i ? ",{\"key\":\"simulate-" : "{\"key\":\"simulate-");
    buf_add_int(out, i + 1);
    buf_add_char(out, '"');
    add_members(out, &l->keys[i].counts, l->keys[i].in_flight);
    if (l->limits.groups)
        add_number(out, "group", i % l->group_count + 1);
    buf_add_char(out, '}');
}

static void add_group(const struct ledger *l, int64_t i, struct buf *out) {
    struct counts sum = sum_group(l, i);
    buf_add_str(out, i ? ",{\"group\":" : "{\"group\":");
    buf_add_int(out, i + 1);
    add_members(out, &sum, l->groups[i].in_flight);
    buf_add_char(out, '}');
}

void ledger_stats(struct ledger *l, struct buf *out) {
    pthread_mutex_lock(&l->lock);
    struct counts sum = sum_keys(l);
    buf_add_char(out, '{');
    add_members(out, &sum, l->in_flight);
    add_number(out, "unknown_key", l->unknown);
    add_number(out, "answers", l->answers);
    add_number(out, "replays", l->replays);
    buf_add_str(out, ",\"late_us\":{\"count\":");
    buf_add_int(out, (int64_t)l->late.total);
    add_number(out, "p50", histogram_at(&l->late, 0.50));
    add_number(out, "p99", histogram_at(&l->late, 0.99));
    buf_add_char(out, '}');
    buf_add_str(out, ",\"keys\":[");
    for (int64_t i = 0; i < l->limits.keys; i++)
        add_key(l, i, out);
    buf_add_str(out, "],\"groups\":[");
    for (int64_t i = 0; i < l->limits.groups; i++)
        add_group(l, i, out);
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

// The keys that were used, as far as there are rows.
static void add_key_rows(const struct ledger *l, int rows, struct buf *out) {
    char name[32];
    int64_t left_out = 0;
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
}

static void add_group_rows(const struct ledger *l, int rows, struct buf *out) {
    char name[32];
    for (int64_t i = 0; i < l->limits.groups && i < rows; i++) {
        struct counts sum = sum_group(l, i);
        snprintf(name, sizeof name, "group %" PRId64, i + 1);
        add_row(out, name, &sum);
    }
    if (l->limits.groups > rows)
        buf_addf(out, "(%" PRId64 " more groups)\n", l->limits.groups - rows);
}

void ledger_table(struct ledger *l, int rows, struct buf *out) {
    pthread_mutex_lock(&l->lock);
    struct counts sum = sum_keys(l);
    buf_addf(out, "%-16s %9s %9s %7s %7s %11s %11s %9s\n", "key", "requests", "ok", "failed",
             "429s", "tokens in", "tokens out", "at once");
    add_key_rows(l, rows, out);
    add_group_rows(l, rows, out);
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
    for (int64_t i = 0; i < l->group_count; i++)
        l->groups[i].in_flight_max = l->groups[i].in_flight;
    l->in_flight_max = l->in_flight;
    l->unknown = l->answers = l->replays = 0;
    histogram_free(&l->late);
    unlock(l);
}
