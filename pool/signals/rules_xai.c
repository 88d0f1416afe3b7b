// rules_xai.c: what xAI means. Constant; any thread.
// SPDX-License-Identifier: MIT
#include "pool/signals/rules_parts.h"

// docs.x.ai/docs/key-information/debugging, and threads. Its code is a sentence at times, its error
// another.
const struct rule rules_xai[] = {
    {.text = "Failed check: SAFETY_CHECK", .means = FILTERED},
    {.text = "Content violates usage guidelines", .means = FILTERED},
    {.status = 400, .text = "Incorrect API key provided", .means = BAD_KEY},
    {.text = "API key is currently disabled", .means = BAD_KEY},
    {.text = "API key is disabled", .means = BAD_KEY},
    {.text = "API key is currently blocked", .means = BAD_KEY},
    {.text = "API key is blocked", .means = BAD_KEY},
    {.text = "API key has been disabled", .means = BAD_KEY},
    {.text = "doesn't have any credits", .means = NO_MONEY}, // continue #12670: 403
    {.text = "used all available credits",
     .means = NO_MONEY}, // continue #10373: 429; hermes-agent #26847: 403
    {.text = "run out of credits", .means = NO_MONEY}, // sub2api #4069: 403
    {.text = "reached its monthly spending limit", .means = NO_MONEY},
    {.status = 403,
     .text = "Access to the chat endpoint is denied",
     .means = FORBIDDEN}, // an access list of the key's; 9router #2559
    {.status = 400, .text = "Model not found", .means = NO_MODEL},
    {0},
};
