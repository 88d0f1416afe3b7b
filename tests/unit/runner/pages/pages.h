// Looking at generated text in tests.
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_RUNNER_PAGES_H
#define TESTS_UNIT_RUNNER_PAGES_H

#include "jobs/base/buf.h"

// The longest line in characters.
static inline size_t longest_line(const char *text) {
    size_t most = 0, n = 0;
    for (; *text; text++) {
        n = *text == '\n' ? 0 : n + (((unsigned char)*text & 0xc0) != 0x80);
        most = n > most ? n : most;
    }
    return most;
}

static inline int occurrences(const char *text, const char *what) {
    int n = 0;
    for (; (text = strstr(text, what)); text += strlen(what))
        n++;
    return n;
}

#endif
