// pool.c: builds the pool: providers' keys, the accounts they belong to, a channel for each model.
// Loop thread.
// SPDX-License-Identifier: MIT
#include "pool/pool.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "pool/limits/cooldown.h"
#include "pool/limits/day.h"
#include "pool/pool_parts.h"

#include <stdlib.h>

#define OUTPUT_TOKENS_AT_FIRST 256 // of an answer, until some have come
#define WALL_JUMP              (2 * USEC_PER_SEC)

// -- homes --

static struct home *find_home(const struct pool *pool, const struct provider *provider) {
    for (size_t i = 0; i < pool->home_count; i++)
        if (pool->homes[i].provider == provider)
            return &pool->homes[i];
    return NULL;
}

static struct home *home_of(struct pool *pool, const struct provider *provider) {
    struct home *home = find_home(pool, provider);
    if (home)
        return home;
    home = &pool->homes[pool->home_count++];
    *home = (struct home){.pool = pool, .provider = provider};
    return home;
}

// First how many keys each provider has, then the keys themselves, so that no pointer moves
// afterwards.
static void count_keys(struct pool *pool, const struct keyring *ring) {
    pool->homes = mem_zero(PROVIDERS_MAX + 1, sizeof *pool->homes);
    for (size_t i = 0; i < ring->count; i++)
        if (ring->entries[i].enabled) {
            home_of(pool, ring->entries[i].provider)->count++;
            pool->key_count++;
        }
    pool->keys = mem_zero(pool->key_count, sizeof *pool->keys);
    for (size_t i = 0; i < pool->home_count; i++) {
        pool->homes[i].keys = mem_zero(pool->homes[i].count, sizeof *pool->homes[i].keys);
        pool->homes[i].count = 0;
    }
}

static int64_t stated(int64_t own, int64_t common) {
    return own > 0 ? own : common;
}

static struct key_limits limits_of(const struct pool *pool, const struct key_entry *entry) {
    const struct key_limits *own = &entry->limits, *common = &pool->options.limits;
    return (struct key_limits){.rpm = stated(own->rpm, common->rpm),
                               .tpm = stated(own->tpm, common->tpm),
                               .rpd = stated(own->rpd, common->rpd),
                               .tpd = stated(own->tpd, common->tpd),
                               .requests = own->requests,
                               .window = own->window};
}

static int slots_of(const struct pool *pool, const struct key_entry *entry) {
    int slots = pool->options.slots_per_key;
    int64_t most = entry->limits.concurrency;
    return most > 0 && (most < slots || slots == SLOTS_AUTO) ? (int)most : slots;
}

static void add_key(struct pool *pool, struct key *key, const struct key_entry *entry) {
    struct home *home = find_home(pool, entry->provider);
    struct key_limits limits = limits_of(pool, entry);
    key->entry = entry;
    key->meter = meter_new(&limits);
    width_init(&key->width, slots_of(pool, entry));
    key->place = home->count;
    home->keys[home->count++] = key;
}

// -- slots by weight --

static double weight_of(const struct key_entry *entry) {
    double weight = entry->has_weight     ? entry->weight
                    : entry->has_priority ? (double)entry->priority
                                          : 1;
    return weight > 0 ? weight : 0;
}

// The share of the slots that a key's weight asks for; one at least, so that it can be tried.
struct slot_share {
    struct key *key;
    double rest; // what rounding down took away
    int slots;
};

static int by_rest(const void *a, const void *b) {
    const struct slot_share *x = a, *y = b;
    if (x->rest != y->rest)
        return x->rest < y->rest ? 1 : -1;
    return (x->key->place > y->key->place) - (x->key->place < y->key->place);
}

