// blocks.c: libcurl's memory, kept between requests. Any thread, each with lists of its own.
// SPDX-License-Identifier: MIT
#include "pool/transfer/blocks.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

// Sizes are multiples of 16 up to 256 bytes, then go in eight steps each time they double.
#define LARGEST ((size_t)80 * 1024)
#define SIZES   82
#define UNKEPT  SIZES // the size of what is not

// Asked for with its pages in it: one by one, each of them would be a fault.
#define SLAB_BYTES   ((size_t)256 * 1024)
#define SLAB_LARGEST ((size_t)8 * 1024)

// Buffers, which are larger than what libcurl mostly puts into them, have slabs of their own, without pages:
// what is not used takes no memory, as long as nothing small lies between them.
#define BUFFERS_BYTES ((size_t)4 * 1024 * 1024)

struct block {
    size_t room; // of bytes[]
    size_t size; // the number of its list, or UNKEPT
    alignas(max_align_t) union {
        struct block *next; // while it is kept
        char bytes[1];
    };
};

#define HEAD offsetof(struct block, bytes)

struct slab {
    struct slab *next;
    alignas(max_align_t) char bytes[];
};

// What is left of one.
struct rest {
    char *p, *end;
};

static _Thread_local struct {
    bool on;
    struct rest slab, buffers;
    struct block *lists[SIZES];
} kept;

// What threads that keep nothing were given back, and what ended ones had kept.
static struct {
    pthread_mutex_t lock;
    struct block *lists[SIZES];
    struct slab *slabs; // all of them: they are not lost
} common = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct block *block_of(void *bytes) {
    return (struct block *)(void *)((char *)bytes - HEAD);
}

// The number of the smallest size that holds n bytes; *room is that size.
static size_t size_of(size_t n, size_t *room) {
    size_t last = n ? n - 1 : 0;
    unsigned shift = 60 - (unsigned)__builtin_clzll(last | 128); // at least 4
    *room = ((last >> shift) + 1) << shift;
    return (last >> shift) + (size_t)(shift - 4) * 8;
}

static void push(struct block **list, struct block *b) {
    b->next = *list;
    *list = b;
}

static struct block *pop(struct block **list) {
    struct block *b = *list;
    if (b)
        *list = b->next;
    return b;
}

static size_t left(const struct rest *rest) {
    return (size_t)(rest->end - rest->p);
}

static struct block *carve(struct rest *rest, size_t size, size_t room) {
    struct block *b = (struct block *)(void *)rest->p;
    rest->p += HEAD + room;
    b->room = room;
    b->size = size;
    return b;
}

static struct block *make(size_t room) {
    struct block *b = room <= SIZE_MAX - HEAD ? malloc(HEAD + room) : NULL;
    if (!b)
        return NULL;
    b->room = room;
    b->size = UNKEPT;
    return b;
}

static bool next_slab(struct rest *rest, size_t bytes, int flags) {
    struct slab *slab =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    if (slab == MAP_FAILED)
        return false;
    rest->p = slab->bytes;
    rest->end = (char *)slab + bytes;
    pthread_mutex_lock(&common.lock);
    slab->next = common.slabs;
    common.slabs = slab;
    pthread_mutex_unlock(&common.lock);
    return true;
}

static bool more_buffers(void) {
    if (!next_slab(&kept.buffers, BUFFERS_BYTES, MAP_NORESERVE))
        return false;
    // else a page that is used might bring in those around it
    madvise((char *)kept.buffers.end - BUFFERS_BYTES, BUFFERS_BYTES, MADV_NOHUGEPAGE);
    return true;
}

static bool more_small(void) {
    // what is left serves small requests
    while (left(&kept.slab) >= HEAD + 64)
        push(&kept.lists[3], carve(&kept.slab, 3, 64));
    return next_slab(&kept.slab, SLAB_BYTES, MAP_POPULATE);
}

// There is none of this size in the thread's own lists.
static struct block *find(size_t size, size_t room) {
    bool is_buffer = room > SLAB_LARGEST;
    struct rest *rest = is_buffer ? &kept.buffers : &kept.slab;
    pthread_mutex_lock(&common.lock);
    struct block *b = pop(&common.lists[size]);
    pthread_mutex_unlock(&common.lock);
    if (b)
        return b;
    if (left(rest) < HEAD + room && !(is_buffer ? more_buffers() : more_small()))
        return make(room); // memory is short; of single blocks there may be some
    return carve(rest, size, room);
}

static struct block *take_block(size_t n) {
    if (n > LARGEST || !kept.on)
        return make(n);
    size_t room, size = size_of(n, &room);
    struct block *b = pop(&kept.lists[size]);
    return b ? b : find(size, room);
}

static void *take(size_t n) {
    struct block *b = take_block(n);
    return b ? b->bytes : NULL;
}

static void give(void *bytes) {
    if (!bytes)
        return;
    struct block *b = block_of(bytes);
    if (b->size == UNKEPT) {
        free(b);
    } else if (kept.on) {
        push(&kept.lists[b->size], b);
    } else {
        pthread_mutex_lock(&common.lock);
        push(&common.lists[b->size], b);
        pthread_mutex_unlock(&common.lock);
    }
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
#if !defined SANITIZED && !defined PLAIN_MALLOC // which are to see each block that libcurl takes
    kept.on = keep;
#endif
    if (keep)
        return;
    for (size_t i = 0; i < SIZES; i++) {
        struct block *b;
        while ((b = pop(&kept.lists[i])))
            give(b->bytes);
    }
}
