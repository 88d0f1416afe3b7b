// The end of the program, for what cannot be handled: no memory, a broken invariant.
//
// A failure that a user can cause is never one of these: see error.h.
// SPDX-License-Identifier: MIT
#ifndef JOBS_BASE_DIE_H
#define JOBS_BASE_DIE_H

#include <stdbool.h>
#include <stddef.h>

// Prints "batch-run: <text>" and exits with status 4 (what is on disk stays whole and resumable).
__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);

// From now on die() prints {"event":"log","level":"error","message":…} instead.
void die_set_json(bool on);

// A broken invariant: prints where, then aborts. Stays on in release builds.
#define BUG_IF(condition)                                                                          \
    do {                                                                                           \
        if (condition)                                                                             \
            bug_found(__FILE__, __LINE__, #condition);                                             \
    } while (0)

__attribute__((noreturn)) void bug_found(const char *file, int line, const char *what);

// malloc, calloc, realloc, strdup that end the program instead of returning NULL. Free with free().
__attribute__((malloc, returns_nonnull)) void *mem_new(size_t size);
__attribute__((malloc, returns_nonnull)) void *mem_zero(size_t count, size_t size);
__attribute__((returns_nonnull)) void *mem_resize(void *p, size_t size);
__attribute__((malloc, returns_nonnull)) char *mem_text(const char *p, size_t n);

#endif
