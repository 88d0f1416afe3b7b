// A queue of jobs, or of errands, between threads. It takes ownership, and never blocks the one who pushes.
//
// There are never more jobs than credits, so there is always room. The consumer is woken through an
// eventfd (a loop, which sleeps in epoll) or a condition (a thread with nothing else to do), and only
// when it sleeps. The lock is held for a few pointer moves: what is taken is detached under it and
// worked on outside. No thread holds two locks.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_QUEUE_H
#define RUNNER_QUEUE_H

#include "jobs/job.h"

#include <pthread.h>
#include <stdint.h>

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t ready;
    struct list jobs;
    bool closed; // nothing more will be pushed
    bool asleep; // the consumer wants to be woken
    int wake_fd; // -1: wake through `ready`
};

void queue_init(struct queue *q, int wake_fd);
void queue_free(struct queue *q);

// Hands the jobs over, all that are in the list, in order: on return they are the queue's, then the
// consumer's, and the list is empty. An empty list is fine.
void queue_push(struct queue *q, struct list *jobs);

// Nothing more will come. Wakes the consumer.
void queue_close(struct queue *q);

// Moves all jobs that are there to the end of `into`; never waits. False when nothing will come after
// these. What is pushed later wakes the consumer.
bool queue_take(struct queue *q, struct list *into);

// The same, but waits until there is something, or for the time `until` (monotonic; TIME_NEVER). For
// consumers without an eventfd.
bool queue_wait(struct queue *q, struct list *into, int64_t until);

#endif
