// strategy.c: the names of the strategies. Constant; any thread.
// SPDX-License-Identifier: MIT
#include "pool/keys/strategy.h"

#include <ctype.h>

const char *const strategy_names[] = {"round-robin", "least-used", "least-loaded", "lru",
                                      "random",      "weighted",   "priority",     NULL};

static bool is_name(struct slice text, const char *name) {
    if (text.n != strlen(name))
        return false;
    for (size_t i = 0; i < text.n; i++) {
        int c = text.p[i] == '_' ? '-' : tolower((unsigned char)text.p[i]);
        if (c != name[i])
            return false;
    }
    return true;
}

bool strategy_find(struct slice name, enum strategy *strategy) {
    for (int i = 0; i < STRATEGY_COUNT; i++)
        if (is_name(name, strategy_names[i])) {
            *strategy = (enum strategy)i;
            return true;
        }
    return false;
}
