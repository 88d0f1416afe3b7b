// carrier.c: takes requests through engines: the loop thread's own, and those of further threads.
// SPDX-License-Identifier: MIT
#include "runner/carrier.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "jobs/base/log.h"
#include "pool/pending.h"
#include "pool/transfer/blocks.h"
#include "pool/wire/request_url.h"
#include "runner/wake.h"

#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

// A further one. `outgoing` is the loop's, the engine the thread's own, the queues are between them.
struct carrier {
    pthread_t thread;
    clockid_t clock; // of the CPU that it uses
    struct engine *engine;
    const struct inflight *inflight;
    int wake_fd;
    struct list outgoing; // gathered by the loop, so that they share a wake-up
    struct queue errands, stops;
    struct queue *back, *stopped;
};

// -- one errand; on whichever thread has the engine --

static bool build(struct errand *e, struct transfer *t) {
    const struct provider *provider = e->route->provider;
    struct wire_out out = {.path = &t->url, .body = &t->body};
    enum wire_answer answer =
        request_build(&e->job->request, provider, e->route->base_url, &e->route->defaults, &out);
    e->result->model_sent = out.model;
    e->other_path = out.other_path;
    if (answer != WIRE_OK)
        e->what = out.what;
    return answer == WIRE_OK;
}

// False: it is back already, nothing can be sent.
static bool begin(struct engine *engine, const struct inflight *inflight, struct errand *e) {
    struct transfer *t = engine_take(engine);
    t->owner = e;
    t->auth = e->auth;
    t->reply = e->reply;
    t->timeout = e->timeout;
    bool built = build(e, t);
    if (built && e->keyed)
        inflight_key(inflight, e->job, buf_slice(&t->body), t->idempotency_key);
    if (!built || !engine_start(engine, t)) {
        engine_give(engine, t);
        e->end = ERRAND_UNSENT;
        return false;
    }
    answer_listen(e->stream, e->route->provider->wire, t);
    e->stream->other_path = e->other_path;
    t->stall_timeout = e->stall_timeout;
    e->transfer = t;
    e->started = t->started;
    atomic_store_explicit(&e->begun, true, memory_order_release);
    return true;
}

static void let_go(struct engine *engine, struct errand *e) {
    struct transfer *t = e->transfer;
    e->status = t->status;
    e->http_status = t->http_status;
    e->was_sent = transfer_was_sent(t) || e->polls;
    e->finished = t->finished;
    e->transfer = NULL;
    engine_give(engine, t);
}

// An answer that is to come later is asked for, by the same key, as long as the request has time. True
// when that is under way.
static bool ask_again(struct engine *engine, struct errand *e) {
    struct transfer *t = e->transfer;
    int64_t left = e->started + e->timeout - clock_now();
    bool pending = e->polls ? pending_still(t) : pending_read(t, e->route->base_url, &t->url);
    if (!pending || left <= 0)
        return false;
    t->get = true;
    t->delay = pending_delay(e->polls++);
    t->timeout = left;
    t->idempotency_key[0] = '\0';
    if (!engine_start(engine, t))
        return false;
    t->started = e->started;
    answer_listen(e->stream, e->route->provider->wire, t);
    e->stream->other_path = e->other_path;
    return true;
}

static void bring_home(struct engine *engine, struct errand *e, struct finding *found,
                       int64_t wall) {
    struct answer_context context = {.provider = e->route->provider,
                                     .secrets = e->secrets,
                                     .scratch = e->scratch,
                                     .stream = e->stream,
                                     .now_wall = wall};
    answer_read(e->transfer, &context, e->result, &found->verdict);
    found->announces = answer_limits(e->transfer, &context, &found->announced);
    e->found = found;
    e->end = ERRAND_ANSWERED;
    let_go(engine, e);
}

static void break_off(struct engine *engine, struct errand *e) {
    engine_cancel(engine, e->transfer);
    let_go(engine, e);
}

// -- a further carrier's thread --

