// wake.c: eventfds.
// SPDX-License-Identifier: MIT
#include "runner/wake.h"

#include "jobs/base/die.h"

#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int wake_new(void) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        die("the system gives no more file descriptors: raise 'ulimit -n'");
    return fd;
}

void wake_up(int fd) {
    uint64_t one = 1;
    // fails only when the counter is full, and then the reader is awake anyway
    if (write(fd, &one, sizeof one) < 0)
        return;
}
