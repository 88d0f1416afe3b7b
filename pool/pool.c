// pool.c: gives keys to jobs in turn and takes them back with what came of it. Loop thread.
// SPDX-License-Identifier: MIT
#include "pool/pool.h"

#include "jobs/base/bits.h"
#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "jobs/base/log.h"
#include "pool/limits/cooldown.h"

#include <stdlib.h>

struct channel {
    const struct provider *provider;
    struct key **keys; // in the order they were given: the order of the rotation
    size_t count;
    size_t cursor;       // where the rotation goes on
    struct bits open;    // keys that may take a request now
    struct heap resting; // COOLING and SUSPENDED keys, by when that ends
    size_t by_state[KEY_STATES];
};

struct pool {
    struct channel *providers;
    size_t provider_count;
    struct key *keys; // all of them, one block
    size_t key_count;
    int64_t cooldown;
    struct random random;
};

static struct channel *find_channel(struct pool *pool, const struct provider *provider) {
    for (size_t i = 0; i < pool->provider_count; i++)
        if (pool->providers[i].provider == provider)
            return &pool->providers[i];
    return NULL;
}

static struct channel *provider_slot(struct pool *pool, const struct provider *provider) {
    struct channel *home = find_channel(pool, provider);
    if (home)
        return home;
    pool->providers =
        mem_resize(pool->providers, (pool->provider_count + 1) * sizeof *pool->providers);
    home = &pool->providers[pool->provider_count++];
    *home = (struct channel){.provider = provider};
    return home;
}

// Two passes: first how many keys each provider has, then the keys themselves, so that no pointer
// moves afterwards.
static void count_keys(struct pool *pool, const struct keyring *ring) {
    for (size_t i = 0; i < ring->count; i++)
        if (ring->entries[i].enabled) {
            provider_slot(pool, ring->entries[i].provider)->count++;
            pool->key_count++;
        }
    pool->keys = mem_zero(pool->key_count, sizeof *pool->keys);
    for (size_t i = 0; i < pool->provider_count; i++) {
        struct channel *home = &pool->providers[i];
        home->keys = mem_zero(home->count, sizeof *home->keys);
        bits_init(&home->open, home->count);
        home->count = 0;
    }
}

static void add_key(struct pool *pool, struct key *key, const struct key_entry *entry, int slots) {
    struct channel *home = find_channel(pool, entry->provider);
    key->entry = entry;
    key->slots = entry->limits.concurrency > 0 && entry->limits.concurrency < slots
                     ? (int)entry->limits.concurrency
                     : slots;
    key->place = home->count;
    home->keys[home->count++] = key;
    home->by_state[KEY_READY]++;
    bits_set(&home->open, key->place);
}

struct pool *pool_new(const struct pool_options *options) {
    struct pool *pool = mem_zero(1, sizeof *pool);
    const struct keyring *ring = options->keyring;
    pool->cooldown = options->cooldown;
    pool->random.state = options->seed;
    count_keys(pool, ring);
    size_t n = 0;
    for (size_t i = 0; i < ring->count; i++)
        if (ring->entries[i].enabled)
            add_key(pool, &pool->keys[n++], &ring->entries[i], options->slots_per_key);
    return pool;
}

void pool_tell_time(struct pool *pool, int64_t now, int64_t now_wall) {
    (void)pool, (void)now, (void)now_wall;
}

struct channel *pool_channel(struct pool *pool, const struct provider *provider,
                             struct slice model) {
    (void)model;
    return find_channel(pool, provider);
}

void pool_free(struct pool *pool) {
    if (!pool)
        return;
    for (size_t i = 0; i < pool->provider_count; i++) {
        free(pool->providers[i].keys);
        bits_free(&pool->providers[i].open);
        heap_free(&pool->providers[i].resting);
    }
    for (size_t i = 0; i < pool->key_count; i++) {
        free(pool->keys[i].latency);
        free(pool->keys[i].reason);
    }
    free(pool->providers);
    free(pool->keys);
    free(pool);
}

