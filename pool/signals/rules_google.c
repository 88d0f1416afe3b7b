// rules_google.c: what Gemini means, native or in its OpenAI-compatible form. Constant; any thread.
// SPDX-License-Identifier: MIT
#include "pool/signals/rules_parts.h"

// ai.google.dev/gemini-api/docs/troubleshooting, unless a row says otherwise.
const struct rule rules_google[] = {
    // Several quotas come together, with a short retryDelay even if one is the day's: that one
    // counts (gemini-cli #8437). Without details the message may say it (gemini-cli #10513); a limit
    // of 0 is a model that the free tier does not have today (gemini-cli #22486).
    {.quota = "PerDay", .means = MODEL_DAY_SPENT},
    {.status = 429, .text = " per day per ", .means = MODEL_DAY_SPENT},
    {.status = 429, .text = ", limit: 0,", .means = MODEL_DAY_SPENT},

    // A key that is not accepted comes as 400.
    {.word = "API_KEY_INVALID", .means = BAD_KEY},
    {.status = 400, .text = "API key not valid", .means = BAD_KEY},
    {.status = 400, .text = "API key expired", .means = BAD_KEY},
    {.word = "CONSUMER_SUSPENDED", .means = BAD_KEY},
    {.status = 403, .text = "has been suspended", .means = BAD_KEY}, // gpt-load #317
    {.status = 403, .text = "reported as leaked", .means = BAD_KEY}, // python-genai #1764
    {.status = 403,
     .text = "doesn't allow unregistered callers",
     .means = BAD_KEY}, // no key at all

    {.word = "BILLING_DISABLED", .means = NO_MONEY},
    {.text = "requires billing to be enabled", .means = NO_MONEY},
    {.text = "prepayment credits are depleted", .means = NO_MONEY},
    {.text = "exceeded its monthly spending cap", .means = NO_MONEY},

    {.status = 404, .text = "is not found for API version", .means = NO_MODEL},

    // The place, not the key. FAILED_PRECONDITION by itself may be a file that is not ready.
    {.status = 400, .text = "location is not supported", .means = FORBIDDEN},
    {.status = 400, .text = "not available in your country", .means = FORBIDDEN},

    // "You exceeded your current quota, please check your plan and billing details": also a minute's
    {.status = 429, .word = "RESOURCE_EXHAUSTED", .means = TOO_FAST},
    {0},
};
