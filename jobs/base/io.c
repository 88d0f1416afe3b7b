// io.c: the replaceable system calls.
// SPDX-License-Identifier: MIT
#include "jobs/base/io.h"

#include "jobs/base/die.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

ssize_t (*io_read)(int fd, void *p, size_t n) = read;
ssize_t (*io_write)(int fd, const void *p, size_t n) = write;
int (*io_fsync)(int fd) = fsync;
int (*io_fdatasync)(int fd) = fdatasync;
int (*io_rename)(const char *from, const char *to) = rename;
int (*io_allocate)(int fd, off_t from, off_t n) = posix_fallocate;

bool io_write_all(int fd, struct slice bytes, size_t *written) {
    size_t done = 0;
    while (done < bytes.n) {
        ssize_t n = io_write(fd, bytes.p + done, bytes.n - done);
        if (n > 0)
            done += (size_t)n;
        else if (n < 0 && errno == EAGAIN)
            poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1); // a pipe left non-blocking
        else if (n == 0 || errno != EINTR)
            break;
    }
    if (written)
        *written = done;
    return done == bytes.n;
}

bool io_sync_directory(const char *path) {
    const char *slash = strrchr(path, '/');
    char *folder =
        !slash ? mem_text(".", 1) : mem_text(path, slash == path ? 1 : (size_t)(slash - path));
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    if (fd < 0)
        return false;
    bool good = io_fsync(fd) == 0;
    close(fd);
    return good;
}
