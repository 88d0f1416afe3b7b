// The keys of a channel that may be asked now, in the order of a strategy.
//
// The caller:
//   1. order_describe() each place that states something, then order_open() those that may serve;
//   2. order_next() for the place whose turn it is;
//   3. order_took() as soon as a place gets a request, before it is closed for being full. It may be
//      another than the one whose turn it is (affinity): nobody loses a turn by that;
//   4. order_close() when a place can take no more, order_open() when it can again;
//   5. order_settle() when it is known what the request really took.
// Places are the numbers below count; all are closed at first. Whoever is open is the caller's
// affair: the order only says who is first among them, and all strategies pass over what is closed.
//
//   round-robin   the next open one after the last that had its turn
//   least-used    the fewest requests so far; among equals the lower place
//   least-loaded  the least load of about the last minute. A request counts 1 and a thousand tokens
//                 count 1, fading by a factor e every half minute: so each counts for as long, on
//                 average, as in a sliding window of a minute
//   lru           the one whose last request is longest ago; those never asked first, by place
//   random        any, all alike
//   weighted      in proportion to weight times health. The weight is what is stated, else the
//                 priority if stated, else 1; weight 0 serves while nobody else is open, and little
//                 more. One that comes back does not catch up what it missed
//   priority      the lowest number (0 where none is stated); among equals the one whose last
//                 request is longest ago
//
// Every call costs O(log n) in the number of places at most. Now and then (hours, a million
// requests) one call goes over all places to keep the numbers small. One thread; no clock: times are
// microseconds on the caller's monotonic clock.
// SPDX-License-Identifier: MIT
#ifndef POOL_KEYS_ORDER_H
#define POOL_KEYS_ORDER_H

#include "pool/keys/strategy.h"

#include <stdint.h>

#define ORDER_NONE SIZE_MAX

struct order;

struct order_options {
    enum strategy strategy;
    size_t count;  // places
    uint64_t seed; // of chance
};

// What a key states about its standing; zero is a key that states nothing.
struct order_standing {
    double weight;    // 0 or more
    int64_t priority; // lower is first
    bool has_weight, has_priority;
};

struct order *order_new(const struct order_options *options);
void order_free(struct order *order);

// Once per place at most, before any place is opened.
void order_describe(struct order *order, size_t place, const struct order_standing *standing);

// Both may be said again: nothing happens.
void order_open(struct order *order, size_t place);
void order_close(struct order *order, size_t place);

bool order_is_open(const struct order *order, size_t place);
size_t order_open_count(const struct order *order);

// The open place whose turn it is, or ORDER_NONE when none is open. It stays the same until a place
// is taken, opened, closed or settled, or a health changes.
size_t order_next(struct order *order);

// A place got a request that is expected to cost this many tokens.
void order_took(struct order *order, size_t place, int64_t tokens, int64_t now);

// The request that was taken at this time cost so many tokens more (less: negative) than expected.
void order_settle(struct order *order, size_t place, int64_t tokens_difference, int64_t taken_at);

// 0 to 100, 100 at first. Counts for `weighted` only; at 0 as 1, so that a key can show itself well.
void order_set_health(struct order *order, size_t place, int health);

#endif
