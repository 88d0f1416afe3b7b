// The table of keys at the end of a run: a row per key, the busiest and the troubled ones of many, as
// many columns as fit. Pure.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_KEY_TABLE_H
#define RUNNER_KEY_TABLE_H

#include "runner/screen/summary.h"

// Appends heading and rows, then a line for each key that has a reason for its state. Nothing when
// there are no keys. summary->width columns are not exceeded by the table: the least important columns
// are left out, then names are shortened in their middle.
void key_table_add(const struct summary *summary, struct buf *out);

#endif
