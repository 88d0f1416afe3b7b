// process.c: hygiene of the process: descriptors, core files, signals, limits. Main thread, at
// start.
// SPDX-License-Identifier: MIT
#include "runner/process.h"

#include "jobs/base/die.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

// Some systems allow thousands of millions, and others walk through all of them when they fork.
#define FILES_MAX 1048576

// libcurl takes its buffers for every request and gives them back after it. With glibc's 128 KB the
// pages would go to the kernel and come back as page faults, one for every third request.
#define KEEP_FREE_BYTES (4 * 1024 * 1024)

static void open_standard_streams(void) {
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
            continue;
        // opened the wrong way round: what uses it fails, as it would have, and cannot be mistaken for
        // an empty input or for results that arrived; its number is the lowest free one
        if (open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
            die("cannot open /dev/null in place of a closed standard stream");
    }
}

static void keep_memory_private(void) {
#ifndef SANITIZED
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    prctl(PR_SET_DUMPABLE, 0);
#endif
}

static void allow_many_files(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    rlim_t wanted = limit.rlim_max < FILES_MAX ? limit.rlim_max : FILES_MAX;
    if (limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = wanted;
    setrlimit(RLIMIT_NOFILE, &limit); // refused: then with as many as there are
}

void process_prepare(void) {
    open_standard_streams();
    keep_memory_private();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); // a file beyond its limit is an error of write()
    allow_many_files();
    mallopt(M_TRIM_THRESHOLD, KEEP_FREE_BYTES);
    mallopt(M_ARENA_MAX, 1); // a thread's own arena grows by a system call every few KB
}

static void end(int signal) {
    (void)signal;
    _exit(130);
}

void process_end_on_signals(void) {
    struct sigaction before, action = {.sa_handler = end};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        sigaction(SIGHUP, &action, NULL);
}
