// key_index.c: a hash table of entry numbers, open addressing. Main thread; owned by its caller.
// SPDX-License-Identifier: MIT
#include "pool/keys/key_index.h"

#include "jobs/base/die.h"

#include <stdlib.h>

static void put(struct key_index *index, uint64_t hash, uint32_t entry) {
    size_t at = (size_t)hash & (index->cap - 1);
    while (index->entries[at])
        at = (at + 1) & (index->cap - 1);
    index->hashes[at] = hash;
    index->entries[at] = entry;
}

static void grow(struct key_index *index) {
    struct key_index old = *index;
    index->cap = old.cap ? old.cap * 2 : 64;
    index->hashes = mem_zero(index->cap, sizeof *index->hashes);
    index->entries = mem_zero(index->cap, sizeof *index->entries);
    for (size_t i = 0; i < old.cap; i++)
        if (old.entries[i])
            put(index, old.hashes[i], old.entries[i]);
    key_index_free(&old);
}

void key_index_add(struct key_index *index, uint64_t hash, size_t entry) {
    BUG_IF(entry >= UINT32_MAX);
    if (index->count >= index->cap / 2)
        grow(index);
    put(index, hash, (uint32_t)entry + 1);
    index->count++;
}

bool key_index_next(const struct key_index *index, uint64_t hash, size_t *step, size_t *entry) {
    while (*step < index->cap) {
        size_t at = ((size_t)hash + (*step)++) & (index->cap - 1);
        if (!index->entries[at])
            return false;
        if (index->hashes[at] == hash) {
            *entry = index->entries[at] - 1;
            return true;
        }
    }
    return false;
}

void key_index_free(struct key_index *index) {
    free(index->hashes);
    free(index->entries);
    *index = (struct key_index){0};
}
