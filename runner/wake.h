// Waking a thread that sleeps in poll or epoll: an eventfd.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_WAKE_H
#define RUNNER_WAKE_H

// A new one, non-blocking; ends the program when the system has none left.
int wake_new(void);

// Any thread, and signal-safe.
void wake_up(int fd);

#endif
