// bits.c: the tree of bitmaps behind "the next ready key" and "the first lane with room".
// SPDX-License-Identifier: MIT
#include "jobs/base/bits.h"

#include "jobs/base/die.h"

#include <stdlib.h>

static size_t words_for(size_t bits) {
    return (bits + 63) / 64;
}

void bits_init(struct bits *b, size_t size) {
    BUG_IF(size > (size_t)64 * 64 * 64 * 64);
    size_t n = size ? size : 1;
    b->size = size;
    for (int i = 0; i < BITS_LEVELS; i++) {
        n = words_for(n);
        b->level[i] = mem_zero(n, sizeof **b->level);
    }
}

void bits_free(struct bits *b) {
    for (int i = 0; i < BITS_LEVELS; i++)
        free(b->level[i]);
    *b = (struct bits){0};
}

void bits_set(struct bits *b, size_t i) {
    for (int level = 0; level < BITS_LEVELS; level++, i /= 64)
        b->level[level][i / 64] |= UINT64_C(1) << (i % 64);
}

void bits_clear(struct bits *b, size_t i) {
    for (int level = 0; level < BITS_LEVELS; level++, i /= 64) {
        b->level[level][i / 64] &= ~(UINT64_C(1) << (i % 64));
        if (b->level[level][i / 64])
            return;
    }
}

bool bits_has(const struct bits *b, size_t i) {
    return b->level[0][i / 64] >> (i % 64) & 1;
}

// Up from `from` until a word has a member at or after it, then down to the smallest.
size_t bits_next(const struct bits *b, size_t from) {
    int level = 0;
    uint64_t found = 0;
    for (; level < BITS_LEVELS; level++, from = from / 64 + 1) {
        size_t limit = words_for(b->size ? b->size : 1);
        for (int up = 0; up < level; up++)
            limit = words_for(limit);
        if (from / 64 >= limit)
            return BITS_NONE;
        found = b->level[level][from / 64] & ~UINT64_C(0) << (from % 64);
        if (found)
            break;
    }
    if (!found)
        return BITS_NONE;
    size_t i = from / 64 * 64 + (size_t)__builtin_ctzll(found);
    while (level-- > 0)
        i = i * 64 + (size_t)__builtin_ctzll(b->level[level][i]);
    return i;
}

size_t bits_next_round(const struct bits *b, size_t from) {
    size_t i = from < b->size ? bits_next(b, from) : BITS_NONE;
    return i != BITS_NONE ? i : bits_next(b, 0);
}