// Moves a key, and with it its membership: open set, resting heap, count by state.
static void move_key(struct channel *home, struct key *key, enum key_state state) {
    enum key_state from = key_state(key);
    home->by_state[from]--;
    home->by_state[state]++;
    key_set_state(key, state);
    if (key_is_open(state))
        bits_set(&home->open, key->place);
    else
        bits_clear(&home->open, key->place);
    if (state != KEY_COOLING && state != KEY_SUSPENDED)
        heap_remove(&home->resting, &key->timer);
}

static void rest_key(struct channel *home, struct key *key, enum key_state state, int64_t until) {
    // a later, weaker hint never shortens what an earlier one set
    if (heap_holds(&key->timer) && key->timer.due > until)
        until = key->timer.due;
    move_key(home, key, state);
    heap_set(&home->resting, &key->timer, until);
}

static void wake_rested(struct channel *home, int64_t now) {
    struct heap_node *node;
    while ((node = heap_pop_due(&home->resting, now)))
        move_key(home, HEAP_ENTRY(node, struct key, timer), KEY_TRIAL);
}

static bool is_hopeless(const struct channel *home) {
    return home->by_state[KEY_REMOVED] + home->by_state[KEY_SUSPENDED] == home->count;
}

enum pool_answer pool_acquire(struct channel *home, const struct need *need, int64_t now,
                              struct lease *lease, int64_t *not_before) {
    wake_rested(home, now);
    size_t place = bits_next_round(&home->open, home->cursor);
    if (place == BITS_NONE) {
        struct heap_node *first = heap_first(&home->resting);
        *not_before = first ? first->due : TIME_NEVER;
        if (is_hopeless(home))
            return POOL_NONE;
        return home->by_state[KEY_FULL] ? POOL_BUSY : POOL_LATER;
    }
    struct key *key = home->keys[place];
    home->cursor = place + 1;
    key->in_flight++;
    key->counts.requests++;
    if (key_state(key) == KEY_TRIAL)
        move_key(home, key, KEY_PROBING);
    else if (key->in_flight >= key->slots)
        move_key(home, key, KEY_FULL);
    *lease = (struct lease){.channel = home, .key = key, .need = *need, .taken_at = now};
    return POOL_LEASED;
}

// A slot came free: back among the open ones, unless the key is out for other reasons.
static void reopen(struct channel *home, struct key *key) {
    enum key_state state = key_state(key);
    if (state == KEY_FULL && key->in_flight < key->slots)
        move_key(home, key, KEY_READY);
}

static void count_report(struct key *key, const struct pool_report *report) {
    struct key_counts *counts = &key->counts;
    if (report->verdict->outcome == OUTCOME_OK) {
        counts->ok++;
        if (!key->latency)
            key->latency = mem_zero(1, sizeof *key->latency);
        histogram_add(key->latency, report->latency);
    } else if (report->verdict->outcome == OUTCOME_RATE_LIMITED) {
        counts->rate_limited++;
    } else {
        counts->failed++;
    }
    if (report->usage.input_tokens > 0)
        counts->input_tokens += report->usage.input_tokens;
    if (report->usage.output_tokens > 0)
        counts->output_tokens += report->usage.output_tokens;
}

// What the key or the provider may have done; refusals are told by the state.
static void note_health(struct key *key, enum outcome outcome, int64_t now) {
    if (outcome == OUTCOME_OK)
        health_passed(&key->health, now);
    else if (outcome == OUTCOME_SERVER || outcome == OUTCOME_TIMEOUT ||
             outcome == OUTCOME_NETWORK || outcome == OUTCOME_BAD_RESPONSE)
        health_failed(&key->health, now);
}

static void set_reason(struct key *key, const struct verdict *verdict) {
    struct buf text = BUF_INIT(1024);
    buf_add_str(&text, verdict->code);
    if (verdict->code[0] && verdict->message[0])
        buf_add_str(&text, ": ");
    buf_add_str(&text, verdict->message);
    free(key->reason);
    key->reason = mem_text(text.p, text.n);
    buf_free(&text);
}

