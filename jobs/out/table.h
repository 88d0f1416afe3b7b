// Numbers by their place, as many as there are, in bounded memory.
//
// The pages that were used last are kept in memory, TABLE_BYTES of them; the others lie in a temporary
// file without a name (io_temporary()), which is made when it is first needed. Quick as long as places
// are used more or less in turn. One thread at a time.
// SPDX-License-Identifier: MIT
#ifndef JOBS_OUT_TABLE_H
#define JOBS_OUT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_BYTES ((size_t)1 << 20)

struct table;

struct table *table_new(void);
void table_free(struct table *t); // NULL is fine

void table_set(struct table *t, int64_t place, int64_t value);

// 0 where nothing was set.
int64_t table_get(struct table *t, int64_t place);

// Places below this one are not asked for again: the room they take in the file is given back.
void table_drop(struct table *t, int64_t below);

// 0, or the errno of a file that could not be made, read or written: the numbers are worth nothing
// from then on.
int table_failure(const struct table *t);

// What the file occupies, for the tests that hold it to its promise.
int64_t table_file_bytes(const struct table *t);

#endif
