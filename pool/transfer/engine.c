// engine.c: lanes of libcurl transfers on one epoll. Owned by one thread.
// SPDX-License-Identifier: MIT
#include "pool/transfer/engine.h"

#include "jobs/base/bits.h"
#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "jobs/base/heap.h"
#include "jobs/base/log.h"
#include "pool/transfer/blocks.h"
#include "pool/transfer/easy.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

// libcurl walks a multi's connections for every request: the fewer there are, the better, but a multi
// takes some 40 KB and two descriptors. So the first lanes are small, and those that thousands of
// requests need are not. With TLS each multi reads the trusted certificates once, 20 ms; and 100 are
// what most servers let share an HTTP/2 connection.
#define LANE_FIRST  8
#define LANE_MORE   16
#define LANE_LATER  64
#define LANE_TLS    100
#define LANES_FIRST 16 // so many of 8, and then
#define LANES_MORE  64 // so many of 16
#define LANES_MAX   4096

// What they touch stays in the processor's cache until the next requests go out on their connections.
#define EVENTS_AT_ONCE 32
// What is read at a time takes memory while a request waits: less of it when thousands do.
static const struct {
    size_t transfers; // the first so many of an engine
    size_t bytes;
} buffers[] = {{256, 16 * 1024}, {1024, 2 * 1024}, {SIZE_MAX, 1024 + 1}};

// While something is in flight the thread runs once in so long; twice that without a turn, and it was
// kept from it.
#define TURN USEC_PER_SEC

// How often a thread that has more events all the time looks at who is late.
#define LOOK_EVERY (100 * USEC_PER_MS)

// How often descriptors are looked at that epoll does not take.
#define UNWATCHED_PAUSE (10 * USEC_PER_MS)

struct lane {
    struct engine *engine;
    CURLM *multi;
    struct heap_node timer; // when libcurl wants to be called
    struct list idle;       // transfers in nobody's hands
    size_t made;            // transfers that exist
    size_t most;            // that may
    size_t place;
};

// What epoll knows of a descriptor. It is kept registered after libcurl has lost interest, since the
// next request on the connection brings it back: two system calls a request saved.
struct watch {
    struct lane *lane;
    uint32_t registered; // EPOLLIN | EPOLLOUT, 0: not in epoll
    uint32_t wanted;
};

struct engine {
    struct easy_settings settings;
    struct addresses addresses;
    int epoll;
    int wake_fd;
    bool coarse;    // only milliseconds to be had
    bool tls;       // some requests go over it
    bool unwatched; // epoll has refused a descriptor that libcurl wants to know about
    struct lane *lanes[LANES_MAX];
    size_t lane_count;
    size_t made;           // transfers that exist
    struct bits with_room; // lanes that have an idle transfer or may make one
    struct heap due;       // lanes by timer
    struct heap started;   // transfers by when, in engine time, they are looked at: too long?
    int64_t seen;          // monotonic, when this thread last ran
    int64_t looked;        // the same, when it last looked at who is late
    int64_t lost;          // microseconds it was kept from running
    struct list done;
    struct watch *watches; // by descriptor
    size_t watch_count;
};

bool engine_global_init(struct error *err) {
    if (blocks_global_init())
        return true;
    return error_set(err, ERROR_USAGE, "libcurl could not be started");
}

// A multi that ran out of memory is not to be used again: it would wait for ever, or worse.
static void check(CURLMcode code) {
    if (code != CURLM_OK)
        die("libcurl cannot go on: %s; what is written stays, run again to continue",
            curl_multi_strerror(code));
}

static struct watch *watch_of(struct engine *e, curl_socket_t fd) {
    size_t need = (size_t)fd + 1;
    if (need > e->watch_count) {
        size_t count = e->watch_count ? e->watch_count : 64;
        while (count < need)
            count *= 2;
        e->watches = mem_resize(e->watches, count * sizeof *e->watches);
        memset(e->watches + e->watch_count, 0, (count - e->watch_count) * sizeof *e->watches);
        e->watch_count = count;
    }
    return &e->watches[fd];
}

