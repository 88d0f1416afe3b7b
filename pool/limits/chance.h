// Whether a refusal without a stated wait may be chance: some servers refuse single requests at random, and
// the next request passes. A pause after each of those would cost many times what the refusals cost.
//
// A key that has passed requests before may go on at once after a refusal, at its pace; a limit refuses the
// next requests too, and then the key pauses. The number of refusals in a row that may be chance grows each
// time that going on proved right, and halves each time that it proved wrong.
// Loop thread; pure. Zero-initialised: nothing has passed yet, so no refusal is taken for chance.
// SPDX-License-Identifier: MIT
#ifndef POOL_LIMITS_CHANCE_H
#define POOL_LIMITS_CHANCE_H

#include <stdbool.h>

#define CHANCE_ALONE 2 // refusals in a row that may be chance, at first …
#define CHANCE_MANY                                                                                \
    1 // … where the key has several requests in flight, which a limit refuses together
#define CHANCE_MOST 7 // refusals in a row that may be chance, at most

struct chance {
    bool has_passed; // at least one request, ever
    int in_a_row;    // refusals since the last request that passed
    int learned;     // refusals in a row that may be chance, beyond the first ones
    int pauses;      // in a row: 1 for the first
};

// A request was not refused for its rate.
void chance_passed(struct chance *c);

// A request was refused for its rate, without a stated wait. in_flight: requests that the key had in flight
// when it was sent, itself included. True: the key may go on at once; false: the pause number c->pauses in a
// row is due.
bool chance_refused(struct chance *c, int in_flight);

#endif
