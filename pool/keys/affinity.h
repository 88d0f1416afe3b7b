// Affinity: which place served the requests of a kind last, so that the next of them go there too.
//
// A bounded table of hashes. It grows with what it is given, up to AFFINITY_MAX; then, of the few
// entries where a new one belongs, the one that was not asked for the longest gives way. What was
// forgotten costs a cache miss and no more. One thread; pure.
// SPDX-License-Identifier: MIT
#ifndef POOL_KEYS_AFFINITY_H
#define POOL_KEYS_AFFINITY_H

#include <stddef.h>
#include <stdint.h>

#define AFFINITY_MAX  65536 // entries, 16 bytes each
#define AFFINITY_NONE SIZE_MAX

struct affinity_entry;

// Zeroed memory is an empty table.
struct affinity {
    struct affinity_entry *entries;
    size_t cap;
    uint32_t turn; // counts uses, to tell which is older
};

// The place that was set for this hash, or AFFINITY_NONE. For hash 0 ("no kind") always none.
size_t affinity_find(struct affinity *affinity, uint64_t hash);

// Remembers the place, or another one than before. Hash 0 is passed over. Places are below 2^32.
void affinity_set(struct affinity *affinity, uint64_t hash, size_t place);

void affinity_free(struct affinity *affinity);

#endif
