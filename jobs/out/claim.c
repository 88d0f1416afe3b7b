// claim.c: opens the results file, holds its lock, and replaces it as a whole. Owns the descriptor.
// SPDX-License-Identifier: MIT
#include "jobs/out/claim.h"

#include "jobs/base/die.h"
#include "jobs/base/io.h"
#include "jobs/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_FLAGS (O_APPEND | O_CLOEXEC | O_NOCTTY)
#define ASIDE_END  ".rewrite"
#define TRIES      100

// A wrong path is the command line's fault; a full or failing disk is not.
enum error_class claim_error_class(int code) {
    switch (code) {
    case EACCES:
    case EEXIST:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case ENOENT:
    case ENOTDIR:
    case ENXIO:
    case EPERM:
    case EINTR: return ERROR_USAGE;
    default: return ERROR_OUTPUT;
    }
}

static bool cannot_open(const char *path, struct error *err) {
    int code = errno;
    return error_set(err, claim_error_class(code),
                     "%s: cannot be opened for results: %s; choose a file with -o", path,
                     strerror(code));
}

static int open_new(struct claim *claim, const char *path) {
    claim->regular = claim->created = true;
    return open(path, O_RDWR | O_CREAT | OPEN_FLAGS, 0666);
}

static const char *unfit(mode_t mode) {
    if (S_ISDIR(mode))
        return "a directory";
    if (S_ISBLK(mode))
        return "a block device";
    return S_ISSOCK(mode) ? "a socket" : NULL;
}

// A FIFO must be opened for writing alone: a reader of our own would hide that the other one left.
static bool open_any(struct claim *claim, const char *path, struct error *err) {
    struct stat st;
    if (stat(path, &st) == 0) {
        if (unfit(st.st_mode))
            return error_set(err, ERROR_USAGE, "%s: is %s; name a file for the results with -o",
                             path, unfit(st.st_mode));
        claim->regular = S_ISREG(st.st_mode);
        claim->fd = open(path, (claim->regular ? O_RDWR : O_WRONLY) | OPEN_FLAGS);
    } else if (errno == ENOENT) {
        claim->fd = open_new(claim, path);
    }
    return claim->fd >= 0 || cannot_open(path, err);
}

static int lock(int fd) {
    int result;
    do
        result = flock(fd, LOCK_EX | LOCK_NB);
    while (result < 0 && errno == EINTR);
    return result;
}

static bool take_lock(int fd, const char *path, struct error *err) {
    if (lock(fd) == 0)
        return true;
    if (errno == EWOULDBLOCK)
        return error_set(err, ERROR_USAGE, CLAIM_OTHER_RUN, path);
    log_warn("%s: cannot be locked here (%s): see that no second run writes to it", path,
             strerror(errno));
    return true;
}

// Whether the name still means the file that was locked.
static bool is_current(int fd, const char *path) {
    struct stat named, held;
    return stat(path, &named) == 0 && fstat(fd, &held) == 0 && named.st_ino == held.st_ino &&
           named.st_dev == held.st_dev;
}

bool claim_has_name(const struct claim *claim) {
    return is_current(claim->fd, claim->path);
}

const char *claim_touched(const struct claim *claim, int64_t size) {
    struct stat held, named;
    if (!claim->regular || fstat(claim->fd, &held) != 0)
        return NULL;
    if (stat(claim->path, &named) != 0)
        return errno != ENOENT && errno != ENOTDIR ? NULL
               : held.st_nlink == 0                ? "was deleted by another program"
                                                   : "was moved away by another program";
    if (named.st_ino != held.st_ino || named.st_dev != held.st_dev)
        return "was replaced by another program";
    if (held.st_size < size)
        return "was cut short by another program";
    return held.st_size > size ? "was written to by another program" : NULL;
}

void claim_renew_time(const struct claim *claim) {
    if (claim->regular)
        futimens(claim->fd, NULL); // it is only a hint: another owner's file has none to give
}

static bool is_taken(const struct claim *claim) {
    struct stat st;
    return stat(claim->path, &st) == 0 && !is_current(claim->fd, claim->path);
}

static bool failed_open(struct claim *claim) {
    if (claim->fd >= 0)
        close(claim->fd);
    claim->fd = -1;
    return false;
}

char *claim_name_beside(const struct claim *claim, const char *ending) {
    size_t n = strlen(claim->path), more = strlen(ending) + 1;
    char *path = mem_new(n + more);
    memcpy(path, claim->path, n);
    memcpy(path + n, ending, more);
    return path;
}

