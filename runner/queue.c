// queue.c: hands jobs from one thread to another. Any thread.
// SPDX-License-Identifier: MIT
#include "runner/queue.h"

#include "jobs/base/clock.h"
#include "runner/wake.h"

#include <errno.h>
#include <time.h>

void queue_init(struct queue *q, int wake_fd) {
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&q->ready, &monotonic);
    pthread_condattr_destroy(&monotonic);
    list_init(&q->jobs);
    q->closed = q->asleep = false;
    q->wake_fd = wake_fd;
}

void queue_free(struct queue *q) {
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->ready);
}

// With the lock held; returns whether the eventfd has to be written once it is not.
static bool rouse(struct queue *q) {
    bool rouse_fd = q->asleep && q->wake_fd >= 0;
    if (q->asleep && q->wake_fd < 0)
        pthread_cond_signal(&q->ready);
    q->asleep = false;
    return rouse_fd;
}

void queue_push(struct queue *q, struct list *jobs) {
    if (list_is_empty(jobs))
        return;
    pthread_mutex_lock(&q->lock);
    list_splice(&q->jobs, jobs);
    bool wake = rouse(q);
    pthread_mutex_unlock(&q->lock);
    if (wake)
        wake_up(q->wake_fd);
}

void queue_close(struct queue *q) {
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    bool wake = rouse(q);
    pthread_mutex_unlock(&q->lock);
    if (wake)
        wake_up(q->wake_fd);
}

// With the lock held. Whoever has taken may go to sleep next, whether there was something or not: it
// is to be woken by what comes after.
static bool detach(struct queue *q, struct list *into) {
    list_splice(into, &q->jobs);
    q->asleep = !q->closed;
    return !q->closed;
}

bool queue_take(struct queue *q, struct list *into) {
    pthread_mutex_lock(&q->lock);
    bool more = detach(q, into);
    pthread_mutex_unlock(&q->lock);
    return more;
}

// With the lock held. False once the time has come.
static bool sleep_until(struct queue *q, int64_t until) {
    q->asleep = true;
    if (until == TIME_NEVER)
        return pthread_cond_wait(&q->ready, &q->lock) == 0;
    // the condition knows no clock that goes on while the machine sleeps
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    int64_t left = until - clock_now();
    int64_t usec = time.tv_nsec / 1000 + (left > 0 ? left : 0);
    time.tv_sec += usec / USEC_PER_SEC;
    time.tv_nsec = usec % USEC_PER_SEC * 1000;
    return pthread_cond_timedwait(&q->ready, &q->lock, &time) != ETIMEDOUT;
}

bool queue_wait(struct queue *q, struct list *into, int64_t until) {
    pthread_mutex_lock(&q->lock);
    while (list_is_empty(&q->jobs) && !q->closed && sleep_until(q, until))
        ;
    bool more = detach(q, into);
    q->asleep = false;
    pthread_mutex_unlock(&q->lock);
    return more;
}
