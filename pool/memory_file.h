// The remembered file as a document: read, changed, written as a whole, and the journals beside it. Private to
// pool/memory*.c.
// SPDX-License-Identifier: MIT
#ifndef POOL_MEMORY_FILE_H
#define POOL_MEMORY_FILE_H

#include "jobs/base/slice.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#define MEMORY_HASH_SIZE 33 // 32 hex digits

struct memory_file {
    char *directory, *path, *lock_path, *journal_path;
    int lock_fd, journal_fd; // -1: none
    cJSON *root;             // while it is open
};

// Makes the directory and opens lock and journal. False: errno says why it cannot be used.
bool memory_file_init(struct memory_file *f, const char *directory);
void memory_file_free(struct memory_file *f); // removes the journal

// Takes the lock (wait: for two seconds at most) and reads the document; one that is no such document begins
// anew. False: another run has the lock.
bool memory_file_open(struct memory_file *f, bool wait);
// Writes it (durable: to the disk), empties the journal, and lets go. False with errno set.
bool memory_file_save(struct memory_file *f, bool durable);
void memory_file_close(struct memory_file *f); // lets go without writing

// The number that keys' hashes are made with; chosen when the document is new.
void memory_file_salt(struct memory_file *f, uint64_t salt[2]);

// A key's entry, made when it is not there.
cJSON *memory_file_entry(struct memory_file *f, const char *hash);

// Adds to an entry what was used on the day that ends then, and in a second of the last minute. Unix
// microseconds; wall: now, or when it was used.
void memory_entry_add_today(cJSON *entry, int64_t wall, int64_t day_end, int64_t requests,
                            int64_t tokens);
void memory_entry_add_second(cJSON *entry, int64_t wall, int64_t requests, int64_t tokens);

// Appends the same to the journal, for the key with this hash.
void memory_file_note(struct memory_file *f, const char *hash, int64_t wall, int64_t day_end,
                      int64_t requests, int64_t tokens);

// Adds the journals of runs that were killed to the document and removes them. What runs that go on have not
// saved yet is handed out line by line.
struct memory_line {
    char hash[MEMORY_HASH_SIZE];
    int64_t wall, day_end; // unix microseconds
    int64_t requests, tokens;
};
void memory_file_fold(struct memory_file *f,
                      void (*unsaved)(void *context, const struct memory_line *line),
                      void *context);

int64_t memory_number(const cJSON *object, const char *name);
void memory_set_number(cJSON *object, const char *name, int64_t value);

#endif