static void register_watch(struct engine *e, curl_socket_t fd, struct watch *w, uint32_t events) {
    struct epoll_event event = {.events = events, .data.fd = fd};
    int op = w->registered ? events ? EPOLL_CTL_MOD : EPOLL_CTL_DEL : EPOLL_CTL_ADD;
    bool good = epoll_ctl(e->epoll, op, fd, &event) == 0;
    if (!good && errno == ENOENT)
        good = epoll_ctl(e->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
    else if (!good && errno == EEXIST)
        good = epoll_ctl(e->epoll, EPOLL_CTL_MOD, fd, &event) == 0;
    if (good)
        w->registered = events;
    else
        e->unwatched = true;
}

// libcurl says what it wants to know of a descriptor.
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *unused) {
    (void)easy;
    (void)unused;
    struct lane *lane = context;
    struct watch *w = watch_of(lane->engine, fd);
    w->lane = lane;
    w->wanted = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
    if (what == CURL_POLL_REMOVE) {
        w->wanted = 0; // stays registered for reading until an event proves nobody cares
        return 0;
    }
    if (w->wanted != w->registered)
        register_watch(lane->engine, fd, w, w->wanted);
    return 0;
}

// A closed descriptor leaves epoll by itself; its number may come back as another connection.
static int on_close(void *context, curl_socket_t fd) {
    struct engine *e = context;
    if ((size_t)fd < e->watch_count)
        e->watches[fd] = (struct watch){0};
    return close(fd);
}

static int on_timer(CURLM *multi, long ms, void *context) {
    (void)multi;
    struct lane *lane = context;
    if (ms < 0)
        heap_remove(&lane->engine->due, &lane->timer);
    else // from this moment: called too early, libcurl would set it again and again until the time has come
        heap_set(&lane->engine->due, &lane->timer, ms ? clock_now() + ms * USEC_PER_MS : 0);
    return 0;
}

static size_t buffer_size(const struct engine *e) {
    size_t i = 0;
    while (e->made >= buffers[i].transfers)
        i++;
    return buffers[i].bytes;
}

static size_t lane_size(const struct engine *e, size_t place) {
    if (e->tls)
        return LANE_TLS;
    if (place < LANES_FIRST)
        return LANE_FIRST;
    return place < LANES_FIRST + LANES_MORE ? LANE_MORE : LANE_LATER;
}

// Each lane has two to be woken by; those of few transfers come first.
size_t engine_descriptors(size_t transfers) {
    return 2 * (transfers / LANE_FIRST + 1) + 1;
}

