// What the lines of a results file say, block by block in the order of the file, found by several
// threads.
//
// Reading the lines is most of the work of resuming, and no line needs another: so each thread takes the
// oldest block that nobody has looked at, and so does the caller while it waits. Where no thread can
// be started the caller does it all. At most READERS_MOST threads are at it, no more than there are
// processors; a file of a few blocks gets none.
// Memory: a few blocks, and the longest lines of each.
// SPDX-License-Identifier: MIT
#ifndef JOBS_OUT_READERS_H
#define JOBS_OUT_READERS_H

#include "jobs/ids.h"
#include "jobs/out/blocks.h"
#include "jobs/out/line.h"
#include "jobs/out/line_sent.h"

#define READERS_MOST 4

struct readers_options {
    int fd;
    int64_t from; // where to start: at a line
    enum output_format format;
    const struct ids *ids;               // whose keys are wanted; others may be added meanwhile
    const struct run_settings *settings; // of this run; NULL: they do not matter
    const struct sent
        *sent; // says what the `input` of a line asked for; NULL: that does not matter
};

// What one line says. A line about a row that was no good itself has no key.
struct finding {
    struct ids_key key;
    uint64_t sent;
    bool ok;
    bool bad_input;
    unsigned others;          // settings that are not this run's, one bit each
    struct settings settings; // if there are any
    struct slice told;        // their texts, good as long as the block; or SLICE_NONE
};

struct findings {
    struct buf bytes; // whole lines, or with BLOCKS_TORN the piece
    struct finding *lines;
    size_t count;
    size_t room;
    struct slice refused; // the line behind these that is no result, or SLICE_NONE
};

struct readers;

// NULL: the file cannot be read from there, errno says why.
struct readers *readers_start(const struct readers_options *options);

// The next block, good until the next call. All but BLOCKS_LINES is the last.
enum blocks_status readers_next(struct readers *r, const struct findings **findings);

// How long the file was when the reading began; 0 if nobody knows.
int64_t readers_bytes(const struct readers *r);

// Ends the threads; errno stays. NULL is fine.
void readers_stop(struct readers *r);

#endif
