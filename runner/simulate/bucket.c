// bucket.c: the buckets behind the simulator's rpm, tpm and rpd limits. Pure.
// SPDX-License-Identifier: MIT
#include "runner/simulate/bucket.h"

#include "jobs/base/die.h"

void bucket_init(struct bucket *b, const struct bucket_shape *shape, int64_t now) {
    *b = (struct bucket){.shape = *shape, .at = now};
    if (!b->shape.capacity)
        b->shape.capacity = shape->limit;
    BUG_IF(shape->limit < 0 || shape->period <= 0);
    BUG_IF(shape->limit > BUCKET_PRODUCT_MAX / shape->period);
    BUG_IF(b->shape.capacity < 0 || b->shape.capacity > BUCKET_PRODUCT_MAX / shape->period);
    b->level = b->shape.capacity * shape->period;
}

static int64_t missing(const struct bucket *b) {
    return b->shape.capacity * b->shape.period - b->level;
}

static void step(struct bucket *b, int64_t elapsed) {
    if (elapsed < b->shape.period)
        return;
    b->at += elapsed / b->shape.period * b->shape.period;
    b->level += missing(b);
}

static void refill(struct bucket *b, int64_t now) {
    int64_t elapsed = now - b->at;
    if (elapsed <= 0 || !b->shape.limit)
        return;
    if (b->shape.in_steps) {
        step(b, elapsed);
        return;
    }
    b->level += elapsed > missing(b) / b->shape.limit ? missing(b) : elapsed * b->shape.limit;
    b->at = now;
}

// Until so much has flowed in.
static int64_t time_for(const struct bucket *b, int64_t amount, int64_t now) {
    if (amount <= 0)
        return 0;
    if (b->shape.in_steps)
        return b->at + b->shape.period - now;
    return (amount + b->shape.limit - 1) / b->shape.limit;
}

int64_t bucket_wait(struct bucket *b, int64_t n, int64_t now) {
    if (!b->shape.limit)
        return 0;
    if (n > b->shape.capacity)
        return BUCKET_NEVER;
    refill(b, now);
    return time_for(b, n * b->shape.period - b->level, now);
}

void bucket_take(struct bucket *b, int64_t n, int64_t now) {
    if (!b->shape.limit)
        return;
    refill(b, now);
    b->level -= n * b->shape.period;
    BUG_IF(b->level < 0);
}

int64_t bucket_left(struct bucket *b, int64_t now) {
    refill(b, now);
    return b->level / b->shape.period;
}

int64_t bucket_until_full(struct bucket *b, int64_t now) {
    if (!b->shape.limit)
        return 0;
    refill(b, now);
    return time_for(b, missing(b), now);
}
