// What goes wrong, how often, and on which keys.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_SIMULATE_FAULT_H
#define RUNNER_SIMULATE_FAULT_H

#include "jobs/base/error.h"
#include "jobs/base/random.h"
#include "jobs/base/slice.h"

enum fault {
    FAULT_NONE,
    FAULT_429,
    FAULT_500,
    FAULT_503,
    FAULT_401,
    FAULT_RESET,     // the connection is reset instead of an answer
    FAULT_TRUNCATED, // the connection ends in the middle of the answer
    FAULT_SLOW,      // the answer drips over three seconds; it is whole
    FAULT_MALFORMED, // half the JSON, with status 200
    FAULT_HTML,      // a page, with status 200
    FAULT_EMPTY,     // no body, with status 200
    FAULT_529,
    FAULT_QUOTA,        // the account is empty
    FAULT_DAY,          // the day's quota is used up
    FAULT_OVERLOADED,   // the provider is, in its own status
    FAULT_MODEL,        // the account has not this model
    FAULT_FORBIDDEN,    // 403
    FAULT_STREAM_ERROR, // an error in the middle of a stream; in place of a plain answer, with 200
    FAULT_STALL,        // the answer stops in the middle and the connection stays open
    FAULT_HANG,         // no answer; the connection stays open
    FAULT_COUNT
};

// By its name in --fault: "429", "stream-error"; FAULT_NONE when there is none.
enum fault fault_named(struct slice name);

// Whether it breaks a good answer, and so needs one; others stand in place of it.
bool fault_needs_answer(enum fault fault);

// ", "-separated names for an error message; all of them, or those that need no answer. Static.
const char *fault_names(bool all);

// Rates as steps on [0, 1): fault f is drawn between until[f - 1] and until[f].
struct fault_rates {
    double until[FAULT_COUNT];
    bool any;
};

// The next item of a comma-separated list, trimmed; false at its end.
bool fault_next_item(struct slice *list, struct slice *item);

// Key numbers: "2", "1,3,10-20".
#define KEY_RANGES_MAX 64
struct key_ranges {
    int64_t first[KEY_RANGES_MAX], last[KEY_RANGES_MAX];
    int count;
};

// "429=5%,500=0.01,reset=1%": rates in percent or as parts of one, 100% together at most. NULL: none.
bool fault_rates_parse(const char *text, struct fault_rates *rates, struct error *err);

enum fault fault_draw(const struct fault_rates *rates, struct random *random);

// NULL: no ranges. option is named in the error.
bool key_ranges_parse(const char *text, const char *option, struct key_ranges *ranges,
                      struct error *err);
bool key_ranges_hold(const struct key_ranges *ranges, int64_t key);

#endif
