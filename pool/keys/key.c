// key.c: a key's states and how they are named. Runs on the loop thread.
// SPDX-License-Identifier: MIT
#include "pool/keys/key.h"

void key_set_state(struct key *key, enum key_state state) {
    atomic_store_explicit(&key->state, (unsigned char)state, memory_order_relaxed);
}

static const char *ready_name(const struct key *key, int64_t now) {
    const struct health *health = &key->health;
    bool asked = key->counts.requests || health->failed_at;
    if (health_is_degraded(health, now))
        return "degraded";
    if (!asked)
        return "unused";
    bool only_failed = key->counts.requests && health->failed_at && !key->counts.ok;
    return only_failed && !health->has_passed ? "unknown" : "healthy";
}

const char *key_state_name(const struct key *key, int64_t now) {
    switch (key_state(key)) {
    case KEY_READY:
    case KEY_FULL: return ready_name(key, now);
    case KEY_COOLING:
    case KEY_TRIAL:
    case KEY_PROBING: return "rate_limited";
    case KEY_NO_MODEL: return "no_model";
    default: return "unavailable";
    }
}

int key_health(const struct key *key, int64_t now) {
    enum key_state state = key_state(key);
    if (state == KEY_REMOVED || state == KEY_SUSPENDED)
        return 0;
    return health_score(&key->health, now);
}
