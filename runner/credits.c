// credits.c: the store of idle jobs, and the bytes they may hold. Reader and writer thread.
// SPDX-License-Identifier: MIT
#include "runner/credits.h"

#include "jobs/base/die.h"

void credits_init(struct credits *c, const struct credits_options *options) {
    *c = (struct credits){.most = options->jobs,
                          .bytes_most = options->bytes,
                          .line_max = options->line_max,
                          .body_max = options->body_max};
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->returned, NULL);
    list_init(&c->idle);
}

void credits_free(struct credits *c) {
    struct list *node;
    size_t freed = 0;
    while ((node = list_pop(&c->idle))) {
        job_free(LIST_ENTRY(node, struct job, node));
        freed++;
    }
    BUG_IF(freed != c->made); // a job got lost
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->returned);
}

struct job *credits_take(struct credits *c) {
    struct job *job = NULL;
    pthread_mutex_lock(&c->lock);
    while (!c->stopped && list_is_empty(&c->idle) && c->made == c->most) {
        c->waiting = true;
        pthread_cond_wait(&c->returned, &c->lock);
    }
    c->waiting = false;
    if (c->stopped) {
        pthread_mutex_unlock(&c->lock);
        return NULL;
    }
    struct list *node = list_pop(&c->idle);
    if (node)
        job = LIST_ENTRY(node, struct job, node);
    else
        c->made++;
    pthread_mutex_unlock(&c->lock);
    return job ? job : job_new(c->line_max, c->body_max);
}


bool credits_charge(struct credits *c, struct job *job) {
    size_t n = job->line.n;
    pthread_mutex_lock(&c->lock);
    while (!c->stopped && c->bytes && c->bytes + n > c->bytes_most) {
        c->waiting = true;
        pthread_cond_wait(&c->returned, &c->lock);
    }
    c->waiting = false;
    c->bytes += n;
    job->bytes_credited = n;
    bool running = !c->stopped;
    pthread_mutex_unlock(&c->lock);
    return running;
}

void credits_give(struct credits *c, struct job *job) {
    size_t bytes = job->bytes_credited;
    job_clear(job); // outside the lock: may give memory back
    pthread_mutex_lock(&c->lock);
    c->bytes -= bytes;
    list_push(&c->idle, &job->node);
    if (c->waiting)
        pthread_cond_signal(&c->returned);
    pthread_mutex_unlock(&c->lock);
}

void credits_stop(struct credits *c) {
    pthread_mutex_lock(&c->lock);
    c->stopped = true;
    pthread_cond_broadcast(&c->returned);
    pthread_mutex_unlock(&c->lock);
}
