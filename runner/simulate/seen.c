// seen.c: the open-addressed table behind a reproducible run. Owned by the simulator's thread.
// SPDX-License-Identifier: MIT
#include "runner/simulate/seen.h"

#include "jobs/base/die.h"

#include <stdlib.h>

#define SIZE_FIRST ((size_t)1 << 10)
#define SIZE_LAST  ((size_t)1 << 20)

static struct seen_entry *find(const struct seen *s, uint64_t hash) {
    size_t i = hash & (s->size - 1);
    while (s->entries[i].hash && s->entries[i].hash != hash)
        i = (i + 1) & (s->size - 1);
    return &s->entries[i];
}

static void grow(struct seen *s) {
    struct seen old = *s;
    s->size = old.size ? old.size * 2 : SIZE_FIRST;
    s->entries = mem_zero(s->size, sizeof *s->entries);
    for (size_t i = 0; i < old.size; i++)
        if (old.entries[i].hash)
            *find(s, old.entries[i].hash) = old.entries[i];
    free(old.entries);
}

uint64_t seen_add(struct seen *s, uint64_t hash) {
    if (!hash)
        hash = 1;
    if (s->size == SIZE_LAST && s->count >= SIZE_LAST / 4 * 3)
        seen_free(s);
    if (s->count >= s->size / 4 * 3)
        grow(s);
    struct seen_entry *entry = find(s, hash);
    s->count += entry->hash == 0;
    entry->hash = hash;
    return entry->times++;
}

uint64_t seen_times(const struct seen *s, uint64_t hash) {
    return s->size ? find(s, hash ? hash : 1)->times : 0;
}

void seen_free(struct seen *s) {
    free(s->entries);
    *s = (struct seen){0};
}
