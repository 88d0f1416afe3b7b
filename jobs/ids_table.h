// The part of a set of ids that is a hash table: 14 bytes an entry plus slack (below 17 bytes from some
// ten thousand entries on) and an index of 128 KiB. Private to jobs/ids*.c.
//
// Entries stand in the order of their hashes, each at its home or pushed on from there with no gap
// between. So a search ends at the first greater entry, and spreading them over more slots needs no
// second table. The first bits of a hash are not stored: the index says which entries have them.
// Memory comes straight from the system in whole pages, none before the first entry, and grows where it
// stands.
// SPDX-License-Identifier: MIT
#ifndef JOBS_IDS_TABLE_H
#define JOBS_IDS_TABLE_H

#include "jobs/ids.h"

struct ids_entry;

struct ids_table {
    struct ids_entry *slots;
    size_t *
        first; // by the first bits of a hash: the slot of the first entry with these or greater ones
    size_t slot_count;
    size_t count;
    size_t expected; // so many entries are to come in all, as far as is known
};

// What is looked for: 62 bits of hash, and five more at the top of `more`.
#define IDS_HASH_BITS 62

void ids_table_free(struct ids_table *t); // zeroed memory is fine
int64_t ids_table_find(const struct ids_table *t, struct ids_key key);
int64_t ids_table_add(struct ids_table *t, struct ids_key key, int64_t number);
void ids_table_change(struct ids_table *t, struct ids_key key, int64_t number);
void ids_table_prefetch(const struct ids_table *t, struct ids_key key);
size_t ids_table_bytes(const struct ids_table *t);

#endif
