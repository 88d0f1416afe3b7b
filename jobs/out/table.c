// table.c: numbers by their place: a cache of pages before a temporary file. Any one thread.
// SPDX-License-Identifier: MIT
#include "jobs/out/table.h"

#include "jobs/base/die.h"
#include "jobs/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_NUMBERS 512
#define PAGE_BYTES   (PAGE_NUMBERS * sizeof(int64_t))
#define PAGES        (TABLE_BYTES / PAGE_BYTES)
#define DROP_PAGES   256 // given back to the file system together

struct page {
    int64_t *values; // NULL until the first use
    int64_t number;
    bool dirty;
};

struct table {
    int fd;             // -1 until a page has to leave the memory
    int64_t file_pages; // from there on the file holds none
    int64_t dropped;    // pages before this one are no longer needed
    int failure;
    struct page pages[PAGES]; // a page's place is its number modulo PAGES
};

struct table *table_new(void) {
    struct table *t = mem_zero(1, sizeof *t);
    t->fd = -1;
    return t;
}

void table_free(struct table *t) {
    if (!t)
        return;
    for (size_t i = 0; i < PAGES; i++)
        free(t->pages[i].values);
    if (t->fd >= 0)
        close(t->fd);
    free(t);
}

static void note_failure(struct table *t) {
    if (!t->failure)
        t->failure = errno ? errno : EIO;
}

static void put_out(struct table *t, struct page *page) {
    if (!page->dirty || page->number < t->dropped)
        return;
    if (t->fd < 0)
        t->fd = io_temporary();
    struct slice bytes = slice_of((const char *)page->values, PAGE_BYTES);
    if (t->fd < 0 || !io_write_at(t->fd, bytes, page->number * (int64_t)PAGE_BYTES))
        note_failure(t);
    else if (page->number >= t->file_pages)
        t->file_pages = page->number + 1;
}

static void bring_in(struct table *t, struct page *page, int64_t number) {
    size_t got = 0;
    if (!page->values)
        page->values = mem_new(PAGE_BYTES);
    page->number = number;
    page->dirty = false;
    if (number < t->file_pages &&
        !io_read_at(t->fd, (char *)page->values, PAGE_BYTES, number * (int64_t)PAGE_BYTES, &got)) {
        note_failure(t);
        got = 0;
    }
    memset((char *)page->values + got, 0, PAGE_BYTES - got);
}

static struct page *page_of(struct table *t, int64_t place) {
    int64_t number = place / PAGE_NUMBERS;
    struct page *page = &t->pages[(size_t)number % PAGES];
    if (page->values && page->number == number)
        return page;
    if (page->values)
        put_out(t, page);
    bring_in(t, page, number);
    return page;
}

void table_set(struct table *t, int64_t place, int64_t value) {
    struct page *page = page_of(t, place);
    page->values[place % PAGE_NUMBERS] = value;
    page->dirty = true;
}

int64_t table_get(struct table *t, int64_t place) {
    return page_of(t, place)->values[place % PAGE_NUMBERS];
}

// A file system that cannot give a part back keeps it until the end.
void table_drop(struct table *t, int64_t below) {
    int64_t pages = below / PAGE_NUMBERS / DROP_PAGES * DROP_PAGES;
    if (pages <= t->dropped)
        return;
    if (t->file_pages > t->dropped)
        fallocate(t->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, t->dropped * (off_t)PAGE_BYTES,
                  (pages - t->dropped) * (off_t)PAGE_BYTES);
    t->dropped = pages;
}

int table_failure(const struct table *t) {
    return t->failure;
}

int64_t table_file_bytes(const struct table *t) {
    struct stat st;
    return t->fd >= 0 && fstat(t->fd, &st) == 0 ? (int64_t)st.st_blocks * 512 : 0;
}
