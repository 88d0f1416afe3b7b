// rules_cohere.c: what Cohere means by its messages. Constant; any thread.
// SPDX-License-Identifier: MIT
#include "pool/signals/rules_parts.h"

// docs.cohere.com/reference/errors; its errors have a message and nothing else.
const struct rule rules_cohere[] = {
    {.text = "invalid api token", .means = BAD_KEY},
    {.text = "no api key supplied", .means = BAD_KEY},
    {.status = 429, .text = "API calls / month", .means = DAY_SPENT}, // a trial key
    {.status = 429, .text = "calls / minute", .means = TOO_FAST},
    {.status = 429, .text = "calls per minute", .means = TOO_FAST},
    {.status = 429, .text = "Trial key", .means = TOO_FAST},
    {.text = "reached its billing limit", .means = NO_MONEY},
    {.status = 404, .text = "make sure the correct model ID", .means = NO_MODEL},
    {.status = 498, .text = "blocked output", .means = FILTERED},
    {.status = 498, .text = "blocked input", .means = FILTERED},
    {.text = "blocked prompt", .means = FILTERED},
    {0},
};
