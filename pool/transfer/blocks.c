// blocks.c: libcurl's memory, kept between requests. Any thread, each with lists of its own.
// SPDX-License-Identifier: MIT
#include "pool/transfer/blocks.h"

#include <curl/curl.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// Sizes are multiples of 16 up to 128 bytes, then go in four steps each time they double.
#define LARGEST ((size_t)64 * 1024)
#define SIZES   44

struct block {
    size_t room; // of bytes[]
    size_t size; // the number of its list; SIZES: none
    alignas(max_align_t) union {
        struct block *next; // while it is kept
        char bytes[1];
    };
};

#define HEAD offsetof(struct block, bytes)

static _Thread_local struct {
    bool on;
    struct block *lists[SIZES];
} kept;

static struct block *block_of(void *bytes) {
    return (struct block *)(void *)((char *)bytes - HEAD);
}

// The number of the smallest size that holds n bytes; *room is that size.
static size_t size_of(size_t n, size_t *room) {
    size_t last = n ? n - 1 : 0;
    unsigned shift = 61 - (unsigned)__builtin_clzll(last | 64); // at least 4
    *room = ((last >> shift) + 1) << shift;
    return (last >> shift) + (size_t)(shift - 4) * 4;
}

static void *make(size_t size, size_t room) {
    struct block *b = room <= SIZE_MAX - HEAD ? malloc(HEAD + room) : NULL;
    if (!b)
        return NULL;
    b->room = room;
    b->size = size;
    return b->bytes;
}

static void *take(size_t n) {
    if (n > LARGEST)
        return make(SIZES, n);
    size_t room, size = size_of(n, &room);
    struct block *b = kept.lists[size];
    if (!b)
        return make(size, room);
    kept.lists[size] = b->next;
    return b->bytes;
}

static void give(void *bytes) {
    if (!bytes)
        return;
    struct block *b = block_of(bytes);
    if (!kept.on || b->size == SIZES) {
        free(b);
        return;
    }
    b->next = kept.lists[b->size];
    kept.lists[b->size] = b;
}

static void *resize(void *bytes, size_t n) {
    if (bytes && n <= block_of(bytes)->room)
        return bytes;
    void *more = take(n);
    if (more && bytes) {
        memcpy(more, bytes, block_of(bytes)->room);
        give(bytes);
    }
    return more;
}

static void *take_zeroed(size_t count, size_t size) {
    size_t n;
    void *bytes = __builtin_mul_overflow(count, size, &n) ? NULL : take(n);
    return bytes ? memset(bytes, 0, n) : NULL;
}

static char *take_text(const char *text) {
    size_t n = strlen(text) + 1;
    void *bytes = take(n);
    return bytes ? memcpy(bytes, text, n) : NULL;
}

bool blocks_global_init(void) {
    return curl_global_init_mem(CURL_GLOBAL_DEFAULT, take, give, resize, take_text, take_zeroed) ==
           CURLE_OK;
}

void blocks_keep(bool keep) {
#ifndef SANITIZED // which is to see every block that libcurl frees
    kept.on = keep;
#endif
    for (size_t i = 0; !keep && i < SIZES; i++)
        while (kept.lists[i]) {
            struct block *b = kept.lists[i];
            kept.lists[i] = b->next;
            free(b);
        }
}
