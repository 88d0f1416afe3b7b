// What the pool remembers between runs, in a file of the user's state directory: what each key has used today
// and in the last minute, which keys rest or are out, until when and why, and totals for statistics.
//
// Keys are known by a keyed hash of their secret; nothing secret is in the file. Runs on one machine share it
// under a lock: each takes over what others used, within a second or two. A run that is killed loses nothing
// that counts for a stated limit: use of such keys is also appended to a small journal as it happens, which
// the next run folds in.
//
//   DIRECTORY/pool.json        what is remembered; written within a second of a change and at the end
//   DIRECTORY/pool.json.lock   held while it is read and written
//   DIRECTORY/use-*.log        journals of runs, locked by them while they run
//
// A file that cannot be read or written is a warning: the run then remembers nothing, or no more.
// On the thread that owns the pool; open and close on the main thread, before and after it runs.
// SPDX-License-Identifier: MIT
#ifndef POOL_MEMORY_H
#define POOL_MEMORY_H

#include "pool/pool.h"

struct memory;

struct memory_options {
    const char *directory; // made when it is not there
    struct pool *pool;     // borrowed

    // The address that a key's requests go to: a key that one server does not accept may be good at another.
    const char *(*base_url)(const void *context, const struct provider *provider);
    const void *context;
    bool
        use_only; // the provider begins anew with each run (the simulator inside the process): rests are
                  // neither kept nor taken over
};

// $XDG_STATE_HOME/batch-run, else ~/.local/state/batch-run (XDG Base Directory Specification). NULL: neither
// variable holds a path. The caller's to free.
char *memory_directory(void);

// Takes over what was remembered. NULL is fine for the functions below.
struct memory *memory_open(const struct memory_options *options, int64_t now, int64_t now_wall);

// Saves when it is time. Returns when to call it again, TIME_NEVER: after the next use.
int64_t memory_turn(struct memory *m, int64_t now, int64_t now_wall);

// Saves and frees.
void memory_close(struct memory *m, int64_t now, int64_t now_wall);

#endif
