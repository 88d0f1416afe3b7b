// Foreign text on its way to a terminal: what would steer the terminal, reorder its text or not be seen
// is shown as an escape. Pure; any thread.
//
// Shown as \x1b: C0 controls, DEL and bytes that are not valid UTF-8. Shown as \u202e: C1 controls
// (U+0080 to U+009F), bidirectional controls and marks, zero-width characters, line and paragraph
// separators, tag characters. A JSON text stays one with the same meaning: its C0 controls are escaped
// already. Credentials in an address (https://name:password@host) are shown as ****.
// SPDX-License-Identifier: MIT
#ifndef JOBS_BASE_VISIBLE_H
#define JOBS_BASE_VISIBLE_H

#include "jobs/base/buf.h"

// What is kept as it is besides.
enum visible_keep {
    VISIBLE_ONE_LINE = 0,         // nothing: a line break is foreign too
    VISIBLE_LINES = 1,            // line breaks and tabs
    VISIBLE_COLORS = 1 << 1,      // the colors of this program: ESC [ m with 0, 1, 2 and 30 to 37
    VISIBLE_CREDENTIALS = 1 << 2, // addresses as they are: for pages of this program
};

// "https://name:password@host/v1" with its credentials masked.
void visible_add_address(struct buf *out, struct slice address);

void visible_add(struct buf *out, struct slice text, unsigned keep);

#endif
