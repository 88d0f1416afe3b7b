// rules_openrouter.c: what OpenRouter means. Constant; any thread.
// SPDX-License-Identifier: MIT
#include "pool/signals/rules_parts.h"

// openrouter.ai/docs/api-reference/errors and /limits, and threads.
const struct rule rules_openrouter[] = {

    // The price of this request against what is left: a smaller one would do
    {.status = 402, .text = "or fewer max_tokens", .means = TOO_LARGE},
    {.status = 402, .text = "can only afford", .means = TOO_LARGE},
    {.status = 402, .text = "Insufficient credits", .means = NO_MONEY},
    {.text = "Key limit exceeded", .means = KEY_SPENT}, // a limit that was set for this key
    {.status = 403, .word = "metadata.reasons", .means = FILTERED}, // its moderation
    {.status = 403, .text = "requires moderation", .means = FILTERED},
    {.status = 403, .text = "was flagged", .means = FILTERED},
    {.status = 401, .text = "No auth credentials found", .means = BAD_KEY},
    {.status = 401, .text = "User not found", .means = BAD_KEY},
    {.text = "is not a valid model ID", .means = NO_MODEL},
    {.status = 404, .text = "No endpoints found", .means = NO_MODEL},
    {.status = 429, .text = "free-models-per-day", .means = DAY_SPENT},
    {.status = 429, .text = "free-models-per-min", .means = TOO_FAST},
    {.status = 429, .text = "rate-limited upstream", .means = CROWDED},
    {.status = 503, .text = "No instances available", .means = DOWN},
    {.status = 503, .text = "no available model provider", .means = DOWN},
    {0},
};
