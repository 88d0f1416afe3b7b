// Numbers as people read them, for the screen.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_SHOW_H
#define RUNNER_SHOW_H

#include "jobs/base/buf.h"

#include <stdint.h>

// 1234567 is 1,234,567.
void show_count(struct buf *out, int64_t n);

// A span of time in about three digits: 0.4s, 12s, 3m20s, 2h05m, 4d03h.
void show_span(struct buf *out, int64_t usec);

// A latency: 0.8 ms, 812 ms, 1.24 s, 75.0 s.
void show_latency(struct buf *out, int64_t usec);

// A rate or a share with one decimal below 100 and none above: 0.4, 86.2, 1520.
void show_rate(struct buf *out, double n);

// Text of other origin with what would steer a terminal replaced by '?', cut to `most` code points.
// Returns how many there are.
int show_plain(struct buf *out, const char *text, int most);

// The same; longer text has its middle replaced by an ellipsis, since names of keys differ at their ends.
void show_middle(struct buf *out, const char *text, int most);

// A line with its newline, folded at spaces so that none is longer than width columns; further lines
// are indented. Words that are longer stay whole. 0: no folding.
void show_folded(struct buf *out, struct slice line, int width, int indent);

// Columns of the terminal that stderr is; 0: it is none.
int show_terminal_width(void);

#endif
