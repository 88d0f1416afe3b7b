// rules_common.c: words that many providers and gateways use. Constant; any thread.
// SPDX-License-Identifier: MIT
#include "pool/signals/rules_parts.h"

const struct rule rules_common[] = {
    // OpenAI's error guide; Anthropic's text is met through gateways of all kinds (LiteLLM #16092).
    {.word = "insufficient_quota", .means = NO_MONEY},
    {.text = "credit balance is too low", .means = NO_MONEY},
    {.word = "invalid_api_key", .means = BAD_KEY},

    // A request that is larger than a whole minute's tokens comes as a rate limit, but no waiting
    // helps it (OpenAI 429: aider #1880; Groq 413: continue #10218).
    {.status = 413, .text = "Request too large", .means = BAD_REQUEST},
    {.status = 429, .text = "Request too large", .means = BAD_REQUEST},
    {.word = "context_length_exceeded", .means = BAD_REQUEST},
    {.word = "content_filter", .means = FILTERED},
    {.word = "content_policy_violation", .means = FILTERED},

    {.word = "model_not_found", .means = NO_MODEL},

    // "on tokens per day (TPD): Limit 100000, Used 97050, … Please try again in 9m38.016s." (Groq:
    // continue #10920) and OpenAI's likewise: such days roll, the stated wait is the one that counts.
    // "concurrent requests", "concurrency limit": whoever counts those.
    {.status = 429, .text = " per day (", .means = DAY_SPENT},
    {.status = 429, .text = "concurren", .means = TOO_MANY},

    // Said under other statuses than 429 too, and inside 200.
    {.word = "rate_limit_exceeded", .means = TOO_FAST},
    {.word = "rate_limited", .means = TOO_FAST},
    {0},
};
