// credits.c: the store of idle jobs, and the bytes they may hold. Reader and writer thread.
// SPDX-License-Identifier: MIT
#include "runner/credits.h"

#include "jobs/base/die.h"
#include "runner/wake.h"

void credits_init(struct credits *c, const struct credits_options *options) {
    *c = (struct credits){.most = options->jobs,
                          .stretched = options->jobs * CREDITS_STRETCH,
                          .bytes_most = options->bytes,
                          .line_max = options->line_max,
                          .body_max = options->body_max,
                          .wake_fd = options->wake_fd};
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

// With the lock held.
static bool may_take(const struct credits *c) {
    return c->made < c->most || c->idle_count > 0;
}

// With the lock held. Woken for every single credit, the reader would cost a thread switch a row; but
// while all the others rest, few may be all that come back.
static bool enough_for_a_reader(const struct credits *c) {
    size_t free = c->most - c->made + c->idle_count;
    size_t enough = c->most / 8 + 24, quarter = (c->most + 3) / 4;
    return free >= (enough < quarter ? enough : quarter) || (c->may_stretch && free > 0);
}

// With the lock held.
static void stretch(struct credits *c) {
    if (c->may_stretch && !may_take(c) && c->most < c->stretched)
        c->most *= 2;
}

struct job *credits_take(struct credits *c) {
    struct job *job = NULL;
    pthread_mutex_lock(&c->lock);
    stretch(c);
    bool wait = !may_take(c);
    while (wait && !c->stopped) {
        c->waiting = true;
        pthread_cond_wait(&c->returned, &c->lock);
        stretch(c);
        wait = !enough_for_a_reader(c);
    }
    c->waiting = false;
    if (c->stopped) {
        pthread_mutex_unlock(&c->lock);
        return NULL;
    }
    struct list *node = list_pop(&c->idle);
    if (node) {
        job = LIST_ENTRY(node, struct job, node);
        c->idle_count--;
    } else {
        c->made++;
    }
    pthread_mutex_unlock(&c->lock);
    return job ? job : job_new(c->line_max, c->body_max);
}

bool credits_are_out(struct credits *c) {
    pthread_mutex_lock(&c->lock);
    bool out = !may_take(c);
    pthread_mutex_unlock(&c->lock);
    return out;
}

bool credits_have_room(struct credits *c, size_t bytes) {
    pthread_mutex_lock(&c->lock);
    bool room = !c->bytes || c->bytes + bytes <= c->bytes_most;
    pthread_mutex_unlock(&c->lock);
    return room;
}

bool credits_charge(struct credits *c, struct job *job) {
    size_t n = job->line.n;
    pthread_mutex_lock(&c->lock);
    while (!c->stopped && c->bytes && c->bytes + n > c->bytes_most) {
        c->waiting_bytes = true;
        pthread_cond_wait(&c->returned, &c->lock);
    }
    c->waiting_bytes = false;
    c->bytes += n;
    job->bytes_credited = n;
    bool running = !c->stopped;
    pthread_mutex_unlock(&c->lock);
    return running;
}

bool credits_charge_reply(struct credits *c, struct job *job) {
    pthread_mutex_lock(&c->lock);
    c->reply_bytes += job->body.n;
    job->reply_credited = job->body.n;
    bool over = c->reply_bytes > c->bytes_most;
    pthread_mutex_unlock(&c->lock);
    return over;
}

bool credits_hold(struct credits *c) {
    pthread_mutex_lock(&c->lock);
    bool over = c->reply_bytes > c->bytes_most;
    c->waiting_loop = over;
    pthread_mutex_unlock(&c->lock);
    return over;
}

// Outside the lock: may give memory back. Returns the bytes that were credited.
static size_t clear_all(struct list *jobs, size_t *count, size_t *reply_bytes) {
    size_t bytes = 0;
    for (struct list *node = jobs->next; node != jobs; node = node->next) {
        struct job *job = LIST_ENTRY(node, struct job, node);
        BUG_IF(job->state != JOB_IDLE);
        bytes += job->bytes_credited;
        *reply_bytes += job->reply_credited;
        ++*count;
        job_clear(job);
    }
    return bytes;
}

void credits_give(struct credits *c, struct list *jobs) {
    size_t count = 0, reply_bytes = 0, bytes = clear_all(jobs, &count, &reply_bytes);
    if (!count)
        return;
    pthread_mutex_lock(&c->lock);
    c->bytes -= bytes;
    c->reply_bytes -= reply_bytes;
    c->idle_count += count;
    list_splice(&c->idle, jobs);
    if (c->waiting_bytes || (c->waiting && enough_for_a_reader(c)))
        pthread_cond_signal(&c->returned);
    bool rouse = c->waiting_loop && c->reply_bytes <= c->bytes_most;
    if (rouse)
        c->waiting_loop = false;
    pthread_mutex_unlock(&c->lock);
    if (rouse)
        wake_up(c->wake_fd);
}

void credits_give_one(struct credits *c, struct job *job) {
    struct list one;
    list_init(&one);
    list_push(&one, &job->node);
    credits_give(c, &one);
}

void credits_may_stretch(struct credits *c, bool may) {
    pthread_mutex_lock(&c->lock);
    c->may_stretch = may;
    if (may && c->waiting)
        pthread_cond_signal(&c->returned);
    pthread_mutex_unlock(&c->lock);
}

void credits_stop(struct credits *c) {
    pthread_mutex_lock(&c->lock);
    c->stopped = true;
    pthread_cond_broadcast(&c->returned);
    pthread_mutex_unlock(&c->lock);
}