// With `weighted` a provider's slots are dealt out by weight, largest remainder first: all together are
// as many as without.
static void deal_slots(struct home *home) {
    const struct pool_options *options = &home->pool->options;
    int64_t total = (int64_t)options->slots_per_key * (int64_t)home->count, left = total;
    double weights = 0;
    struct slot_share *shares = mem_zero(home->count, sizeof *shares);
    for (size_t i = 0; i < home->count; i++)
        weights += weight_of(home->keys[i]->entry);
    for (size_t i = 0; i < home->count; i++) {
        double exact = weights > 0 ? (double)total * weight_of(home->keys[i]->entry) / weights : 1;
        int slots = exact < 1 ? 1 : (int)exact;
        shares[i] = (struct slot_share){home->keys[i], exact - slots, slots};
        left -= slots;
    }
    qsort(shares, home->count, sizeof *shares, by_rest);
    for (size_t i = 0; i < home->count; i++) {
        int64_t most = shares[i].key->entry->limits.concurrency;
        int slots = shares[i].slots + (left > 0 && shares[i].rest > 0);
        left -= slots - shares[i].slots;
        width_init(&shares[i].key->width, most > 0 && most < slots ? (int)most : slots);
    }
    free(shares);
}

// -- accounts --

// Keys without a group last; otherwise in the order they were given.
static int by_group(const void *a, const void *b) {
    const struct key *left = *(struct key *const *)a, *right = *(struct key *const *)b;
    const char *one = left->entry->group, *two = right->entry->group;
    int order = one && two ? strcmp(one, two) : !one - !two;
    return order ? order : (left->place > right->place) - (left->place < right->place);
}

static bool share_account(const struct key *a, const struct key *b) {
    return a->entry->group && b->entry->group && strcmp(a->entry->group, b->entry->group) == 0;
}

static void add_account(struct home *home, struct key **keys, size_t count) {
    struct account *account = &home->accounts[home->account_count];
    *account = (struct account){.home = home,
                                .number = home->account_count++,
                                .name = keys[0]->entry->group,
                                .keys = keys,
                                .key_count = count};
    for (size_t i = 0; i < count; i++)
        keys[i]->account = account;
    const struct key_group *group =
        account->name ? keyring_group(home->pool->options.keyring, home->provider, account->name)
                      : NULL;
    if (!group)
        return;
    account->meter = meter_new(&group->limits);
    account->most = group->limits.concurrency;
}

// Keys of a group stand together in by_account, and an account is a stretch of it.
static void make_accounts(struct home *home) {
    struct key **keys = home->by_account = mem_new(home->count * sizeof *keys);
    memcpy(keys, home->keys, home->count * sizeof *keys);
    qsort(keys, home->count, sizeof *keys, by_group);
    home->accounts = mem_zero(home->count, sizeof *home->accounts);
    for (size_t i = 0, end; i < home->count; i = end) {
        for (end = i + 1; end < home->count && share_account(keys[i], keys[end]); end++)
            ;
        add_account(home, &keys[i], end - i);
    }
}

struct pool *pool_new(const struct pool_options *options) {
    struct pool *pool = mem_zero(1, sizeof *pool);
    const struct keyring *ring = options->keyring;
    pool->options = *options;
    pool->options.feels_nothing |= options->cooldown != COOLDOWN_AUTO;
    pool->random.state = options->seed;
    pthread_mutex_init(&pool->outage_lock, NULL);
    count_keys(pool, ring);
    size_t n = 0;
    for (size_t i = 0; i < ring->count; i++)
        if (ring->entries[i].enabled)
            add_key(pool, &pool->keys[n++], &ring->entries[i]);
    for (size_t i = 0; i < pool->home_count; i++) {
        make_accounts(&pool->homes[i]);
        if (options->strategy == STRATEGY_WEIGHTED && options->slots_per_key != SLOTS_AUTO)
            deal_slots(&pool->homes[i]);
    }
    return pool;
}

// -- channels --

static void describe_keys(const struct home *home, struct order *order) {
    for (size_t i = 0; i < home->count; i++) {
        const struct key_entry *entry = home->keys[i]->entry;
        struct order_standing standing = {entry->weight, entry->priority, entry->has_weight,
                                          entry->has_priority};
        order_describe(order, i, &standing);
    }
}

static void fill_seats(struct channel *channel) {
    struct home *home = channel->home;
    for (size_t i = 0; i < home->account_count; i++) {
        struct tab *tab = &channel->tabs[i];
        tab->account = &home->accounts[i];
        tab->channel = channel;
        list_init(&tab->line);
    }
    for (size_t i = 0; i < home->count; i++) {
        struct seat *seat = &channel->seats[i];
        seat->key = home->keys[i];
        seat->tab = &channel->tabs[seat->key->account->number];
        seat->place = SEAT_OUT;
        list_init(&seat->node);
        seat_settle(seat);
    }
}

