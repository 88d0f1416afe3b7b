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
    size_t made, most;
    size_t bytes, bytes_most; // of rows in the house
    size_t line_max, body_max;
    bool stopped;
    bool waiting;
};

struct credits_options {
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

// Pays for the bytes of a row that was just read; waits until there is room. False once stopped (the
// job still goes back with credits_give()).
bool credits_charge(struct credits *c, struct job *job);

// The job is idle: its credit and bytes come back.
void credits_give(struct credits *c, struct job *job);

// Nobody waits any longer.
void credits_stop(struct credits *c);

#endif
