// ids.c: the set of row ids: one table in the order of the hashes, with gaps. Any one thread.
// SPDX-License-Identifier: MIT
#include "jobs/ids.h"

#include "jobs/base/die.h"
#include "jobs/base/hash.h"
#include "jobs/base/random.h"

#include <stdlib.h>
#include <sys/mman.h>

#define NUMBER_BITS 40

// Slots behind the last home, for entries that were pushed on. One that finds none makes it grow.
#define TAIL 64

#define PAGE 4096

#define HUGE_ENOUGH ((size_t)16 << 20)

struct entry {
    uint64_t hash;
    uint64_t rest; // more bits of the hash, then the number; 0 in a gap
};

// Entries stand in the order of their hashes, each at its home or pushed on from there with no gap
// between. So a search ends at the first greater entry, and spreading them over more slots needs
// no second table.
struct ids {
    uint64_t key[2];
    unsigned number_bits;
    struct entry *slots;
    size_t slot_count;
    size_t count;
};

struct ids *ids_new(void) {
    return ids_new_wide(NUMBER_BITS);
}

struct ids *ids_new_wide(unsigned number_bits) {
    struct ids *ids = mem_zero(1, sizeof *ids);
    BUG_IF(number_bits < 1 || number_bits > IDS_NUMBER_BITS_MOST);
    ids->number_bits = number_bits;
    ids->key[0] = random_seed();
    ids->key[1] = random_seed();
    return ids;
}

void ids_free(struct ids *ids) {
    if (ids && ids->slots)
        munmap(ids->slots, ids->slot_count * sizeof *ids->slots);
    free(ids);
}

static size_t home_count(const struct ids *ids) {
    return ids->slot_count - TAIL;
}

// The hash as a share of its range, times the homes: any number of homes will do.
static size_t home(const struct ids *ids, uint64_t hash) {
    return (size_t)((unsigned __int128)hash * home_count(ids) >> 64);
}

static uint64_t number_mask(const struct ids *ids) {
    return (UINT64_C(1) << ids->number_bits) - 1;
}

static bool is_before(const struct ids *ids, struct entry a, struct entry b) {
    return a.hash != b.hash ? a.hash < b.hash
                            : a.rest >> ids->number_bits < b.rest >> ids->number_bits;
}

struct ids_key ids_key(const struct ids *ids, struct slice id) {
    struct hash128 h = hash_bytes(id, ids->key);
    return (struct ids_key){h.high, h.low << ids->number_bits};
}

static struct entry entry_of(const struct ids *ids, struct ids_key key, int64_t number) {
    BUG_IF(number < 0 || (uint64_t)number > number_mask(ids));
    return (struct entry){key.hash, key.more | (uint64_t)number};
}

// Where e is, or where it belongs.
static size_t seek(const struct ids *ids, struct entry e) {
    size_t i = home(ids, e.hash);
    while (i < ids->slot_count && ids->slots[i].rest && is_before(ids, ids->slots[i], e))
        i++;
    return i;
}

// The number of e if it stands at place i, else 0.
static int64_t number_at(const struct ids *ids, size_t i, struct entry e) {
    if (i == ids->slot_count || !ids->slots[i].rest || is_before(ids, e, ids->slots[i]))
        return 0;
    return (int64_t)(ids->slots[i].rest & number_mask(ids));
}

// By 15 % in whole pages, at least one. What there was stays where it is, the rest is gaps.
static void extend(struct ids *ids) {
    size_t old = ids->slot_count * sizeof *ids->slots;
    size_t new = (old + old * 15 / 100 + PAGE - 1) / PAGE *PAGE;
    if (new < old + PAGE)
        new = old + PAGE;
    void *p = old ? mremap(ids->slots, old, new, MREMAP_MAYMOVE)
                  : mmap(NULL, new, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        die("out of memory (%zu bytes wanted to tell ids apart); what is written stays, run again "
            "to continue",
            new);
    if (new >= HUGE_ENOUGH)
        madvise(p, new, MADV_HUGEPAGE); // each search is a page of its own
    ids->slots = p;
    ids->slot_count = new / sizeof *ids->slots;
}

// Moves all entries, in their order, to the end of the table.
static void gather(struct ids *ids) {
    struct entry *to = ids->slots + ids->slot_count;
    for (struct entry *from = to; from-- > ids->slots;) {
        struct entry e = *from;
        if (!e.rest)
            continue;
        from->rest = 0;
        *--to = e;
    }
}

// From the end to their homes. What fitted before fits again: the more homes there are, the farther
// from the end each entry's is. So an entry's place is never behind where it is read from.
static void spread(struct ids *ids) {
    size_t free_from = 0;
    for (size_t i = ids->slot_count - ids->count; i < ids->slot_count; i++) {
        struct entry e = ids->slots[i];
        size_t place = home(ids, e.hash);
        if (place < free_from)
            place = free_from;
        BUG_IF(place > i);
        ids->slots[i].rest = 0;
        ids->slots[place] = e;
        free_from = place + 1;
    }
}

static void grow(struct ids *ids) {
    extend(ids);
    gather(ids);
    spread(ids);
}

static bool is_full(const struct ids *ids) {
    return !ids->slots || (ids->count + 1) * 100 > home_count(ids) * 85;
}

// The next gap at or behind place i, or slot_count.
static size_t gap_after(const struct ids *ids, size_t i) {
    while (i < ids->slot_count && ids->slots[i].rest)
        i++;
    return i;
}

void ids_prefetch(const struct ids *ids, struct ids_key key) {
    if (ids->slots)
        __builtin_prefetch(ids->slots + home(ids, key.hash), 1);
}

int64_t ids_add(struct ids *ids, struct slice id, int64_t number) {
    return ids_add_key(ids, ids_key(ids, id), number);
}

int64_t ids_add_key(struct ids *ids, struct ids_key key, int64_t number) {
    struct entry e = entry_of(ids, key, number);
    BUG_IF(number == 0);
    if (is_full(ids))
        grow(ids);
    size_t i = seek(ids, e);
    int64_t before = number_at(ids, i, e);
    if (before)
        return before;
    size_t gap = gap_after(ids, i);
    while (gap == ids->slot_count) {
        grow(ids);
        i = seek(ids, e);
        gap = gap_after(ids, i);
    }
    memmove(ids->slots + i + 1, ids->slots + i, (gap - i) * sizeof *ids->slots);
    ids->slots[i] = e;
    ids->count++;
    return 0;
}

void ids_change(struct ids *ids, struct ids_key key, int64_t number) {
    struct entry e = entry_of(ids, key, number);
    BUG_IF(number == 0);
    size_t i = seek(ids, e);
    BUG_IF(!number_at(ids, i, e));
    ids->slots[i] = e;
}

int64_t ids_find(const struct ids *ids, struct slice id) {
    if (!ids->slots)
        return 0;
    struct entry e = entry_of(ids, ids_key(ids, id), 0);
    return number_at(ids, seek(ids, e), e);
}

int64_t ids_count(const struct ids *ids) {
    return (int64_t)ids->count;
}

size_t ids_bytes(const struct ids *ids) {
    return sizeof *ids + ids->slot_count * sizeof *ids->slots;
}
