// Again or done: the retry rule, a pure function of an attempt's outcome.
//
// A refusal for rate reasons never uses up a retry: the key cools and the job goes on. What another
// attempt cannot change (the request itself) is never tried again. In between, timeouts, network
// failures, 5xx and unreadable replies are tried max_retries times with exponential backoff and
// full jitter (random between 0 and the doubled base), as in "Exponential Backoff And Jitter",
// AWS Architecture Blog, 2015. Of these a failure uses up a retry only if the provider served other
// requests at the time: in an outage the job waits. Where requests fail by chance, pauses stay short
// for as many failures as chance explains.
// SPDX-License-Identifier: MIT
#ifndef JOBS_RETRY_H
#define JOBS_RETRY_H

#include "jobs/base/random.h"
#include "jobs/outcome.h"

#include <stdbool.h>
#include <stdint.h>

struct retry_policy {
    int max_retries; // attempts beyond the first that may follow failures of the counted kind
    int64_t base;    // microseconds: 0.5 s
    int64_t ceiling; // microseconds: 30 s
};

#define RETRY_DEFAULT ((struct retry_policy){5, 500000, 30000000})

enum retry_answer {
    RETRY_GIVE_UP, // the job is finished with this outcome
    RETRY_OTHER,   // at once, with whatever key the pool gives next; uses up nothing
    RETRY_LATER,   // not before `again_at`; uses up one retry, unless the case is_free
};

struct retry_decision {
    enum retry_answer answer;
    int64_t again_at; // RETRY_LATER only
};

// The longest hint that is believed: a job is not parked for a day because a 503 said so.
#define RETRY_HINT_MOST (300 * INT64_C(1000000))

// The longest pause after a failure that chance explains.
#define RETRY_CHANCE_PAUSE INT64_C(100000)

// The longest hint that is believed in an outage: the provider's breaker waits for it too.
#define RETRY_OUTAGE_HINT_MOST (60 * INT64_C(1000000))

// What is known of an attempt that failed.
struct retry_case {
    enum outcome outcome;
    int retries;     // that this job has used up
    bool is_free;    // it uses up none: nobody was served at the time
    int by_chance;   // so many failures one after the other are nothing unusual: short pauses …
    int by_bad_luck; // … and so many may still happen to a row of many: the pauses do not grow
    int64_t hint; // the provider's wish in microseconds to wait (at least that long is waited, even
                  // beyond the ceiling, up to RETRY_HINT_MOST), or -1
};

struct retry_decision retry_decide(const struct retry_policy *policy, const struct retry_case *c,
                                   int64_t now, struct random *random);

#endif
