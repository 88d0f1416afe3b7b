// rules_openai.c: what OpenAI means, beyond the words that many have from it. Constant; any thread.
// SPDX-License-Identifier: MIT
#include "pool/signals/rules_parts.h"

// developers.openai.com/api/docs/guides/error-codes; the billing codes: MS Learn,
// openai-insufficient-quota.
const struct rule rules_openai[] = {
    // All with type insufficient_quota so far; the code is what the guide says to go by.
    {.word = "insufficient_quota", .means = NO_MONEY},
    {.word = "credit_balance_exhausted", .means = NO_MONEY},
    {.word = "organization_spend_limit_exceeded", .means = NO_MONEY},
    {.word = "project_spend_limit_exceeded", .means = NO_MONEY},
    {.word = "organization_usage_limit_exceeded", .means = NO_MONEY},
    {.word = "billing_hard_limit_reached", .means = NO_MONEY},
    {.word = "billing_not_active", .means = NO_MONEY},

    {.word = "account_deactivated", .means = BAD_KEY},

    // A project's rights; another account's key may have them.
    {.status = 403, .word = "model_not_found", .means = NOT_MODEL},

    {.word = "slow_down", .means = TOO_FAST}, // comes as 503, but the cure is to send less
    {0},
};
