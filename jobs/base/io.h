// The system calls that can fail on a full disk or a broken pipe, as pointers, so that a test can
// make any of them fail in turn.
// SPDX-License-Identifier: MIT
#ifndef JOBS_BASE_IO_H
#define JOBS_BASE_IO_H

#include "jobs/base/slice.h"

#include <stdint.h>
#include <sys/types.h>

extern ssize_t (*io_read)(int fd, void *p, size_t n);
extern ssize_t (*io_write)(int fd, const void *p, size_t n);
extern ssize_t (*io_pread)(int fd, void *p, size_t n, off_t offset);
extern ssize_t (*io_pwrite)(int fd, const void *p, size_t n, off_t offset);
extern int (*io_fsync)(int fd);
extern int (*io_fdatasync)(int fd);
extern int (*io_rename)(const char *from, const char *to);

// posix_fallocate(): returns the error, does not set errno.
extern int (*io_allocate)(int fd, off_t from, off_t n);

// Writes all of it, whatever write() takes at a time. False with errno set; *written says how much
// arrived (may be NULL).
bool io_write_all(int fd, struct slice bytes, size_t *written);

// Reads n bytes from there, or as many as the file has. False with errno set; *got may be NULL if fewer are
// a failure too (EIO).
bool io_read_at(int fd, char *p, size_t n, int64_t offset, size_t *got);

// Writes all of it there. False with errno set.
bool io_write_at(int fd, struct slice bytes, int64_t offset);

// A file without a name in $TMPDIR or /tmp, gone with its descriptor. -1 with errno set.
int io_temporary(void);

// Syncs the directory that holds path, so that a rename or a new file survives a crash.
bool io_sync_directory(const char *path);

#endif
