// What the loop waits for, worked out from lanes, keys and what providers answered last. Loop thread.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_STANDSTILL_H
#define RUNNER_STANDSTILL_H

#include "pool/signals/signals.h"
#include "runner/why.h"

struct loop;
struct plan;
struct route;

// Since when a provider has done nothing but fail, and how.
struct trouble {
    int64_t since; // monotonic; 0: it has not
    int http_status;
    char words[WHY_WORDS_MAX];
};

struct standstill {
    const struct plan *plan;
    struct trouble *troubles; // as plan->routes
    struct why_note note;     // said last
    int64_t due;              // when it is to be worked out again
};

void standstill_init(struct standstill *s, const struct plan *plan);
void standstill_free(struct standstill *s);

// What came of a request there.
void standstill_heard(struct standstill *s, const struct route *route,
                      const struct verdict *verdict, int http_status, int64_t now);

// Before the loop sleeps. Costs next to nothing while requests are in flight.
void standstill_look(struct standstill *s, struct loop *l);

#endif
