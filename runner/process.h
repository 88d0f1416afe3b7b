// What the process as a whole needs before anything else happens.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_PROCESS_H
#define RUNNER_PROCESS_H

// Call first in main, before threads start:
// - standard input, output and error are open (else to /dev/null), so that no file of ours becomes
// one
// - no core file and no debugger of the same user: memory holds secrets (not in sanitizer builds,
//   whose leak checker is such a debugger)
// - a closed pipe is an error of write(), not the end
// - as many open files as the system allows, up to a million
// - a few megabytes of freed memory are kept for the next request
void process_prepare(void);

// SIGINT and SIGTERM, and SIGHUP unless it is ignored, end the process at once with exit code 130: for
// the time in which nothing is in flight yet, and reading can take long.
void process_end_on_signals(void);

#endif
