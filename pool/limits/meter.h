// The limits that the user stated for a key or an account, kept together.
//
// Minutes slide (window.h), days are the provider's calendar days. What is in flight counts from its
// take on, as estimated, and is corrected when the answer tells. Loop thread; pure.
// SPDX-License-Identifier: MIT
#ifndef POOL_LIMITS_METER_H
#define POOL_LIMITS_METER_H

#include "pool/keys/keyring.h"
#include "pool/limits/spend.h"

struct meter;

// Microseconds. The wall clock may jump: ahead into another day, that day begins with nothing used;
// back into an earlier day, what was counted on both stands until that day's end.
struct moment {
    int64_t now;          // monotonic
    int64_t now_wall;     // unix time
    int64_t day_end_wall; // when the provider's day ends that now_wall is in
};

// NULL when neither rpm, tpm, rpd nor tpd is stated (concurrency is not kept here). Owned by the
// caller; the functions below take NULL for a meter that stops nothing.
struct meter *meter_new(const struct key_limits *limits);
void meter_free(struct meter *m);

// now if all limits allow it, else the earliest time they may: to be asked again then.
int64_t meter_ready_at(struct meter *m, const struct spend *spend, const struct moment *moment);

void meter_take(struct meter *m, const struct spend *spend, const struct moment *moment);

// The request was answered, or failed: this is what it really took. -1 input or output tokens: not
// known, the estimate stands.
void meter_settle(struct meter *m, const struct charge *charge, const struct spend *real,
                  const struct moment *moment);

// What was used before this run: so much today, or so much at a time in the last minute (monotonic, as far as
// this run's clock goes back).
void meter_add_today(struct meter *m, int64_t requests, int64_t tokens,
                     const struct moment *moment);
void meter_add_minute(struct meter *m, int64_t requests, int64_t tokens, int64_t at,
                      const struct moment *moment);

// It was never sent.
void meter_return(struct meter *m, const struct charge *charge, const struct moment *moment);

#endif
