// heap.c: the timer heap. Places are 1-based, so that zeroed nodes are in no heap.
// SPDX-License-Identifier: MIT
#include "jobs/base/heap.h"

#include "jobs/base/die.h"

#include <stdlib.h>

static void put(struct heap *h, size_t place, struct heap_node *node) {
    h->nodes[place - 1] = node;
    node->place = place;
}

static void sift_up(struct heap *h, struct heap_node *node) {
    size_t place = node->place;
    while (place > 1 && h->nodes[place / 2 - 1]->due > node->due) {
        put(h, place, h->nodes[place / 2 - 1]);
        place /= 2;
    }
    put(h, place, node);
}

static void sift_down(struct heap *h, struct heap_node *node) {
    size_t place = node->place;
    for (;;) {
        size_t child = place * 2;
        if (child > h->count)
            break;
        if (child < h->count && h->nodes[child]->due < h->nodes[child - 1]->due)
            child++;
        if (h->nodes[child - 1]->due >= node->due)
            break;
        put(h, place, h->nodes[child - 1]);
        place = child;
    }
    put(h, place, node);
}

void heap_set(struct heap *h, struct heap_node *node, int64_t due) {
    if (!node->place) {
        if (h->count == h->cap) {
            h->cap = h->cap ? h->cap * 2 : 64;
            h->nodes = mem_resize(h->nodes, h->cap * sizeof *h->nodes);
        }
        put(h, ++h->count, node);
    }
    node->due = due;
    sift_up(h, node);
    sift_down(h, node);
}

void heap_remove(struct heap *h, struct heap_node *node) {
    if (!node->place)
        return;
    struct heap_node *last = h->nodes[--h->count];
    if (last != node) {
        put(h, node->place, last);
        sift_up(h, last);
        sift_down(h, last);
    }
    node->place = 0;
}

struct heap_node *heap_first(const struct heap *h) {
    return h->count ? h->nodes[0] : NULL;
}

struct heap_node *heap_pop_due(struct heap *h, int64_t now) {
    struct heap_node *first = heap_first(h);
    if (!first || first->due > now)
        return NULL;
    heap_remove(h, first);
    return first;
}

void heap_free(struct heap *h) {
    free(h->nodes);
    *h = (struct heap){0};
}
