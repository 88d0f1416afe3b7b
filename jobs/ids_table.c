// ids_table.c: a hash table in the order of the hashes, with gaps. Any one thread.
// SPDX-License-Identifier: MIT
#include "jobs/ids_table.h"

#include "jobs/base/die.h"

#include <stdlib.h>
#include <sys/mman.h>

#define INDEX_BITS  14
#define INDEX_COUNT ((size_t)1 << INDEX_BITS)
#define STORED_BITS (IDS_HASH_BITS - INDEX_BITS)

// Slots behind the last home, for entries that were pushed on. One that finds none makes it grow.
#define TAIL 64

#define PAGE 4096

#define HUGE_ENOUGH ((size_t)16 << 20)

// Full at 90 %, then 6 % more, or as much as is expected but no more than twice: adding is cheap while
// there are gaps, and most are added before the last step.
#define FULL_PERCENT 90
#define GROW_PERCENT 6

struct ids_entry {
    uint64_t rest; // more bits of the hash, then the number; 0 in a gap
    uint32_t hash_low;
    uint16_t hash_high; // the hash without the bits that the index knows
} __attribute__((packed));

void ids_table_free(struct ids_table *t) {
    if (t->slots)
        munmap(t->slots, t->slot_count * sizeof *t->slots);
    free(t->first);
    *t = (struct ids_table){0};
}

static size_t home_count(const struct ids_table *t) {
    return t->slot_count - TAIL;
}

// The hash as a share of its range, times the homes: any number of homes will do.
static size_t home(const struct ids_table *t, uint64_t hash) {
    return (size_t)((unsigned __int128)hash * home_count(t) >> IDS_HASH_BITS);
}

static size_t index_of(uint64_t hash) {
    return (size_t)(hash >> STORED_BITS);
}

static uint64_t stored_hash(const struct ids_entry *e) {
    return (uint64_t)e->hash_high << 32 | e->hash_low;
}

#define NUMBER_MASK ((UINT64_C(1) << IDS_NUMBER_BITS) - 1)

// By the bits that are stored.
static bool is_before(const struct ids_entry *e, struct ids_key key) {
    uint64_t a = stored_hash(e), b = key.hash & ((UINT64_C(1) << STORED_BITS) - 1);
    return a != b ? a < b : (e->rest & ~NUMBER_MASK) < key.more;
}

static bool is_same(const struct ids_entry *e, struct ids_key key) {
    return stored_hash(e) == (key.hash & ((UINT64_C(1) << STORED_BITS) - 1)) &&
           (e->rest & ~NUMBER_MASK) == key.more;
}

static struct ids_entry entry_of(struct ids_key key, int64_t number) {
    BUG_IF(number < 1 || (uint64_t)number > NUMBER_MASK);
    return (struct ids_entry){key.more | (uint64_t)number, (uint32_t)key.hash,
                              (uint16_t)(key.hash >> 32)};
}

// Where the key is, or where it belongs.
static size_t seek(const struct ids_table *t, struct ids_key key) {
    size_t i = home(t, key.hash);
    size_t begin = t->first[index_of(key.hash)], end = t->first[index_of(key.hash) + 1];
    while (i < t->slot_count && t->slots[i].rest &&
           (i < begin || (i < end && is_before(t->slots + i, key))))
        i++;
    return i;
}

// The number of the key if it stands at place i, else 0.
static int64_t number_at(const struct ids_table *t, size_t i, struct ids_key key) {
    if (i == t->slot_count || !t->slots[i].rest || i >= t->first[index_of(key.hash) + 1] ||
        !is_same(t->slots + i, key))
        return 0;
    return (int64_t)(t->slots[i].rest & NUMBER_MASK);
}

static void make_index(struct ids_table *t) {
    t->first = mem_resize(NULL, (INDEX_COUNT + 1) * sizeof *t->first);
    for (size_t i = 0; i <= INDEX_COUNT; i++)
        t->first[i] = SIZE_MAX;
}

// In whole pages, at least one more.
static size_t next_size(const struct ids_table *t) {
    size_t pages = (t->slot_count * sizeof *t->slots + PAGE - 1) / PAGE;
    size_t next = pages + pages * GROW_PERCENT / 100 + 1;
    size_t slots = t->expected * 100 / FULL_PERCENT + TAIL;
    size_t wanted = slots * sizeof *t->slots / PAGE + 1;
    if (wanted > 2 * pages)
        wanted = 2 * pages;
    return (wanted > next ? wanted : next) * PAGE;
}

