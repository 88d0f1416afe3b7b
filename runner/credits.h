// Credits bound everything: a job exists only while somebody holds its credit.
//
// The reader takes a credit (an idle job to fill) per row, and pays for the row's bytes; the writer
// gives both back. So the number of jobs and the bytes of their rows are bounded whatever the size
// of the input, queues always have room, and the reader is the only thread that ever waits here.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_CREDITS_H
#define RUNNER_CREDITS_H

#include "jobs/job.h"

#include <pthread.h>

struct credits {
    pthread_mutex_t lock;
    pthread_cond_t returned;
    struct list idle;
    size_t made, most, idle_count;
    size_t stretched;   // the most that `most` may become
    size_t bytes;       // of rows in the house
    size_t reply_bytes; // of large replies that wait to be written
    size_t bytes_most;  // of either
    size_t line_max, body_max;
    bool stopped;
    bool may_stretch;
    bool waiting;       // the reader, for a credit
    bool waiting_bytes; // the reader, for bytes
    bool waiting_loop;  // the loop, for bytes: woken through wake_fd
    int wake_fd;
};

struct credits_options {
    int wake_fd;     // wakes the loop, see credits_hold()
    size_t jobs;     // at most so many at a time
    size_t bytes;    // of rows; one row beyond it may still come in, alone
    size_t line_max; // ceilings of each job's buffers
    size_t body_max;
};

void credits_init(struct credits *c, const struct credits_options *options);
// All jobs must have come back.
void credits_free(struct credits *c);

// An idle, cleared job; waits for one. NULL once stopped.
struct job *credits_take(struct credits *c);

// Whether credits_take() would have to wait: the time to hand on what has been gathered.
bool credits_are_out(struct credits *c);

// Whether credits_charge() for so many bytes would not have to wait.
bool credits_have_room(struct credits *c, size_t bytes);

// Pays for the bytes of a row that was just read; waits until there is room. False once stopped (the
// job still goes back with credits_give()).
bool credits_charge(struct credits *c, struct job *job);

// Counts the bytes of a finished job's reply until the job comes back; never waits. True when too many
// are in the house: nothing should be started until credits_hold() says so.
bool credits_charge_reply(struct credits *c, struct job *job);

// Whether that is still so. If it is, wake_fd is written to when it no longer is.
bool credits_hold(struct credits *c);

// The jobs in the list are idle: their credits and bytes come back, and the list is empty. A reader
// that waits is woken when a quarter of all credits is there, so that it has something to do; by the
// first while it may stretch them.
void credits_give(struct credits *c, struct list *jobs);

// The same for one.
void credits_give_one(struct credits *c, struct job *job);

// Whether the reader may make more credits than were agreed on instead of waiting for one: the loop's
// jobs all wait for keys that rest, and others behind them might not have to. Up to CREDITS_STRETCH
// times as many, for good.
#define CREDITS_STRETCH 8
void credits_may_stretch(struct credits *c, bool may);

// Nobody waits any longer.
void credits_stop(struct credits *c);

#endif
