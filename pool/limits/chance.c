// chance.c: tells refusals by chance from a limit, by whether the next request passes. Pure; loop thread.
// SPDX-License-Identifier: MIT
#include "pool/limits/chance.h"

void chance_passed(struct chance *c) {
    bool was_right = c->in_a_row > 0 && c->pauses == 0;
    if (was_right && c->learned < CHANCE_MOST - CHANCE_ALONE)
        c->learned++;
    c->has_passed = true;
    c->in_a_row = c->pauses = 0;
}

bool chance_refused(struct chance *c, int in_flight) {
    int allowed = c->learned + (in_flight > 1 ? CHANCE_MANY : CHANCE_ALONE);
    c->in_a_row++;
    if (c->has_passed && c->pauses == 0 && c->in_a_row <= allowed)
        return true;
    if (c->pauses++ == 0)
        c->learned /= 2;
    return false;
}
