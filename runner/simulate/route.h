// Which of the simulator's providers a request is for, by its path: a wire, a dialect, a model.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_SIMULATE_ROUTE_H
#define RUNNER_SIMULATE_ROUTE_H

#include "pool/wire/wire.h"
#include "runner/simulate/dialect.h"

enum route_kind {
    ROUTE_NOWHERE,
    ROUTE_CHAT,   // an answer is asked for
    ROUTE_MODELS, // the list of models
    ROUTE_STATS,  // the simulator's own counters
    ROUTE_RESET,  // of those
};

struct route {
    enum route_kind kind;
    const struct dialect *dialect; // never NULL
    const struct wire *wire;       // ROUTE_CHAT
    struct slice model;            // plain text, where the path names it
    bool stream;                   // where the path says it
};

// Paths without a version go too; what is nowhere is refused in the dialect its path looks like.
// chosen is spoken on all paths instead; NULL: the path decides.
struct route route_find(const char *path, const struct dialect *chosen);

#endif
