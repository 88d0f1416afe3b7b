// queue.c: hands jobs from one thread to another. Any thread.
// SPDX-License-Identifier: MIT
#include "runner/queue.h"

#include "runner/wake.h"

void queue_init(struct queue *q, int wake_fd) {
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->ready, NULL);
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

bool queue_wait(struct queue *q, struct list *into) {
    pthread_mutex_lock(&q->lock);
    while (list_is_empty(&q->jobs) && !q->closed) {
        q->asleep = true;
        pthread_cond_wait(&q->ready, &q->lock);
    }
    bool more = detach(q, into);
    q->asleep = false;
    pthread_mutex_unlock(&q->lock);
    return more;
}
