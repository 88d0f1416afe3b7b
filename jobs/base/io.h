// The system calls that can fail on a full disk or a broken pipe, as pointers, so that a test can
// make any of them fail in turn.
// SPDX-License-Identifier: MIT
#ifndef JOBS_BASE_IO_H
#define JOBS_BASE_IO_H

#include "jobs/base/slice.h"

#include <sys/types.h>

extern ssize_t (*io_read)(int fd, void *p, size_t n);
extern ssize_t (*io_write)(int fd, const void *p, size_t n);
extern int (*io_fsync)(int fd);
extern int (*io_fdatasync)(int fd);
extern int (*io_rename)(const char *from, const char *to);

// posix_fallocate(): returns the error, does not set errno.
extern int (*io_allocate)(int fd, off_t from, off_t n);

// Writes all of it, whatever write() takes at a time. False with errno set; *written says how much
// arrived (may be NULL).
bool io_write_all(int fd, struct slice bytes, size_t *written);

// Syncs the directory that holds path, so that a rename or a new file survives a crash.
bool io_sync_directory(const char *path);

#endif
