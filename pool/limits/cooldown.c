// cooldown.c: the length of a cool-down. Pure.
// SPDX-License-Identifier: MIT
#include "pool/limits/cooldown.h"

int64_t cooldown_after(int64_t fixed, int64_t hint, int refusals, struct random *random) {
    if (fixed != COOLDOWN_AUTO)
        return fixed;
    if (hint >= 0) {
        if (hint < COOLDOWN_HINT_LEAST)
            return COOLDOWN_HINT_LEAST;
        return hint > COOLDOWN_HINT_MOST ? COOLDOWN_HINT_MOST : hint;
    }
    int64_t pause = COOLDOWN_FIRST;
    for (int i = 1; i < refusals && pause < COOLDOWN_MOST; i++)
        pause *= 2;
    if (pause > COOLDOWN_MOST)
        pause = COOLDOWN_MOST;
    return pause + (int64_t)(random_unit(random) * 0.25 * (double)pause);
}
