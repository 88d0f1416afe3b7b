// retry.c: decides whether a failed attempt is followed by another, and when. Pure.
// SPDX-License-Identifier: MIT
#include "jobs/retry.h"

static int64_t backoff(const struct retry_policy *policy, const struct retry_case *c,
                       struct random *random) {
    int64_t most = policy->base;
    for (int i = c->by_bad_luck; i < c->retries && most < policy->ceiling; i++)
        most *= 2;
    if (most > policy->ceiling)
        most = policy->ceiling;
    if (c->retries < c->by_chance && most > RETRY_CHANCE_PAUSE)
        most = RETRY_CHANCE_PAUSE;
    return (int64_t)(random_unit(random) * (double)most);
}

static int64_t later(const struct retry_policy *policy, const struct retry_case *c,
                     struct random *random) {
    int64_t wait = backoff(policy, c, random);
    int64_t most = c->is_free ? RETRY_OUTAGE_HINT_MOST : RETRY_HINT_MOST;
    int64_t hint = c->hint < most ? c->hint : most;
    return hint > wait ? hint : wait;
}

struct retry_decision retry_decide(const struct retry_policy *policy, const struct retry_case *c,
                                   int64_t now, struct random *random) {
    switch (c->outcome) {
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
    if (!c->is_free && c->retries >= policy->max_retries)
        return (struct retry_decision){RETRY_GIVE_UP, 0};
    return (struct retry_decision){RETRY_LATER, now + later(policy, c, random)};
}