// Stops are taken first and worked on last: what they stop was sent before them. False when nothing
// more will come.
static bool take_errands(struct carrier *c, struct list *back) {
    struct list errands, stops, *node;
    list_init(&errands);
    list_init(&stops);
    queue_take(&c->stops, &stops);
    bool more = queue_take(&c->errands, &errands);
    while ((node = list_pop(&errands)))
        if (!begin(c->engine, c->inflight, LIST_ENTRY(node, struct errand, node)))
            list_push(back, node);
    for (node = stops.next; node != &stops; node = node->next) {
        struct errand *e = LIST_ENTRY(node, struct errand, stop_node);
        if (e->transfer)
            break_off(c->engine, e);
    }
    queue_push(c->back, back); // before the word that they are stopped
    queue_push(c->stopped, &stops);
    return more;
}

static void *carrier_main(void *carrier) {
    struct carrier *c = carrier;
    struct transfer *t;
    struct list back;
    list_init(&back);
    blocks_keep(true);
    while (take_errands(c, &back)) {
        engine_wait(c->engine, TIME_NEVER);
        int64_t wall = clock_wall();
        while ((t = engine_next_done(c->engine))) {
            struct errand *e = t->owner;
            if (ask_again(c->engine, e))
                continue;
            bring_home(c->engine, e, mem_resize(NULL, sizeof(struct finding)), wall);
            list_push(&back, &e->node);
        }
        queue_push(c->back, &back);
    }
    engine_close(c->engine);
    blocks_keep(false);
    return NULL;
}

// -- the loop's side --

static void carrier_free(struct carrier *c) {
    queue_free(&c->errands);
    queue_free(&c->stops);
    close(c->wake_fd);
    free(c);
}

static struct carrier *carrier_new(struct carriers *all) {
    struct carrier *c = mem_zero(1, sizeof *c);
    c->inflight = all->inflight;
    c->back = &all->back;
    c->stopped = &all->stopped;
    c->wake_fd = wake_new();
    list_init(&c->outgoing);
    queue_init(&c->errands, c->wake_fd);
    queue_init(&c->stops, c->wake_fd);
    return c;
}

// One that cannot be had is not asked for again: the run goes on with what there is.
static bool start_another(struct carriers *all) {
    struct carrier *c = carrier_new(all);
    struct engine_options options = all->transport;
    struct error err = {0};
    options.wake_fd = c->wake_fd;
    c->engine = engine_open(&options, &err);
    int failure = c->engine ? pthread_create(&c->thread, NULL, carrier_main, c) : 0;
    if (c->engine && !failure) {
        if (pthread_getcpuclockid(c->thread, &c->clock) != 0)
            die("a thread has no clock");
        all->further[all->count++] = c;
        return true;
    }
    log_warn("cannot start another thread: %s; the run goes on with %zu",
             failure ? strerror(failure) : err.text, all->count);
    engine_close(c->engine);
    carrier_free(c);
    all->most = all->count;
    return false;
}

static size_t count_cores(void) {
    cpu_set_t cores;
    return sched_getaffinity(0, sizeof cores, &cores) == 0 ? (size_t)CPU_COUNT(&cores) : 1;
}

void carriers_open(struct carriers *c, const struct carriers_options *options) {
    *c = (struct carriers){.engine = options->engine,
                           .transport = options->transport,
                           .inflight = options->inflight,
                           .count = 1,
                           .most = crew_size(options->threads, count_cores(), options->slots),
                           .is_auto = !options->threads,
                           .watch = CREW_WATCH_BEGIN};
    queue_init(&c->back, options->transport.wake_fd);
    queue_init(&c->stopped, options->transport.wake_fd);
    list_init(&c->arrived);
    list_init(&c->ended);
    queue_take(&c->back, &c->arrived); // what is pushed from now on wakes this thread
    queue_take(&c->stopped, &c->ended);
    while (!c->is_auto && c->count < c->most && start_another(c))
        ;
}

static void forget_last(struct carriers *c) {
    free(c->last);
    c->last = NULL;
}

