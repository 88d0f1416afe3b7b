// Limits as a provider announces them in the headers of its answers.
//
// Facts from the providers' rate-limit documentation (struct provider.documentation). -1: not said.
// SPDX-License-Identifier: MIT
#ifndef POOL_LIMITS_ANNOUNCED_H
#define POOL_LIMITS_ANNOUNCED_H

#include "pool/signals/signals.h"

#include <stdbool.h>

struct provider;

struct announced_limit {
    int64_t limit;     // how many there are in the window
    int64_t remaining; // how many are left, this request taken into account
    int64_t reset;     // microseconds until the window is full again
};

struct announced {
    struct announced_limit requests_minute, requests_day;
    struct announced_limit tokens_minute, tokens_day;
    struct announced_limit input_tokens_minute, output_tokens_minute;
};

// Reads the headers of any answer, good or not. False when it announces nothing (all -1).
bool announced_read(const struct provider *provider, const struct http_answer *answer,
                    int64_t now_wall, struct announced *announced);

#endif
