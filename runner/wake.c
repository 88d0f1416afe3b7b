// wake.c: eventfds.
// SPDX-License-Identifier: MIT
#include "runner/wake.h"

#include "jobs/base/die.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

int wake_new(void) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        die("the system gives no more file descriptors: raise 'ulimit -n'");
    return fd;
}

void wake_up(int fd) {
    while (eventfd_write(fd, 1) != 0) {
        if (errno == EAGAIN) // the counter is full: the reader is awake anyway
            return;
        if (errno != EINTR)
            die("a thread cannot be woken: %s", strerror(errno));
    }
}
