// key.c: a key's states and how they are named. Runs on the loop thread.
// SPDX-License-Identifier: MIT
#include "pool/keys/key.h"

#include "jobs/base/die.h"

// Bit b of allowed[a]: a key may move from state a to state b.
#define TO(state) (1u << (state))
#define OUT       (TO(KEY_COOLING) | TO(KEY_SUSPENDED) | TO(KEY_REMOVED))
static const unsigned allowed[KEY_STATES] = {
    [KEY_READY] = TO(KEY_FULL) | OUT,
    [KEY_FULL] = TO(KEY_READY) | OUT,
    [KEY_COOLING] = TO(KEY_TRIAL) | OUT,
    [KEY_TRIAL] = TO(KEY_PROBING) | OUT,
    [KEY_PROBING] = TO(KEY_READY) | TO(KEY_FULL) | TO(KEY_TRIAL) | OUT,
    [KEY_SUSPENDED] = TO(KEY_TRIAL) | OUT,
    [KEY_REMOVED] = TO(KEY_REMOVED),
};

void key_set_state(struct key *key, enum key_state state) {
    BUG_IF(!(allowed[key_state(key)] & TO(state)));
    atomic_store_explicit(&key->state, (unsigned char)state, memory_order_relaxed);
}

const char *key_state_name(const struct key *key, int64_t now) {
    switch (key_state(key)) {
    case KEY_READY:
    case KEY_FULL: return health_is_degraded(&key->health, now) ? "degraded" : "healthy";
    case KEY_COOLING:
    case KEY_TRIAL:
    case KEY_PROBING: return "rate_limited";
    default: return "unavailable";
    }
}

int key_health(const struct key *key, int64_t now) {
    enum key_state state = key_state(key);
    bool is_out = state == KEY_REMOVED || state == KEY_SUSPENDED;
    return is_out ? 0 : health_score(&key->health, now);
}