static bool claim_path(struct claim *claim, const char *path, struct error *err) {
    claim->path = realpath(path, NULL);
    if (!claim->path)
        return cannot_open(path, err);
    claim->aside = claim_name_beside(claim, ASIDE_END);
    return true;
}

bool claim_open(struct claim *claim, const char *path, struct error *err) {
    *claim = (struct claim){.fd = -1};
    for (int i = 0; i < TRIES; i++) {
        if (!open_any(claim, path, err))
            return failed_open(claim);
        if (!claim->regular)
            return true;
        if (!take_lock(claim->fd, path, err))
            return failed_open(claim);
        if (is_current(claim->fd, path))
            return claim_path(claim, path, err) || failed_open(claim);
        failed_open(claim); // replaced between open and lock: the name means another file now
    }
    return error_set(err, ERROR_USAGE,
                     "%s: keeps being replaced by another program; choose another "
                     "file with -o",
                     path);
}

void claim_undo(const struct claim *claim) {
    struct stat st;
    bool empty = claim->created && fstat(claim->fd, &st) == 0 && st.st_size == 0;
    if (empty && is_current(claim->fd, claim->path))
        unlink(claim->path);
}

static bool cannot_replace(const char *path, const char *what, struct error *err) {
    return error_set(
        err, ERROR_OUTPUT,
        "%s: %s: %s; all results are there, but some rows have an earlier one beside the last: put "
        "that right and run again",
        path, what, strerror(errno));
}

// Owner and group as well as root or a member can; the mode always.
static void take_after(int fd, int model_fd) {
    struct stat st;
    if (fstat(model_fd, &st) != 0)
        return;
    if (fchown(fd, st.st_uid, st.st_gid) != 0 && fchown(fd, (uid_t)-1, st.st_gid) != 0)
        st.st_mode &= ~(mode_t)S_IRWXG; // another group must not inherit what was this one's
    fchmod(fd, st.st_mode & 07777);
}

bool claim_lock_beside(int fd) {
    return lock(fd) == 0 || errno != EWOULDBLOCK;
}

int claim_create_beside(const struct claim *claim, const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | OPEN_FLAGS, 0600);
    if (fd < 0)
        return -1;
    take_after(fd, claim->fd);
    lock(fd); // nobody else knows it yet; where locks do not work, claim_open() has said so
    return fd;
}

int claim_aside(struct claim *claim, struct error *err) {
    unlink(claim->aside); // left by a run that was killed; only the holder of the lock comes here
    int fd = claim_create_beside(claim, claim->aside);
    if (fd < 0) {
        cannot_replace(claim->aside, "cannot be created", err);
        return -1;
    }
    return fd;
}

// Some file systems cannot sync a directory, and some directories cannot be opened: neither is a
// sign that something was lost.
static bool sync_directory(const char *path) {
    return io_sync_directory(path) || errno == EINVAL || errno == ENOTSUP || errno == EACCES;
}

bool claim_swap(struct claim *claim, int aside_fd, struct error *err) {
    bool good = io_fsync(aside_fd) == 0 || cannot_replace(claim->aside, "cannot be synced", err);
    if (good && is_taken(claim)) {
        close(aside_fd);
        return error_set(err, ERROR_OUTPUT,
                         "%s: another file has taken this name since the run began, and stays: the "
                         "results are in %s; move that to another name before you run again",
                         claim->path, claim->aside);
    }
    if (good && io_rename(claim->aside, claim->path) != 0)
        good = cannot_replace(claim->aside, "cannot be renamed", err);
    if (!good) {
        claim_discard(claim, aside_fd);
        return false;
    }
    close(claim->fd);
    claim->fd = aside_fd;
    if (!sync_directory(claim->path))
        return error_set(err, ERROR_OUTPUT, "%s: its directory cannot be synced: %s", claim->path,
                         strerror(errno));
    return true;
}

void claim_discard(struct claim *claim, int aside_fd) {
    unlink(claim->aside);
    close(aside_fd);
}

bool claim_sync_name(const struct claim *claim) {
    return !claim->created || sync_directory(claim->path);
}

bool claim_sync_beside(const struct claim *claim) {
    return sync_directory(claim->path);
}

bool claim_sync(const struct claim *claim) {
    return !claim->regular || io_fdatasync(claim->fd) == 0;
}

bool claim_close(struct claim *claim) {
    bool good = claim->fd < 0 || close(claim->fd) == 0 || errno == EINTR;
    int code = errno;
    free(claim->path);
    free(claim->aside);
    errno = code;
    *claim = (struct claim){.fd = -1};
    return good;
}
