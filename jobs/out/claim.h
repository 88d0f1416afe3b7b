// The results file as a thing on disk: opened, locked against a second run, replaced as a whole.
//
// The lock is flock() on the file itself, so that nothing is left lying about. A replacement is
// locked before it takes the file's name, and whoever has just locked a file looks whether the name
// still means that file: a second run therefore meets either the old file, locked, or the new one,
// locked, and never one that is on its way out.
//
// The caller: claim_open(); perhaps claim_aside(), fill it, then claim_swap() or claim_discard();
// claim_close().
// SPDX-License-Identifier: MIT
#ifndef JOBS_OUT_CLAIM_H
#define JOBS_OUT_CLAIM_H

#include "jobs/base/error.h"

// The message when another run holds a lock; with the name of the file.
#define CLAIM_OTHER_RUN                                                                            \
    "%s: another run is writing to it; wait for that one to end, or choose another file with -o"

struct claim {
    int fd;
    char *path;   // with symbolic links followed: where a replacement goes
    char *aside;  // the name of the replacement being written beside it
    bool regular; // false: a FIFO or a character device, which is only written to
    bool created; // it was not there before
};

// What is to blame for an errno of opening or creating a file: the command line, or the disk.
enum error_class claim_error_class(int code);

// Opens path for reading and appending (a FIFO or character device: for writing) and locks it.
bool claim_open(struct claim *claim, const char *path, struct error *err);

// Removes the file again if claim_open() made it and it holds nothing; to be closed then.
void claim_undo(const struct claim *claim);

// An empty file beside the claimed one, locked, with its owner and mode. -1: err is filled.
int claim_aside(struct claim *claim, struct error *err);

// Whether the name still means the claimed file: else what is in it may be lost once it is closed.
bool claim_has_name(const struct claim *claim);

// What another program did to the file, in words for a message; NULL while it did nothing. size: the
// bytes that were left in it. NULL too for a FIFO or a device.
const char *claim_touched(const struct claim *claim, int64_t size);

// Gives the file the time of now, for programs that compare it with its sources. Nothing for others.
void claim_renew_time(const struct claim *claim);

// Syncs the replacement, gives it the file's name and goes on with it. A kill at any moment leaves
// the old file or the new one. False: the old one is still there and claimed, the new one is gone; but
// where somebody gave the name to another file, that one stays, and so does the new one.
bool claim_swap(struct claim *claim, int aside_fd, struct error *err);
void claim_discard(struct claim *claim, int aside_fd);

// The name of another file beside it: its own, links followed, and the ending. The caller's to free.
char *claim_name_beside(const struct claim *claim, const char *ending);

// Locks a file beside it. False when another run has it: one whose results were taken from under it.
bool claim_lock_beside(int fd);

// A new file, locked, with the claimed one's owner and mode, to be read and appended to. -1 with errno
// set.
int claim_create_beside(const struct claim *claim, const char *path);

// Puts names beside it that are new, or gone, on the disk. False with errno set.
bool claim_sync_beside(const struct claim *claim);

// Puts the name of a new file on the disk; of one that was there before, it is. False with errno set.
bool claim_sync_name(const struct claim *claim);

// The same for what was written to it. Nothing for a FIFO or a device.
bool claim_sync(const struct claim *claim);

// Closes it, which releases the lock. False with errno set: the system had bad news to the last.
bool claim_close(struct claim *claim);

#endif
