// What to do about failures of a class. "Run the same command again" is said only where that can help.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_ADVICE_H
#define RUNNER_ADVICE_H

#include "jobs/base/buf.h"
#include "runner/screen/summary.h"

// Whether the same command again may have another outcome without anything being changed.
bool advice_is_retry(const char *class);

// Appends the advice for rows that failed like this one; nothing for a class that is not known.
void advice_add(struct buf *out, const struct summary_error *error);

#endif
