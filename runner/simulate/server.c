// server.c: the simulator's thread: sockets by libmicrohttpd, and answers that wait without
// costing.
//
// One thread does it all (libmicrohttpd in external polling mode): so a waiting answer is a
// suspended connection and a timer in a heap, waking it needs no other thread, and only the ledger
// is locked. libmicrohttpd looks at every suspended connection when any is resumed; so answers that
// fall due close together are resumed together, the closer the fewer are waiting (release_due).
// SPDX-License-Identifier: MIT
#include "runner/simulate/simulate.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "runner/simulate/exchange.h"
#include "runner/wake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define CONNECTIONS_MAX  65536
#define SPARE_FILES      64 // descriptors that are not connections
#define BACKLOG          8192
#define WAITING_PER_USEC 10 // waiting connections that justify a microsecond between two releases
#define TABLE_ROWS       40

// -- the thread --

// Resumes what is due. A resume costs time in proportion to all that wait: so the next one comes no
// sooner than that is small change (1 ms with ten thousand waiting, 1 µs with ten).
static bool release_due(struct simulator *s, int64_t now) {
    if (now < s->next_release)
        return false;
    struct heap_node *node = heap_pop_due(&s->waiting, now);
    if (!node)
        return false;
    for (; node; node = heap_pop_due(&s->waiting, now))
        exchange_resume(HEAP_ENTRY(node, struct exchange, timer));
    s->next_release = now + (int64_t)(s->waiting.count / WAITING_PER_USEC);
    return true;
}

// Sleeps until a socket is ready, an answer is due, or it is time to stop.
static void sleep_until_needed(struct simulator *s) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    struct pollfd fds[] = {{info->epoll_fd, POLLIN, 0}, {s->stop_fd, POLLIN, 0}};
    struct heap_node *first = heap_first(&s->waiting);
    MHD_UNSIGNED_LONG_LONG pending;
    if (MHD_get_timeout(s->daemon, &pending) == MHD_YES && pending == 0)
        return;
    if (!first) {
        ppoll(fds, 2, NULL, NULL);
        return;
    }
    int64_t due = first->due > s->next_release ? first->due : s->next_release;
    int64_t left = due - clock_now();
    if (left > 0)
        ppoll(fds, 2, &(struct timespec){left / USEC_PER_SEC, left % USEC_PER_SEC * 1000}, NULL);
}

static void release_all(struct simulator *s) {
    struct heap_node *node;
    while ((node = heap_pop_due(&s->waiting, TIME_NEVER)))
        exchange_resume(HEAP_ENTRY(node, struct exchange, timer));
}

static void *serve(void *context) {
    struct simulator *s = context;
    prctl(PR_SET_NAME, "simulate");
    prctl(PR_SET_TIMERSLACK, 1UL); // else the kernel may add 50 µs to each latency
    while (!atomic_load_explicit(&s->stopping, memory_order_acquire)) {
        MHD_run(s->daemon);
        if (!release_due(s, clock_now()))
            sleep_until_needed(s);
    }
    release_all(s);
    MHD_run(s->daemon);
    MHD_stop_daemon(s->daemon);
    return NULL;
}

// -- start and stop --

// As many connections as the system lets this process have.
static unsigned raise_file_limit(void) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return 1024 - SPARE_FILES;
    rlim_t wanted = CONNECTIONS_MAX * 2 + SPARE_FILES; // both ends, when they are in one process
    if (files.rlim_max != RLIM_INFINITY && wanted > files.rlim_max)
        wanted = files.rlim_max;
    if (files.rlim_cur < wanted) {
        files.rlim_cur = wanted;
        setrlimit(RLIMIT_NOFILE, &files);
        getrlimit(RLIMIT_NOFILE, &files);
    }
    rlim_t room = files.rlim_cur > 2 * SPARE_FILES ? files.rlim_cur - SPARE_FILES : SPARE_FILES;
    return room < CONNECTIONS_MAX ? (unsigned)room : CONNECTIONS_MAX;
}

static bool start_daemon(struct simulator *s, int64_t port, struct error *err) {
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    errno = 0;
    s->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_TURBO | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_SUPPRESS_DATE_NO_CLOCK,
        0, NULL, NULL, exchange_on_request, s,                   //
        MHD_OPTION_SOCK_ADDR, &address,                          //
        MHD_OPTION_CONNECTION_LIMIT, raise_file_limit(),         //
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, EXCHANGE_MEMORY,     //
        MHD_OPTION_CONNECTION_TIMEOUT, 0u,                       //
        MHD_OPTION_LISTEN_BACKLOG_SIZE, (unsigned)BACKLOG,       //
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,                    // its thread takes no signals
        MHD_OPTION_NOTIFY_COMPLETED, exchange_on_completed, s,   //
        MHD_OPTION_NOTIFY_CONNECTION, exchange_on_connection, s, //
        MHD_OPTION_END);
    if (!s->daemon)
        return error_set(err, ERROR_USAGE,
                         "--port %d: the simulator cannot listen on 127.0.0.1 (%s); 0 takes any "
                         "free port",
                         (int)port, errno ? strerror(errno) : "refused by libmicrohttpd");
    s->port = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    return true;
}

static bool start_thread(struct simulator *s, struct error *err) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&s->thread, NULL, serve, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return !failed || error_set(err, ERROR_USAGE, "the simulator's thread cannot be started: %s",
                                strerror(failed));
}

static void simulator_free(struct simulator *s) {
    answerer_free(&s->answerer);
    heap_free(&s->waiting);
    if (s->stop_fd >= 0)
        close(s->stop_fd);
    free(s);
}

struct simulator *simulate_start(const struct simulate_options *options, struct error *err) {
    struct simulator *s = mem_zero(1, sizeof *s);
    s->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (options->port < 0 || options->port > 65535) {
        error_set(err, ERROR_USAGE, "--port: expected a number from 0 (any) to 65535");
    } else if (s->stop_fd < 0) {
        error_set(err, ERROR_USAGE, "the simulator cannot start: %s", strerror(errno));
    } else if (answerer_init(&s->answerer, options, clock_now(), err) &&
               start_daemon(s, options->port, err)) {
        if (start_thread(s, err))
            return s;
        MHD_stop_daemon(s->daemon);
    }
    simulator_free(s);
    return NULL;
}

int simulate_port(const struct simulator *s) {
    return s->port;
}

void simulate_key(int n, struct buf *out) {
    ledger_add_secret(n, out);
}

void simulate_stats(struct simulator *s, struct buf *out) {
    ledger_stats(s->answerer.ledger, out);
}

void simulate_table(struct simulator *s, struct buf *out) {
    ledger_table(s->answerer.ledger, TABLE_ROWS, out);
}

void simulate_stop(struct simulator *s) {
    if (!s)
        return;
    atomic_store_explicit(&s->stopping, true, memory_order_release);
    wake_up(s->stop_fd);
    pthread_join(s->thread, NULL);
    simulator_free(s);
}