static void say_why(const struct key *key, const char *what, int64_t pause) {
    struct buf text = BUF_INIT(64);
    if (pause) {
        buf_add_str(&text, " for ");
        duration_add(&text, pause / USEC_PER_MS * USEC_PER_MS);
    }
    if (key_state(key) == KEY_COOLING)
        log_info("%s %s%s: %s", key->entry->name, what, buf_cstr(&text), key->reason);
    else
        log_warn("%s %s%s: %s", key->entry->name, what, buf_cstr(&text), key->reason);
    buf_free(&text);
}

static void cool(struct pool *pool, struct lease *lease, const struct verdict *verdict,
                 int64_t now) {
    struct key *key = lease->key;
    // several refused at once are one refusal: only what was sent after the last one counts anew
    bool news = key->refusals == 0 || lease->taken_at > key->cooled_at;
    if (news) {
        key->refusals++;
        key->cooled_at = now;
    }
    int64_t pause = cooldown_after(pool->cooldown, verdict->hint, key->refusals, &pool->random);
    if (key_state(key) == KEY_REMOVED || key_state(key) == KEY_SUSPENDED)
        return;
    rest_key(lease->channel, key, KEY_COOLING, now + pause);
    if (news)
        say_why(key, "cools", pause);
}

static void act(struct pool *pool, struct lease *lease, const struct verdict *verdict,
                int64_t now) {
    struct key *key = lease->key;
    if (verdict->action != KEY_KEEP)
        set_reason(key, verdict);
    bool was_out = key_state(key) == KEY_REMOVED;
    switch (verdict->action) {
    case KEY_KEEP: break;
    case KEY_COOL: cool(pool, lease, verdict, now); break;
    case KEY_SUSPEND:
        if (was_out || key_state(key) == KEY_SUSPENDED)
            break;
        rest_key(lease->channel, key, KEY_SUSPENDED, now + COOLDOWN_MONEY_PROBE);
        say_why(key, "is out of money or quota and left alone", COOLDOWN_MONEY_PROBE);
        break;
    case KEY_REMOVE:
        if (was_out)
            break;
        move_key(lease->channel, key, KEY_REMOVED);
        say_why(key, "is not accepted and taken out", 0);
        break;
    }
}

// The probe's answer, when it was no refusal: back to work, or another trial.
static void settle_probe(struct channel *home, struct key *key, bool good) {
    if (key_state(key) != KEY_PROBING)
        return;
    if (!good) {
        move_key(home, key, KEY_TRIAL);
        return;
    }
    free(key->reason);
    key->reason = NULL;
    move_key(home, key, key->in_flight < key->slots ? KEY_READY : KEY_FULL);
    log_info("%s is back", key->entry->name);
}

void pool_release(struct pool *pool, struct lease *lease, const struct pool_report *report,
                  int64_t now) {
    struct key *key = lease->key;
    BUG_IF(!key || key->in_flight <= 0);
    const struct verdict *verdict = report->verdict;
    key->in_flight--;
    count_report(key, report);
    note_health(key, verdict->outcome, now);
    act(pool, lease, verdict, now);
    // what the provider answered at all, even with a refusal of the request, clears the suspicion
    bool answered = verdict->outcome == OUTCOME_OK || verdict->outcome == OUTCOME_INVALID_REQUEST ||
                    verdict->outcome == OUTCOME_CONTENT_FILTER;
    bool after_cooldown = key->refusals == 0 || lease->taken_at > key->cooled_at;
    if (answered && after_cooldown)
        key->refusals = 0;
    if (after_cooldown) // an answer to what was sent before the refusal proves nothing
        settle_probe(lease->channel, key, answered);
    reopen(lease->channel, key);
    lease->key = NULL;
}

void pool_return(struct lease *lease, int64_t now) {
    (void)now;
    struct key *key = lease->key;
    key->in_flight--;
    key->counts.requests--;
    if (key_state(key) == KEY_PROBING)
        move_key(lease->channel, key, KEY_TRIAL);
    reopen(lease->channel, key);
    lease->key = NULL;
}

size_t pool_key_count(const struct pool *pool) {
    return pool->key_count;
}

const struct key *pool_key(const struct pool *pool, size_t i) {
    return &pool->keys[i];
}

struct key *pool_key_mutable(struct pool *pool, size_t i) {
    return &pool->keys[i];
}
