// signal_gate.c: counts a signal that is delivered twice once. Main thread.
// SPDX-License-Identifier: MIT
#include "runner/signal_gate.h"

bool signal_gate_counts(struct signal_gate *gate, int signal, int64_t now) {
    if (signal < 0 || signal >= SIGNAL_GATE_SIGNALS)
        return true;
    int64_t *counted_at = &gate->counted_at[signal];
    if (*counted_at && now - *counted_at < SIGNAL_GATE_SPAN)
        return false;
    *counted_at = now ? now : 1;
    return true;
}
