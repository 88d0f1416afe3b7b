// bucket.c: the token bucket behind the simulator's rpm and tpm limits. Pure.
// SPDX-License-Identifier: MIT
#include "runner/simulate/bucket.h"

#include "jobs/base/die.h"

#define UNIT INT64_C(60000000) // one request or token: the microseconds of a minute

void bucket_init(struct bucket *b, int64_t limit, int64_t now) {
    BUG_IF(limit < 0 || limit > BUCKET_LIMIT_MAX);
    *b = (struct bucket){limit, limit * UNIT, now};
}

static void refill(struct bucket *b, int64_t now) {
    int64_t elapsed = now - b->at;
    if (elapsed <= 0)
        return;
    int64_t full = b->limit * UNIT;
    b->level = elapsed >= UNIT || b->level > full - elapsed * b->limit
                   ? full
                   : b->level + elapsed * b->limit;
    b->at = now;
}

int64_t bucket_wait(struct bucket *b, int64_t n, int64_t now) {
    if (!b->limit)
        return 0;
    if (n > b->limit)
        return BUCKET_NEVER;
    refill(b, now);
    int64_t missing = n * UNIT - b->level;
    return missing <= 0 ? 0 : (missing + b->limit - 1) / b->limit;
}

void bucket_take(struct bucket *b, int64_t n, int64_t now) {
    if (!b->limit)
        return;
    refill(b, now);
    b->level -= n * UNIT;
    BUG_IF(b->level < 0);
}

int64_t bucket_left(struct bucket *b, int64_t now) {
    refill(b, now);
    return b->level / UNIT;
}

int64_t bucket_until_full(struct bucket *b, int64_t now) {
    if (!b->limit)
        return 0;
    refill(b, now);
    return (b->limit * UNIT - b->level + b->limit - 1) / b->limit;
}
