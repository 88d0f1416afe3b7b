// retry.c: decides whether a failed attempt is followed by another, and when. Pure.
// SPDX-License-Identifier: MIT
#include "jobs/retry.h"

static int64_t backoff(const struct retry_policy *policy, int retries, struct random *random) {
    int64_t most = policy->base;
    for (int i = 0; i < retries && most < policy->ceiling; i++)
        most *= 2;
    if (most > policy->ceiling)
        most = policy->ceiling;
    return (int64_t)(random_unit(random) * (double)most);
}

struct retry_decision retry_decide(const struct retry_policy *policy, enum outcome outcome,
                                   int retries, int64_t hint, int64_t now, struct random *random) {
    switch (outcome) {
    case OUTCOME_RATE_LIMITED: // the key's affair: the pool says when one is ready
    case OUTCOME_AUTH:
    case OUTCOME_QUOTA:
    case OUTCOME_MODEL: return (struct retry_decision){RETRY_OTHER, now};
    case OUTCOME_SERVER:
    case OUTCOME_TIMEOUT:
    case OUTCOME_NETWORK:
    case OUTCOME_BAD_RESPONSE: break;
    default: return (struct retry_decision){RETRY_GIVE_UP, 0};
    }
    if (retries >= policy->max_retries)
        return (struct retry_decision){RETRY_GIVE_UP, 0};
    int64_t wait = backoff(policy, retries, random);
    if (hint > RETRY_HINT_MOST)
        hint = RETRY_HINT_MOST;
    if (hint > wait)
        wait = hint;
    return (struct retry_decision){RETRY_LATER, now + wait};
}
