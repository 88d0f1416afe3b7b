// affinity.c: a bounded hash table that replaces what was not asked for the longest. Pure; owned by
// its caller.
// SPDX-License-Identifier: MIT
#include "pool/keys/affinity.h"

#include "jobs/base/die.h"

#include <stdlib.h>

#define CAP_FIRST 64
#define WINDOW    16 // an entry is in one of so many slots from where its hash points

struct affinity_entry {
    uint64_t hash; // 0: nothing here
    uint32_t place;
    uint32_t used; // the turn of its last use
};

static struct affinity_entry *slot(const struct affinity *a, uint64_t hash, size_t step) {
    return &a->entries[((size_t)hash + step) & (a->cap - 1)];
}

// The entry of this hash, else the free slot where it belongs, else NULL. Entries are replaced but
// never taken out, so none is behind a free slot.
static struct affinity_entry *probe(const struct affinity *a, uint64_t hash) {
    for (size_t step = 0; step < WINDOW && step < a->cap; step++) {
        struct affinity_entry *entry = slot(a, hash, step);
        if (entry->hash == hash || !entry->hash)
            return entry;
    }
    return NULL;
}

// Turns wrap around: what counts is how long ago.
static struct affinity_entry *oldest(const struct affinity *a, uint64_t hash) {
    struct affinity_entry *found = slot(a, hash, 0);
    for (size_t step = 1; step < WINDOW; step++) {
        struct affinity_entry *entry = slot(a, hash, step);
        if (a->turn - entry->used > a->turn - found->used)
            found = entry;
    }
    return found;
}

static void grow(struct affinity *a) {
    struct affinity old = *a;
    a->cap = old.cap ? old.cap * 2 : CAP_FIRST;
    a->entries = mem_zero(a->cap, sizeof *a->entries);
    for (size_t i = 0; i < old.cap; i++) {
        struct affinity_entry *entry = &old.entries[i];
        struct affinity_entry *to = entry->hash ? probe(a, entry->hash) : NULL;
        if (to)
            *to = *entry;
    }
    free(old.entries);
}

size_t affinity_find(struct affinity *a, uint64_t hash) {
    struct affinity_entry *entry = probe(a, hash);
    if (!entry || !entry->hash)
        return AFFINITY_NONE;
    entry->used = a->turn++;
    return entry->place;
}

void affinity_set(struct affinity *a, uint64_t hash, size_t place) {
    BUG_IF(place > UINT32_MAX);
    if (!hash)
        return;
    struct affinity_entry *entry;
    while (!(entry = probe(a, hash)) && a->cap < AFFINITY_MAX)
        grow(a);
    if (!entry)
        entry = oldest(a, hash);
    *entry = (struct affinity_entry){hash, (uint32_t)place, a->turn++};
}

void affinity_free(struct affinity *a) {
    free(a->entries);
    *a = (struct affinity){0};
}
