// health.c: a key's score of failures and successes. Pure; owned by its key.
// SPDX-License-Identifier: MIT
#include "pool/keys/health.h"

#include "jobs/base/clock.h"

#define LOST_PER_FAILURE   10
#define GAINED_PER_SUCCESS 2
#define FORGIVEN_AFTER     (300 * USEC_PER_SEC)

int health_score(const struct health *health, int64_t now) {
    int score = 100 - health->lost;
    bool forgiven = now - health->failed_at >= FORGIVEN_AFTER;
    return forgiven && score < HEALTH_HEALTHY ? HEALTH_HEALTHY : score;
}

void health_failed(struct health *health, int64_t now) {
    int lost = 100 - health_score(health, now) + LOST_PER_FAILURE;
    health->lost = lost < 100 ? lost : 100;
    health->failed_at = now;
}

void health_passed(struct health *health, int64_t now) {
    int lost = 100 - health_score(health, now) - GAINED_PER_SUCCESS;
    health->lost = lost > 0 ? lost : 0;
    health->has_passed = true;
}

bool health_is_degraded(const struct health *health, int64_t now) {
    return health_score(health, now) < HEALTH_HEALTHY;
}
