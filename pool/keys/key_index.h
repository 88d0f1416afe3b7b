// Finds among many entries those with a given hash: the caller compares. 12 bytes an entry plus
// slack.
// SPDX-License-Identifier: MIT
#ifndef POOL_KEYS_KEY_INDEX_H
#define POOL_KEYS_KEY_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Zeroed memory is an empty index.
struct key_index {
    uint64_t *hashes;
    uint32_t *entries; // entry + 1; 0: nothing here
    size_t cap;
    size_t count;
};

void key_index_add(struct key_index *index, uint64_t hash, size_t entry);

// Walks the entries that were added with this hash. Start with *step = 0; false when there is no
// other.
bool key_index_next(const struct key_index *index, uint64_t hash, size_t *step, size_t *entry);

void key_index_free(struct key_index *index);

#endif
