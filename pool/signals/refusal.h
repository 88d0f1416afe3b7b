// A refusal under examination: what came, and what of it was understood. Private to pool/signals/.
// SPDX-License-Identifier: MIT
#ifndef POOL_SIGNALS_REFUSAL_H
#define POOL_SIGNALS_REFUSAL_H

#include "pool/limits/announced.h"
#include "pool/limits/day.h"
#include "pool/signals/error_body.h"

struct refusal {
    const struct provider *provider;
    const struct http_answer *answer;
    int64_t now_wall; // unix microseconds, by the server's clock if it tells
    int status;       // the one that counts; 0 not known (an error inside a 2xx that names none)
    struct error_body error;
    struct announced limits;
};

// Takes an answer apart; rules and hints look at what it found.
void refusal_read(const struct provider *provider, const struct http_answer *answer,
                  int64_t now_wall, struct refusal *r);

static inline struct slice refusal_header(const struct refusal *r, const char *name) {
    return r->answer->header ? r->answer->header(r->answer->context, name) : SLICE_NONE;
}

#endif
