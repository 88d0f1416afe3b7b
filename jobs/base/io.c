// io.c: the replaceable system calls.
// SPDX-License-Identifier: MIT
#include "jobs/base/io.h"

#include "jobs/base/buf.h"
#include "jobs/base/die.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

ssize_t (*io_read)(int fd, void *p, size_t n) = read;
ssize_t (*io_write)(int fd, const void *p, size_t n) = write;
ssize_t (*io_pread)(int fd, void *p, size_t n, off_t offset) = pread;
ssize_t (*io_pwrite)(int fd, const void *p, size_t n, off_t offset) = pwrite;
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

bool io_read_at(int fd, char *p, size_t n, int64_t offset, size_t *got) {
    size_t done = 0;
    while (done < n) {
        ssize_t more = io_pread(fd, p + done, n - done, (off_t)offset + (off_t)done);
        if (more > 0)
            done += (size_t)more;
        else if (more == 0)
            break;
        else if (errno != EINTR)
            return false;
    }
    if (got)
        *got = done;
    else if (done < n)
        errno = EIO;
    return got || done == n;
}

bool io_write_at(int fd, struct slice bytes, int64_t offset) {
    size_t done = 0;
    while (done < bytes.n) {
        ssize_t n = io_pwrite(fd, bytes.p + done, bytes.n - done, (off_t)offset + (off_t)done);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || errno != EINTR)
            return false;
    }
    return true;
}

// Where the file system cannot make one without a name, the name goes at once.
int io_temporary(void) {
    const char *set = getenv("TMPDIR");
    const char *folder = set && set[0] ? set : "/tmp";
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
        return fd;
    struct buf path = BUF_INIT(PATH_MAX);
    buf_addf(&path, "%s/batch-run-XXXXXX", folder);
    fd = path.failed ? -1 : mkostemp((char *)buf_cstr(&path), O_CLOEXEC);
    if (fd >= 0)
        unlink(path.p);
    buf_free(&path);
    return fd;
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