void carriers_close(struct carriers *c) {
    for (size_t i = 1; i < c->count; i++)
        queue_close(&c->further[i]->errands);
    for (size_t i = 1; i < c->count; i++) {
        pthread_join(c->further[i]->thread, NULL);
        carrier_free(c->further[i]);
    }
    forget_last(c);
    queue_free(&c->back);
    queue_free(&c->stopped);
}

static int64_t cpu_used(clockid_t clock) {
    struct timespec used = {0};
    clock_gettime(clock, &used);
    return used.tv_sec * USEC_PER_SEC + used.tv_nsec / 1000;
}

void carriers_look(struct carriers *c, int64_t now) {
    if (c->most == 1 || !crew_is_due(&c->watch, now))
        return;
    struct crew_work work = {.own = cpu_used(CLOCK_THREAD_CPUTIME_ID), .returned = c->returned};
    for (size_t i = 1; i < c->count; i++)
        work.others += cpu_used(c->further[i]->clock);
    bool is_full = crew_look(&c->watch, now, &work, c->under_way, c->count);
    if (is_full && c->is_auto && c->count < c->most && start_another(c))
        log_info("the threads are busy all the time: there are %zu now", c->count);
}

void carriers_send(struct carriers *c, struct errand *e) {
    e->transfer = NULL;
    e->found = NULL;
    e->what = NULL;
    e->was_sent = e->stopping = false;
    e->polls = 0;
    e->started = e->finished = 0;
    atomic_store_explicit(&e->begun, false, memory_order_relaxed);
    e->carrier = crew_choose(c->under_way, c->count, c->watch.share);
    c->under_way[e->carrier]++;
    if (e->carrier)
        list_push(&c->further[e->carrier]->outgoing, &e->node);
    else if (!begin(c->engine, c->inflight, e))
        list_push(&c->arrived, &e->node);
}

void carriers_stop(struct carriers *c, struct errand *e) {
    e->stopping = true;
    if (!e->carrier) {
        if (e->transfer)
            break_off(c->engine, e);
        list_push(&c->ended, &e->stop_node);
        return;
    }
    struct carrier *its = c->further[e->carrier];
    struct list one;
    list_init(&one);
    list_push(&one, &e->stop_node);
    queue_push(&its->errands, &its->outgoing);
    queue_push(&its->stops, &one);
}

bool carriers_wait(struct carriers *c, int64_t until) {
    for (size_t i = 1; i < c->count; i++)
        queue_push(&c->further[i]->errands, &c->further[i]->outgoing);
    if (!list_is_empty(&c->arrived) || !list_is_empty(&c->ended))
        until = 0;
    bool any = engine_wait(c->engine, until);
    c->wall = clock_wall();
    if (c->count > 1) { // in this order: an errand comes back before the word that it is stopped
        queue_take(&c->stopped, &c->ended);
        queue_take(&c->back, &c->arrived);
    }
    return any || !list_is_empty(&c->arrived) || !list_is_empty(&c->ended);
}

static struct errand *hand_out(struct carriers *c, struct errand *e) {
    c->under_way[e->carrier]--;
    c->returned++;
    return e;
}

struct errand *carriers_next(struct carriers *c) {
    struct transfer *t;
    struct list *node;
    forget_last(c);
    while ((node = list_pop(&c->arrived))) {
        struct errand *e = LIST_ENTRY(node, struct errand, node);
        if (e->carrier)
            c->last = e->found;
        if (!e->stopping)
            return hand_out(c, e);
        forget_last(c);
    }
    while ((t = engine_next_done(c->engine))) {
        struct errand *e = t->owner;
        if (ask_again(c->engine, e))
            continue;
        bring_home(c->engine, e, &c->own, c->wall);
        return hand_out(c, e);
    }
    if (!(node = list_pop(&c->ended)))
        return NULL;
    struct errand *e = LIST_ENTRY(node, struct errand, stop_node);
    e->end = ERRAND_STOPPED;
    e->status = TRANSFER_NETWORK; // what may have come after all does not count
    return hand_out(c, e);
}