// What there was stays where it is, the rest is gaps.
static void extend(struct ids_table *t) {
    size_t old = t->slot_count * sizeof *t->slots, new = next_size(t);
    void *p = old ? mremap(t->slots, old, new, MREMAP_MAYMOVE)
                  : mmap(NULL, new, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        die("out of memory (%zu bytes wanted to tell ids apart); what is written stays, run again "
            "to continue",
            new);
    if (new >= HUGE_ENOUGH)
        madvise(p, new, MADV_HUGEPAGE); // each search is a page of its own
    if (!t->first)
        make_index(t);
    t->slots = p;
    t->slot_count = new / sizeof *t->slots;
}

// Moves all entries, in their order, to the end of the table, and the index with them.
static void gather(struct ids_table *t, size_t old_count) {
    size_t to = t->slot_count, index = INDEX_COUNT;
    for (size_t from = old_count; from-- > 0;) {
        struct ids_entry e = t->slots[from];
        if (!e.rest)
            continue;
        for (; t->first[index] > from; index--)
            t->first[index] = to;
        t->slots[from].rest = 0;
        t->slots[--to] = e;
    }
    for (; index > 0; index--)
        t->first[index] = to;
    t->first[0] = to;
}

// From the end to their homes. What fitted before fits again: the more homes there are, the farther
// from the end each entry's is. So an entry's place is never behind where it is read from.
static void spread(struct ids_table *t) {
    size_t free_from = 0, index = 0, indexed = 0;
    for (size_t i = t->slot_count - t->count; i < t->slot_count; i++) {
        struct ids_entry e = t->slots[i];
        while (t->first[index + 1] <= i)
            index++;
        size_t place = home(t, (uint64_t)index << STORED_BITS | stored_hash(&e));
        if (place < free_from)
            place = free_from;
        BUG_IF(place > i);
        t->slots[i].rest = 0;
        t->slots[place] = e;
        free_from = place + 1;
        while (indexed <= index)
            t->first[indexed++] = place;
    }
    while (indexed <= INDEX_COUNT)
        t->first[indexed++] = SIZE_MAX;
}

static void grow(struct ids_table *t) {
    size_t old_count = t->slot_count;
    extend(t);
    gather(t, old_count);
    spread(t);
}

static bool is_full(const struct ids_table *t) {
    return !t->slots || (t->count + 1) * 100 > home_count(t) * FULL_PERCENT;
}

// The next gap at or behind place i, or slot_count.
static size_t gap_after(const struct ids_table *t, size_t i) {
    while (i < t->slot_count && t->slots[i].rest)
        i++;
    return i;
}

// An entry of this index was put at place i, and what stood from there to the gap went on by one.
static void move_index(struct ids_table *t, size_t index, size_t i, size_t gap) {
    for (size_t k = index + 1; k-- > 0 && t->first[k] > i;)
        t->first[k] = i;
    for (size_t k = index + 1; t->first[k] < gap; k++)
        t->first[k]++;
}

int64_t ids_table_add(struct ids_table *t, struct ids_key key, int64_t number) {
    struct ids_entry e = entry_of(key, number);
    if (is_full(t))
        grow(t);
    size_t i = seek(t, key);
    int64_t before = number_at(t, i, key);
    if (before)
        return before;
    size_t gap = gap_after(t, i);
    while (gap == t->slot_count) {
        grow(t);
        i = seek(t, key);
        gap = gap_after(t, i);
    }
    memmove(t->slots + i + 1, t->slots + i, (gap - i) * sizeof *t->slots);
    t->slots[i] = e;
    move_index(t, index_of(key.hash), i, gap);
    t->count++;
    return 0;
}

void ids_table_change(struct ids_table *t, struct ids_key key, int64_t number) {
    struct ids_entry e = entry_of(key, number);
    size_t i = seek(t, key);
    BUG_IF(!number_at(t, i, key));
    t->slots[i] = e;
}

int64_t ids_table_find(const struct ids_table *t, struct ids_key key) {
    return t->slots ? number_at(t, seek(t, key), key) : 0;
}

void ids_table_prefetch(const struct ids_table *t, struct ids_key key) {
    if (t->slots)
        __builtin_prefetch(t->slots + home(t, key.hash), 1);
}

size_t ids_table_bytes(const struct ids_table *t) {
    size_t index = t->first ? (INDEX_COUNT + 1) * sizeof *t->first : 0;
    return t->slot_count * sizeof *t->slots + index;
}
