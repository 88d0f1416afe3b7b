// Random numbers with a seed (splitmix64, Steele et al. 2014): the same seed gives the same run.
// Not for secrets.
// SPDX-License-Identifier: MIT
#ifndef JOBS_BASE_RANDOM_H
#define JOBS_BASE_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t state;
};

static inline uint64_t random_next(struct random *r) {
    uint64_t z = (r->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

// In [0, 1).
static inline double random_unit(struct random *r) {
    return (double)(random_next(r) >> 11) * 0x1p-53;
}

// In [0, bound); bound above 0.
static inline int64_t random_below(struct random *r, int64_t bound) {
    return (int64_t)(random_unit(r) * (double)bound);
}

// A seed from the operating system.
uint64_t random_seed(void);

#endif
