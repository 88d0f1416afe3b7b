// One budget that a provider announces: our model of the bucket it keeps.
//
// The model counts what we take and refills as theirs does. An announcement was made at some moment
// between sending and answer, not knowing what was sent since: it gives the least and the most that
// can be left now. What lies between is kept, for our own count is finer; what does not is moved to
// the nearest bound. So changed limits and other users of the account are followed.
// Pure; a zero-initialised budget knows nothing and stops nothing.
// SPDX-License-Identifier: MIT
#ifndef POOL_LIMITS_BUDGET_H
#define POOL_LIMITS_BUDGET_H

#include "pool/limits/announced.h"

#include <stdint.h>

// Not announced again for so long, it is forgotten: 10 minutes.
#define BUDGET_FORGOTTEN_AFTER (600 * INT64_C(1000000))

#define BUDGET_RATES 3

struct budget {
    int64_t limit;                  // of a period, and as a rule what it holds; 0: nothing known
    double holds;                   // what it seems to hold if that is less; 0: not known
    struct announced_limit fullest; // the announcement with the most left
    bool has_slope;                 // two announcements showed the refill
    double level;                   // left at `at`; below 0 after a cost that was underestimated
    double rate;                    // refill a microsecond
    double others;                  // what other users of the account seem to take of that
    int64_t at;                     // monotonic
    int64_t heard_at;               // when it was last announced
    double rates[BUDGET_RATES];     // the latest that announcements showed, newest first; 0: none
};

// A sight of it: what was announced to a request of ours, and what we know about that moment.
struct sight {
    const struct announced_limit *said;
    int64_t period;  // microseconds in which `limit` refills, unless the announcement shows another
    int64_t sent_at; // of the request it was announced to
    int64_t taken_since; // from this budget, after that request and without it
};

// Limits of 0 and below are no announcement.
void budget_observe(struct budget *b, const struct sight *sight, int64_t now);

// now if there is enough, else when there will be. More than the limit waits for a full bucket.
int64_t budget_ready_at(const struct budget *b, int64_t amount, int64_t now);

// Takes an amount, or gives a negative one back.
void budget_take(struct budget *b, int64_t amount, int64_t now);

#endif
