// A set of small numbers that finds its next member at once: a tree of bitmaps, 64 to a node.
//
// Setting, clearing and finding cost one step per level: two levels hold 4,096, three 262,144.
// SPDX-License-Identifier: MIT
#ifndef JOBS_BASE_BITS_H
#define JOBS_BASE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BITS_LEVELS 4
#define BITS_NONE   SIZE_MAX

struct bits {
    uint64_t *level[BITS_LEVELS]; // level[0]: the members; each bit above: "that word is not 0"
    size_t size;                  // members are below this
};

// An empty set of numbers below size (at most 64^4).
void bits_init(struct bits *b, size_t size);
void bits_free(struct bits *b);

void bits_set(struct bits *b, size_t i);
void bits_clear(struct bits *b, size_t i);
bool bits_has(const struct bits *b, size_t i);

// The smallest member at or after from, or BITS_NONE.
size_t bits_next(const struct bits *b, size_t from);

// The same, going on at 0 after the end: BITS_NONE only when the set is empty.
size_t bits_next_round(const struct bits *b, size_t from);

#endif
