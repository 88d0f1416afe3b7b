// restore.c: takes over what an earlier pool knew of keys, and tells what this one knows. Loop thread.
// SPDX-License-Identifier: MIT
#include "pool/restore.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "pool/pool_parts.h"

#include <stdlib.h>

#define LASTS USEC_PER_SEC // what ends sooner is not worth remembering

void pool_on_use(struct pool *pool, pool_used used, void *context) {
    pool->used = used;
    pool->used_context = context;
}

static struct moment moment_of(const struct key *key, int64_t now) {
    return pool_moment(key->account->home, now);
}

void pool_add_use_today(struct pool *pool, size_t i, int64_t requests, int64_t tokens,
                        int64_t now) {
    struct key *key = &pool->keys[i];
    struct moment m = moment_of(key, now);
    meter_add_today(key->meter, requests, tokens, &m);
    meter_add_today(key->account->meter, requests, tokens, &m);
}

void pool_add_use_minute(struct pool *pool, size_t i, int64_t requests, int64_t tokens, int64_t ago,
                         int64_t now) {
    struct key *key = &pool->keys[i];
    struct moment m = moment_of(key, now);
    int64_t at = ago < now ? now - ago : 0;
    meter_add_minute(key->meter, requests, tokens, at, &m);
    meter_add_minute(key->account->meter, requests, tokens, at, &m);
}

int64_t pool_day_end(const struct pool *pool, size_t i) {
    return pool->keys[i].account->home->day_end;
}

bool pool_is_metered(const struct pool *pool, size_t i) {
    return pool->keys[i].meter || pool->keys[i].account->meter;
}

static void set_reason(struct key *key, const char *reason) {
    free(key->reason);
    key->reason = reason ? mem_text(reason, strlen(reason)) : NULL;
}

// -- cool-downs of models that no row has asked for yet --

static void keep(struct pool *pool, size_t key, const struct key_rest *rest) {
    struct kept_rest *kept = mem_zero(1, sizeof *kept);
    *kept =
        (struct kept_rest){.key = key,
                           .model = slice_of(mem_text(rest->model.p, rest->model.n), rest->model.n),
                           .until = rest->until,
                           .is_day = rest->is_day,
                           .reason = mem_text(rest->reason, strlen(rest->reason)),
                           .next = pool->kept};
    pool->kept = kept;
}

static void free_kept(struct kept_rest *kept) {
    free((char *)kept->model.p);
    free(kept->reason);
    free(kept);
}

void restore_free(struct pool *pool) {
    for (struct kept_rest *kept = pool->kept, *next; kept; kept = next) {
        next = kept->next;
        free_kept(kept);
    }
}

static void cool(struct channel *channel, const struct kept_rest *kept, int64_t now) {
    struct key *key = &channel->home->pool->keys[kept->key];
    int64_t until = kept->until - channel->home->pool->wall_offset;
    if (until <= now || key->standing != STANDING_GOOD)
        return;
    set_reason(key, kept->reason);
    tab_cool(channel->seats[key->place].tab, until, kept->is_day ? kept->until : 0);
}

void restore_channel(struct channel *channel) {
    struct pool *pool = channel->home->pool;
    for (struct kept_rest **link = &pool->kept; *link;) {
        struct kept_rest *kept = *link;
        bool is_ours = pool->keys[kept->key].account->home == channel->home &&
                       slice_eq(kept->model, channel->model);
        if (!is_ours) {
            link = &kept->next;
            continue;
        }
        cool(channel, kept, pool->now);
        *link = kept->next;
        free_kept(kept);
    }
}

void pool_restore(struct pool *pool, size_t i, const struct key_rest *rest, int64_t now) {
    struct key *key = &pool->keys[i];
    int64_t until = rest->until - pool->wall_offset;
    switch (rest->state) {
    case MEMORY_COOLING: keep(pool, i, rest); return;
    case MEMORY_SUSPENDED:
        if (until <= now)
            return;
        set_reason(key, rest->reason);
        key_suspend(key, until);
        key_set_state(key, KEY_SUSPENDED); // no row has asked for a model yet
        return;
    case MEMORY_REVOKED:
        set_reason(key, rest->reason);
        key_remove(key);
        key_set_state(key, KEY_REMOVED);
        return;
    }
}

// -- what lasts --

void pool_each_rest(const struct pool *pool, size_t i, int64_t now,
                    void (*each)(void *context, const struct key_rest *rest), void *context) {
    const struct key *key = &pool->keys[i];
    const struct home *home = key->account->home;
    const char *reason = key->reason ? key->reason : "";
    struct key_rest rest = {.state = MEMORY_REVOKED, .reason = reason};
    if (key->standing == STANDING_SUSPENDED) {
        rest.state = MEMORY_SUSPENDED;
        rest.until = key->timer.due + pool->wall_offset;
        if (key->timer.due - now > LASTS)
            each(context, &rest);
    } else if (key->standing == STANDING_REMOVED) {
        each(context, &rest);
    }
    for (size_t c = 0; c < home->channel_count; c++) {
        const struct channel *channel = home->channels[c];
        const struct tab *tab = channel->seats[key->place].tab;
        if (tab->state != TAB_COOLING || tab->timer.due - now <= LASTS)
            continue;
        rest = (struct key_rest){.state = MEMORY_COOLING,
                                 .model = channel->model,
                                 .until = tab->timer.due + pool->wall_offset,
                                 .is_day = tab->until_wall != 0,
                                 .reason = reason};
        each(context, &rest);
    }
    for (const struct kept_rest *kept = pool->kept; kept; kept = kept->next) {
        if (kept->key != i || kept->until - pool->wall_offset - now <= LASTS)
            continue;
        rest = (struct key_rest){.state = MEMORY_COOLING,
                                 .model = kept->model,
                                 .until = kept->until,
                                 .is_day = kept->is_day,
                                 .reason = kept->reason};
        each(context, &rest);
    }
}