static struct lane *lane_new(struct engine *e) {
    if (e->lane_count == LANES_MAX)
        die("more than %zu requests in flight at once", e->made);
    struct lane *lane = mem_zero(1, sizeof *lane);
    lane->engine = e;
    lane->place = e->lane_count;
    lane->most = lane_size(e, lane->place);
    list_init(&lane->idle);
    lane->multi = curl_multi_init();
    if (!lane->multi)
        die("libcurl gives no multi handle: out of memory");
    curl_multi_setopt(lane->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(lane->multi, CURLMOPT_SOCKETDATA, lane);
    curl_multi_setopt(lane->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(lane->multi, CURLMOPT_TIMERDATA, lane);
    // fewer would close connections that the next request wants, be it to another host
    curl_multi_setopt(lane->multi, CURLMOPT_MAXCONNECTS,
                      (long)(lane->most * e->settings.options.hosts));
    e->lanes[e->lane_count++] = lane;
    bits_set(&e->with_room, lane->place);
    return lane;
}

struct engine *engine_open(const struct engine_options *options, struct error *err) {
    struct engine *e = mem_zero(1, sizeof *e);
    e->settings = (struct easy_settings){.options = *options, .on_close = on_close, .context = e};
    e->settings.options.no_proxy |= !easy_wants_proxy();
    e->settings.options.hosts += !options->hosts;
    e->settings.share = easy_new_share();
    e->wake_fd = options->wake_fd;
    e->seen = clock_now();
    e->tls = options->tls;
    list_init(&e->done);
    addresses_init(&e->addresses, !e->settings.options.no_proxy);
    bits_init(&e->with_room, LANES_MAX);
    e->epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = e->wake_fd};
    if (e->epoll < 0 || epoll_ctl(e->epoll, EPOLL_CTL_ADD, e->wake_fd, &event) != 0) {
        error_set(err, ERROR_USAGE, "the system gives no epoll: %s", strerror(errno));
    } else if (easy_find_trust(&e->settings, err)) {
        return e;
    }
    engine_close(e);
    return NULL;
}

static void lane_free(struct lane *lane) {
    struct list *node;
    while ((node = list_pop(&lane->idle)))
        easy_free_transfer(LIST_ENTRY(node, struct transfer, node));
    curl_multi_cleanup(lane->multi);
    heap_remove(&lane->engine->due, &lane->timer);
    free(lane);
}

void engine_close(struct engine *e) {
    if (!e)
        return;
    for (size_t i = 0; i < e->lane_count; i++)
        lane_free(e->lanes[i]);
    addresses_free(&e->addresses);
    heap_free(&e->due);
    heap_free(&e->started);
    bits_free(&e->with_room);
    free(e->watches);
    curl_share_cleanup(e->settings.share);
    if (e->epoll >= 0)
        close(e->epoll);
    free(e);
}

struct transfer *engine_take(struct engine *e) {
    size_t place = bits_next(&e->with_room, 0);
    struct lane *lane = place == BITS_NONE ? lane_new(e) : e->lanes[place];
    struct list *node = list_pop(&lane->idle);
    if (!node) {
        struct transfer *fresh = easy_new_transfer(&e->settings, buffer_size(e));
        fresh->lane = lane;
        lane->made++;
        e->made++;
        node = &fresh->node;
    }
    if (list_is_empty(&lane->idle) && lane->made == lane->most)
        bits_clear(&e->with_room, lane->place);
    struct transfer *t = LIST_ENTRY(node, struct transfer, node);
    buf_clear(&t->url);
    buf_clear(&t->body);
    t->idempotency_key[0] = '\0';
    t->on_events = NULL;
    t->events_context = NULL;
    t->stall_timeout = t->delay = 0;
    t->get = false;
    return t;
}

static void begin(struct engine *e, struct transfer *t) {
    t->delay = 0;
    check(curl_multi_add_handle(t->lane->multi, t->easy));
    heap_set(&e->started, &t->timer, t->end_at);
}

bool engine_start(struct engine *e, struct transfer *t) {
    if (!easy_prepare(t, &e->addresses))
        return false;
    t->started = clock_now();
    t->end_at = t->started - e->lost + t->timeout;
    if (t->delay)
        heap_set(&e->started, &t->timer, t->started - e->lost + t->delay);
    else
        begin(e, t);
    return true;
}

// Said once: a server may have it or not, and every answer would say so.
static void note_version(struct engine *e, struct transfer *t) {
    if (e->settings.options.http != HTTP_2 || t->status != TRANSFER_ANSWERED || easy_is_http2(t))
        return;
    log_warn("%s answers over HTTP/1.1: it offers no HTTP/2", buf_cstr(&t->address->text));
    e->settings.options.http = HTTP_AUTO;
}

// What a CURLMsg points to dies when the handle is removed: everything is copied first.
static void collect_done(struct engine *e, struct lane *lane) {
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(lane->multi, &left))) {
        if (message->msg != CURLMSG_DONE)
            continue;
        struct transfer *t = easy_owner(message->easy_handle);
        CURLcode code = message->data.result;
        if (easy_is_refused(t, code)) {
            check(curl_multi_remove_handle(lane->multi, t->easy)); // its time limit runs on
            check(curl_multi_add_handle(lane->multi, t->easy));
            continue;
        }
        easy_finish(t, code);
        note_version(e, t);
        check(curl_multi_remove_handle(lane->multi, t->easy));
        heap_remove(&e->started, &t->timer);
        list_push(&e->done, &t->node);
    }
}

static void run_lane(struct engine *e, struct lane *lane, curl_socket_t fd, int mask) {
    int running;
    check(curl_multi_socket_action(lane->multi, fd, mask, &running));
    collect_done(e, lane);
}

// To a time, once each: libcurl may set a timer to "now" again while it runs.
static void run_due(struct engine *e, int64_t now) {
    struct heap_node *node;
    while ((node = heap_pop_due(&e->due, now)))
        run_lane(e, HEAP_ENTRY(node, struct lane, timer), CURL_SOCKET_TIMEOUT, 0);
}

void engine_look_by(struct transfer *t, int64_t due) {
    if (due < t->timer.due)
        heap_set(&t->lane->engine->started, &t->timer, due);
}

// Ends what takes too long, streams that have been silent for too long, and those that are over but not
// at their end.
static void end_late(struct engine *e) {
    int64_t now = clock_now() - e->lost;
    struct heap_node *node;
    while ((node = heap_pop_due(&e->started, now))) {
        struct transfer *t = HEAP_ENTRY(node, struct transfer, timer);
        int64_t due;
        if (t->delay) {
            begin(e, t);
            continue;
        }
        enum transfer_status status = easy_status_by(t, now, &due);
        if (status == TRANSFER_ANSWERED && !t->over) {
            heap_set(&e->started, node, due);
            continue;
        }
        easy_break_off(t, status);
        check(curl_multi_remove_handle(t->lane->multi, t->easy));
        list_push(&e->done, &t->node);
    }
}

int64_t engine_time(const struct transfer *t) {
    return clock_now() - t->lane->engine->lost;
}

