// Doubly linked lists threaded through their members: no allocation, O(1) everywhere.
// SPDX-License-Identifier: MIT
#ifndef JOBS_BASE_LIST_H
#define JOBS_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

// A member of a list, and also its head: a circle. A member in no list points at itself.
struct list {
    struct list *next;
    struct list *prev;
};

#define LIST_ENTRY(node, type, member) ((type *)((char *)(node)-offsetof(type, member)))

static inline void list_init(struct list *l) {
    l->next = l->prev = l;
}

static inline bool list_is_empty(const struct list *l) {
    return l->next == l;
}

// Appends at the end; the member must be in no list.
static inline void list_push(struct list *head, struct list *node) {
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

static inline void list_remove(struct list *node) {
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

// Moves all members of `from` to the end of `into`.
static inline void list_splice(struct list *into, struct list *from) {
    if (list_is_empty(from))
        return;
    from->next->prev = into->prev;
    from->prev->next = into;
    into->prev->next = from->next;
    into->prev = from->prev;
    list_init(from);
}

static inline struct list *list_pop(struct list *head) {
    struct list *node = head->next;
    if (node == head)
        return NULL;
    list_remove(node);
    return node;
}

#endif
