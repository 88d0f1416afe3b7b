// What a pool knew when it ended, given to the next one: what keys have used, which of them rest or are out.
//
// The caller (memory.h) keeps it on disk. Everything is by key; an account's use is that of its keys.
// On the thread that owns the pool.
// SPDX-License-Identifier: MIT
#ifndef POOL_RESTORE_H
#define POOL_RESTORE_H

#include "pool/pool.h"

// Has `used` called with what a key uses, as it is estimated and then corrected (may be negative). The key is
// the one that pool_key() gives for this number.
typedef void (*pool_used)(void *context, size_t key, int64_t requests, int64_t tokens);
void pool_on_use(struct pool *pool, pool_used used, void *context);

// A key's use before this run, or by another one: of the provider's day that now_wall is in, and of a moment
// in the last minute, `ago` microseconds back.
void pool_add_use_today(struct pool *pool, size_t key, int64_t requests, int64_t tokens,
                        int64_t now);
void pool_add_use_minute(struct pool *pool, size_t key, int64_t requests, int64_t tokens,
                         int64_t ago, int64_t now);

// When the day of the key's provider ends, unix microseconds.
int64_t pool_day_end(const struct pool *pool, size_t key);

// Whether limits are stated for the key or its account.
bool pool_is_metered(const struct pool *pool, size_t key);

enum key_memory { MEMORY_COOLING, MEMORY_SUSPENDED, MEMORY_REVOKED };

// A state that lasts: of a key for a model (COOLING), or of a key. Slices and texts are borrowed.
struct key_rest {
    enum key_memory state;
    struct slice model; // COOLING: string token
    int64_t until;      // unix microseconds; REVOKED: 0
    bool is_day;        // COOLING: to the end of a day, by the wall clock
    const char *reason;
};

// Takes over a state that has not ended. COOLING of a model that no row has asked for yet is kept until one
// does.
void pool_restore(struct pool *pool, size_t key, const struct key_rest *rest, int64_t now);

// Calls back for each state of the key that lasts longer than a second.
void pool_each_rest(const struct pool *pool, size_t key, int64_t now,
                    void (*each)(void *context, const struct key_rest *rest), void *context);

#endif
