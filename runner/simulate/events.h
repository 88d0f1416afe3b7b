// The form of server-sent events on each wire, as far as the simulator breaks streams off or puts
// errors into them. Pure.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_SIMULATE_EVENTS_H
#define RUNNER_SIMULATE_EVENTS_H

#include "pool/wire/wire.h"
#include "runner/simulate/dialect.h"

struct event_form {
    const struct wire *wire;
    const struct dialect *errors; // in whose words clients of this wire know an error
    bool strict;                  // and in no other's
    const char *error;            // what stands before an error's body
    const char *end;              // what stands behind an event
    int head, tail;               // events before the first word of an answer, and behind its last
    bool usage_apart;             // usage, where it was asked for, is one more of them
};

const struct event_form *events_form(const struct wire *wire);

// The end of the first event that ends at or behind `from`; bytes.n when none does.
size_t events_end(const struct event_form *form, struct slice bytes, size_t from);

// The end of an event by which about half of the answer has come, a word of it at least, and its end
// has not; 0 where a single event says it all.
size_t events_middle(const struct event_form *form, struct slice bytes, bool usage);

// Appends an error's body as it stands in a stream: the dialect's, where a client can tell it from
// an answer, else the wire's own.
void events_add_error(const struct event_form *form, const struct dialect *dialect,
                      struct slice model, struct buf *out);

#endif
