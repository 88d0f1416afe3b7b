// Which signals count: the same one again within half a second is the same wish.
//
// `timeout -s INT` signals its child and then the whole process group, a terminal the group while a
// wrapper passes the signal on: one Ctrl-C arrives twice. Pure;
// safe in a signal handler.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_SIGNAL_GATE_H
#define RUNNER_SIGNAL_GATE_H

#include <stdbool.h>
#include <stdint.h>

#define SIGNAL_GATE_SPAN    INT64_C(500000) // microseconds
#define SIGNAL_GATE_SIGNALS 65

// Zeroed memory has seen none.
struct signal_gate {
    int64_t counted_at[SIGNAL_GATE_SIGNALS]; // monotonic, by number; 0: never
};

// Whether this signal, which arrived at `now` (monotonic microseconds), counts. A repeated one is
// measured from the last that counted, so that pressing on gets through.
bool signal_gate_counts(struct signal_gate *gate, int signal, int64_t now);

#endif
