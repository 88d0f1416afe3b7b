// NaN and Infinity, as Python and pandas write them, where JSON has no such values.
// SPDX-License-Identifier: MIT
#ifndef JOBS_IN_NAN_H
#define JOBS_IN_NAN_H

#include "jobs/base/buf.h"

#include <stdbool.h>

#define NAN_PLACES 256

// Where in the text null stands for one of them.
struct nan_places {
    size_t at[NAN_PLACES];
    size_t count;
};

// Appends text with null in their place. False when it holds none of them, or too many.
bool nan_replace(struct slice text, struct buf *out, struct nan_places *places);

// Whether one of the places lies in these bytes of out.
bool nan_is_in(const struct nan_places *places, const struct buf *out, struct slice bytes);

#endif
