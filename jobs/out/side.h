// A side file: result lines that arrived before their turn (jobs/out/ahead.h), whole ones, appended.
//
// Beside a results file its name is that one's with SIDE_ENDS, of which two are used in turn, and the
// next run takes up what a killed one left there (side_take_in()): whoever holds the lock of the
// results file owns them too. For an output that is no regular file it is a temporary file without a
// name. Any one thread.
// SPDX-License-Identifier: MIT
#ifndef JOBS_OUT_SIDE_H
#define JOBS_OUT_SIDE_H

#include "jobs/out/claim.h"
#include "jobs/out/resume.h"

#define SIDES 2
extern const char *const side_ends[SIDES];

struct side {
    const struct claim *claim; // NULL: without a name
    char *path;
    int fd;
    int64_t size;
    bool unsynced;
    bool unnamed; // its name is not on the disk yet
};

// number: 0 or 1. claim must outlive it; NULL for one without a name.
void side_init(struct side *side, int number, const struct claim *claim);

// Makes the file unless it is there; otherwise the first lines do. False with errno set.
bool side_make(struct side *side);

// Appends whole lines. False with errno set: *written says how many bytes of whole lines arrived.
bool side_append(struct side *side, struct slice lines, size_t *written);

// False with errno set.
bool side_read(const struct side *side, char *p, size_t n, int64_t offset);
bool side_sync(struct side *side);

// Nobody needs its lines any longer: they go, if the system lets them.
void side_empty(struct side *side);

// With `keep` a file that has a name stays for the next run.
void side_close(struct side *side, bool keep);

// Appends the lines of the side files of a killed run, which may be in the results file already, to
// it, and removes them. Refuses one that is not as `how` says. *bytes: how much was added. False: err is
// filled, and what was there is there still.
bool side_take_in(const struct claim *claim, const struct resume_options *how, int64_t whole,
                  int64_t *bytes, struct error *err);

// Removes side files, whatever they hold, for good.
bool side_remove_all(const struct claim *claim, struct error *err);

#endif