static struct channel *add_channel(struct home *home, struct slice model) {
    struct channel *channel = mem_zero(1, sizeof *channel);
    struct pool *pool = home->pool;
    struct order_options options = {pool->options.strategy, home->count,
                                    random_next(&pool->random)};
    channel->home = home;
    channel->model = slice_of(mem_text(model.p, model.n), model.n);
    channel->seats = mem_zero(home->count, sizeof *channel->seats);
    channel->tabs = mem_zero(home->account_count, sizeof *channel->tabs);
    channel->order = order_new(&options);
    channel->breaker.keys = home->count;
    channel->breaker.patience = pool->options.outage_patience;
    channel->output_tokens = OUTPUT_TOKENS_AT_FIRST;
    channel->output_estimate = OUTPUT_TOKENS_AT_FIRST;
    describe_keys(home, channel->order);
    fill_seats(channel);
    pthread_mutex_lock(&pool->outage_lock); // pool_outage() walks the channels
    home->channels[home->channel_count++] = channel;
    pthread_mutex_unlock(&pool->outage_lock);
    restore_channel(channel);
    return channel;
}

struct channel *pool_channel(struct pool *pool, const struct provider *provider,
                             struct slice model) {
    struct home *home = find_home(pool, provider);
    if (!home)
        return NULL;
    for (size_t i = 0; i < home->channel_count; i++)
        if (slice_eq(home->channels[i]->model, model))
            return home->channels[i];
    if (home->channel_count == CHANNELS_MAX)
        return home->channels[CHANNELS_MAX - 1];
    return add_channel(home, model);
}

bool pool_is_spent(struct pool *pool, const struct provider *provider, int64_t now) {
    struct home *home = find_home(pool, provider);
    if (home)
        home_wake(home, now);
    return !home || home_is_spent(home);
}

// -- time --

static void follow_wall(struct home *home, int64_t now, int64_t now_wall) {
    home->day_end = day_end(home->provider, now_wall);
    for (size_t i = 0; i < home->channel_count; i++)
        channel_follow_wall(home->channels[i], now);
}

void pool_tell_time(struct pool *pool, int64_t now, int64_t now_wall) {
    int64_t moved = now_wall - now - pool->wall_offset;
    bool jumped = moved > WALL_JUMP || moved < -WALL_JUMP;
    pool->wall_offset += moved;
    pool->now = now;
    for (size_t i = 0; i < pool->home_count; i++)
        if (jumped || now_wall >= pool->homes[i].day_end)
            follow_wall(&pool->homes[i], now, now_wall);
}

// -- the end --

static void free_channel(struct channel *channel) {
    for (size_t i = 0; i < channel->home->account_count; i++)
        free(channel->tabs[i].learned), free(channel->tabs[i].suspicion);
    for (size_t i = 0; i < channel->home->count; i++)
        free(channel->seats[i].suspicion);
    heap_free(&channel->resting_tabs);
    heap_free(&channel->resting_seats);
    order_free(channel->order);
    affinity_free(&channel->affinity);
    free((char *)channel->model.p);
    free(channel->seats);
    free(channel->tabs);
    free(channel);
}

static void free_home(struct home *home) {
    for (size_t i = 0; i < home->channel_count; i++)
        free_channel(home->channels[i]);
    for (size_t i = 0; i < home->account_count; i++)
        meter_free(home->accounts[i].meter);
    heap_free(&home->suspended);
    free(home->accounts);
    free(home->by_account);
    free(home->keys);
}

void pool_free(struct pool *pool) {
    if (!pool)
        return;
    for (size_t i = 0; i < pool->home_count; i++)
        free_home(&pool->homes[i]);
    for (size_t i = 0; i < pool->key_count; i++) {
        meter_free(pool->keys[i].meter);
        if (pool->keys[i].latency)
            histogram_free(pool->keys[i].latency);
        free(pool->keys[i].latency);
        free(pool->keys[i].reason);
    }
    pthread_mutex_destroy(&pool->outage_lock);
    restore_free(pool);
    free(pool->homes);
    free(pool->keys);
    free(pool);
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
