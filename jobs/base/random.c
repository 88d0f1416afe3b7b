// random.c: a seed from the operating system.
// SPDX-License-Identifier: MIT
#include "jobs/base/random.h"

#include "jobs/base/die.h"

#include <sys/random.h>

uint64_t random_seed(void) {
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
        die("the operating system gives no random numbers");
    return seed;
}
