// Timers: a binary heap of due times threaded through their owners. O(log n) in and out.
//
// One thread. The heap holds pointers; whoever embeds a heap_node owns it and removes it before it
// goes away.
// SPDX-License-Identifier: MIT
#ifndef JOBS_BASE_HEAP_H
#define JOBS_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// In no heap while `place` is 0: zeroed memory is a valid node.
struct heap_node {
    int64_t due; // microseconds; on whose clock is the owner's affair
    size_t place;
};

// Zeroed memory is an empty heap.
struct heap {
    struct heap_node **nodes;
    size_t count;
    size_t cap;
};

#define HEAP_ENTRY(node, type, member) ((type *)((char *)(node)-offsetof(type, member)))

// Puts node in, due at this time; moves it when it is in already.
void heap_set(struct heap *h, struct heap_node *node, int64_t due);
// Takes it out; nothing happens when it is not in.
void heap_remove(struct heap *h, struct heap_node *node);
// The earliest, or NULL.
struct heap_node *heap_first(const struct heap *h);
// Takes out and returns the earliest if it is due at or before now; else NULL.
struct heap_node *heap_pop_due(struct heap *h, int64_t now);
void heap_free(struct heap *h);

static inline bool heap_holds(const struct heap_node *node) {
    return node->place != 0;
}

#endif
