// side.c: the files of lines that are ahead of their turn. Main thread before others start, then the
// writer's.
// SPDX-License-Identifier: MIT
#include "jobs/out/side.h"

#include "jobs/base/io.h"
#include "jobs/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK ((size_t)256 * 1024)

const char *const side_ends[SIDES] = {".ahead", ".ahead2"};

void side_init(struct side *side, int number, const struct claim *claim) {
    *side = (struct side){.claim = claim, .fd = -1};
    if (claim)
        side->path = claim_name_beside(claim, side_ends[number]);
}

bool side_make(struct side *side) {
    if (side->fd >= 0)
        return true;
    side->fd = side->path ? claim_create_beside(side->claim, side->path) : io_temporary();
    side->unnamed = side->path != NULL;
    return side->fd >= 0;
}

static bool cut(struct side *side) {
    return ftruncate(side->fd, (off_t)side->size) == 0;
}

// A named file is opened for appending, the other one is written where it ends.
static bool add_at_end(struct side *side, struct slice lines, size_t *arrived) {
    if (side->path)
        return io_write_all(side->fd, lines, arrived);
    *arrived = lines.n;
    return io_write_at(side->fd, lines, side->size);
}

bool side_append(struct side *side, struct slice lines, size_t *written) {
    *written = 0;
    if (!side_make(side))
        return false;
    errno = 0;
    if (add_at_end(side, lines, written)) {
        side->size += (int64_t)lines.n;
        side->unsynced = true;
        return true;
    }
    int code = errno ? errno : EIO;
    const char *last = *written && side->path ? memrchr(lines.p, '\n', *written) : NULL;
    size_t kept = last ? (size_t)(last + 1 - lines.p) : 0;
    side->size += (int64_t)kept;
    if (!cut(side) && side->path)
        log_warn("%s: cannot be cut to its last whole line: %s; the next run will do it",
                 side->path, strerror(errno));
    *written = kept;
    errno = code;
    return false;
}

bool side_read(const struct side *side, char *p, size_t n, int64_t offset) {
    return io_read_at(side->fd, p, n, offset, NULL);
}

bool side_sync(struct side *side) {
    if (!side->unsynced || !side->path)
        return true;
    if (io_fdatasync(side->fd) != 0 || (side->unnamed && !claim_sync_beside(side->claim)))
        return false;
    side->unsynced = side->unnamed = false;
    return true;
}

void side_empty(struct side *side) {
    if (ftruncate(side->fd, 0) == 0)
        side->size = 0;
}

void side_close(struct side *side, bool keep) {
    if (side->fd >= 0 && side->path && (!keep || side->size == 0))
        unlink(side->path);
    if (side->fd >= 0)
        close(side->fd);
    free(side->path);
    *side = (struct side){.fd = -1};
}

// ---- of a run that was killed ----

// What one of its files holds.
struct left {
    char *path;
    int fd; // -1: there is none
    int64_t whole, lines;
};

static bool open_left(struct left *left, struct error *err) {
    struct stat st;
    left->fd = open(left->path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
    if (left->fd >= 0 && fstat(left->fd, &st) == 0 && S_ISREG(st.st_mode))
        return claim_lock_beside(left->fd) ||
               error_set(err, ERROR_USAGE, CLAIM_OTHER_RUN, left->path);
    return (left->fd < 0 && errno == ENOENT) ||
           error_set(err, ERROR_USAGE,
                     "%s: results of an earlier run are expected there, but it cannot be read as a "
                     "file: move it away, or choose another file with -o",
                     left->path);
}

static bool judge_left(struct left *left, const struct resume_options *how, struct error *err) {
    struct resume found = {0};
    struct resume_options options = *how;
    options.path = left->path;
    if (!open_left(left, err))
        return false;
    bool good = left->fd < 0 || resume_scan(&found, left->fd, &options, err);
    left->whole = found.whole;
    left->lines = found.lines;
    resume_free(&found);
    return good;
}

static bool copy(int from, int64_t n, int to, struct buf *block) {
    size_t got = 0;
    for (int64_t at = 0; at < n; at += (int64_t)got) {
        size_t most = n - at < (int64_t)BLOCK ? (size_t)(n - at) : BLOCK;
        if (!io_read_at(from, block->p, most, at, NULL) ||
            !io_write_all(to, slice_of(block->p, most), NULL))
            return false;
        got = most;
    }
    return true;
}

static bool copy_all(const struct claim *claim, const struct left *lefts, int64_t whole,
                     struct error *err) {
    struct buf block = BUF_INIT(BLOCK);
    bool good = buf_reserve(&block, BLOCK);
    int i = 0;
    for (; good && i < SIDES; i++)
        good = copy(lefts[i].fd, lefts[i].whole, claim->fd, &block);
    if (!good) {
        error_set(err, ERROR_OUTPUT, "%s: its results cannot be taken into %s: %s; both are whole",
                  lefts[i - 1].path, claim->path, strerror(errno));
        if (ftruncate(claim->fd, (off_t)whole) != 0)
            log_warn("%s: cannot be cut to its last whole line: %s", claim->path, strerror(errno));
    }
    buf_free(&block);
    return good;
}

static bool copy_and_remove(const struct claim *claim, struct left *lefts, int64_t whole,
                            struct error *err) {
    long long lines = (long long)(lefts[0].lines + lefts[1].lines);
    if (lines && !copy_all(claim, lefts, whole, err))
        return false;
    if (lines && io_fdatasync(claim->fd) != 0)
        return error_set(err, ERROR_OUTPUT, "%s: cannot be synced: %s", claim->path,
                         strerror(errno));
    if (lines && claim->created)
        log_warn(
            "%s: there was no such file, but %lld result%s of a run that was killed beside it: "
            "taken up (--overwrite starts afresh)",
            claim->path, lines, lines == 1 ? "" : "s");
    else if (lines)
        log_info("%s: %lld result%s that arrived ahead of their turn in a run that was killed: "
                 "taken up",
                 claim->path, lines, lines == 1 ? "" : "s");
    return side_remove_all(claim, err);
}

bool side_take_in(const struct claim *claim, const struct resume_options *how, int64_t whole,
                  int64_t *bytes, struct error *err) {
    struct left lefts[SIDES];
    bool good = true, any = false;
    *bytes = 0;
    for (int i = 0; i < SIDES; i++) {
        lefts[i] = (struct left){.path = claim_name_beside(claim, side_ends[i]), .fd = -1};
        good = good && judge_left(&lefts[i], how, err);
        any = any || lefts[i].fd >= 0;
        *bytes += lefts[i].whole;
    }
    good = good && (!any || copy_and_remove(claim, lefts, whole, err));
    for (int i = 0; i < SIDES; i++) {
        if (lefts[i].fd >= 0)
            close(lefts[i].fd);
        free(lefts[i].path);
    }
    return good;
}

static bool cannot_remove(const char *path, struct error *err) {
    return error_set(err, ERROR_USAGE,
                     "%s: results of an earlier run may be there, and it cannot be removed: %s; "
                     "move it away, or choose another file with -o",
                     path, strerror(errno));
}

bool side_remove_all(const struct claim *claim, struct error *err) {
    bool any = false, good = true;
    for (int i = 0; i < SIDES; i++) {
        char *path = claim_name_beside(claim, side_ends[i]);
        bool removed = unlink(path) == 0;
        any = any || removed;
        good = good && (removed || errno == ENOENT || cannot_remove(path, err));
        free(path);
    }
    return good && (!any || claim_sync_beside(claim) ||
                    error_set(err, ERROR_OUTPUT, "%s: its directory cannot be synced: %s",
                              claim->path, strerror(errno)));
}