// A process that is stopped, a machine that sleeps: what came meanwhile lies in the sockets, and nobody
// is late before it was looked at.
static void note_turn(struct engine *e) {
    int64_t now = clock_now();
    if (now - e->seen > 2 * TURN)
        e->lost += now - e->seen;
    e->seen = now;
}

static void run_event(struct engine *e, const struct epoll_event *event) {
    curl_socket_t fd = event->data.fd;
    uint64_t count; // if another thread read it, the wake-up has happened all the same
    if (fd == e->wake_fd && read(fd, &count, sizeof count) <= (ssize_t)sizeof count)
        return;
    struct watch *w = watch_of(e, fd);
    if (!w->lane)
        return;
    if (!w->wanted && w->registered) {
        // an idle connection has news (its end, as a rule): libcurl looks when it next wants it
        register_watch(e, fd, w, 0);
        return;
    }
    int mask = (event->events & EPOLLIN ? CURL_CSELECT_IN : 0) |
               (event->events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
               (event->events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
    run_lane(e, w->lane, fd, mask);
}

// What epoll had no memory or no room for, it may have now; until then libcurl looks by itself.
static void watch_again(struct engine *e) {
    e->unwatched = false;
    for (size_t fd = 0; fd < e->watch_count; fd++) {
        struct watch *w = &e->watches[fd];
        if (!w->wanted || w->wanted == w->registered)
            continue;
        register_watch(e, (curl_socket_t)fd, w, w->wanted);
        if (w->wanted != w->registered)
            run_lane(e, w->lane, (curl_socket_t)fd, 0);
    }
}

static int wait_events(struct engine *e, struct epoll_event *events, int64_t until) {
    struct timespec pause, *limit = NULL;
    if (e->unwatched && clock_now() + UNWATCHED_PAUSE < until)
        until = clock_now() + UNWATCHED_PAUSE;
    const struct heap_node *due = heap_first(&e->due), *look = heap_first(&e->started);
    if (due && due->due < until)
        until = due->due;
    if (look && look->due + e->lost < until)
        until = look->due + e->lost;
    if (look && e->seen + TURN < until)
        until = e->seen + TURN;
    if (until != TIME_NEVER) {
        int64_t left = until - clock_now();
        if (left < 0 || !list_is_empty(&e->done))
            left = 0;
        pause = (struct timespec){left / USEC_PER_SEC, left % USEC_PER_SEC * 1000};
        limit = &pause;
    } else if (!list_is_empty(&e->done)) {
        pause = (struct timespec){0, 0};
        limit = &pause;
    }
    if (!e->coarse) {
        int count = epoll_pwait2(e->epoll, events, EVENTS_AT_ONCE, limit, NULL);
        if (count >= 0 || (errno != ENOSYS && errno != EPERM))
            return count;
        e->coarse = true; // a kernel before 5.11, or a sandbox that does not know the call
    }
    int ms = limit ? (int)((pause.tv_sec * 1000) + (pause.tv_nsec + 999999) / 1000000) : -1;
    return epoll_wait(e->epoll, events, EVENTS_AT_ONCE, ms);
}

static int run_events(struct engine *e, int64_t until) {
    struct epoll_event events[EVENTS_AT_ONCE];
    int count = wait_events(e, events, until);
    note_turn(e);
    for (int i = 0; i < count; i++)
        run_event(e, &events[i]);
    return count;
}

bool engine_wait(struct engine *e, int64_t until) {
    note_turn(e);
    run_due(e, e->seen);
    if (e->unwatched)
        watch_again(e);
    int count = run_events(e, until);
    bool any = count > 0, look = e->seen - e->looked >= LOOK_EVERY;
    // what has come is in time: all of it is taken before anybody is called late
    for (size_t n = 0; look && count == EVENTS_AT_ONCE && n <= e->made; n += EVENTS_AT_ONCE)
        count = run_events(e, 0);
    run_due(e, clock_now());
    if (look || count < EVENTS_AT_ONCE) {
        end_late(e);
        e->looked = e->seen;
    }
    return any || !list_is_empty(&e->done);
}

struct transfer *engine_next_done(struct engine *e) {
    struct list *node = list_pop(&e->done);
    return node ? LIST_ENTRY(node, struct transfer, node) : NULL;
}

void engine_give(struct engine *e, struct transfer *t) {
    easy_rest(t);
    list_push(&t->lane->idle, &t->node);
    bits_set(&e->with_room, t->lane->place);
}

void engine_cancel(struct engine *e, struct transfer *t) {
    list_remove(&t->node); // if it was done
    check(curl_multi_remove_handle(t->lane->multi, t->easy));
    heap_remove(&e->started, &t->timer);
    t->status = TRANSFER_NETWORK;
    t->finished = clock_now();
}
