// rules_hosts.c: what hosts of open models mean: Together, Fireworks, Cerebras, Hugging Face and others. Constant; any thread.
// SPDX-License-Identifier: MIT
#include "pool/signals/rules_parts.h"

// docs.together.ai/docs/error-codes, docs.fireworks.ai (status codes), inference-docs.cerebras.ai, threads.
const struct rule rules_hosts[] = {

    // Together
    {.word = "credit_limit", .means = NO_MONEY},
    {.text = "Credit limit exceeded", .means = NO_MONEY},
    {.word = "model_not_available", .means = NO_MODEL},
    {.status = 404, .text = "Unable to access model", .means = NO_MODEL},
    {.word = "model_rate_limit", .means = TOO_FAST},

    // Fireworks: an account is suspended with 412 when its bills or its month's limit say so
    {.text = "reaching the monthly spending limit", .means = NO_MONEY},
    {.status = 404, .text = "not found, inaccessible, and/or not deployed", .means = NO_MODEL},
    {.text = "API key you provided is invalid", .means = BAD_KEY},

    // Cerebras
    {.word = "wrong_api_key", .means = BAD_KEY},
    {.status = 429, .text = "per day limit exceeded", .means = DAY_SPENT},
    {.word = "queue_exceeded", .means = CROWDED},
    {.word = "token_quota_exceeded", .means = TOO_FAST},
    {.word = "request_quota_exceeded", .means = TOO_FAST},
    {.status = 402, .word = "payment_required", .means = NO_MONEY},

    // Hugging Face
    {.text = "exceeded your monthly included credits", .means = NO_MONEY},
    {.status = 503, .text = "is currently loading", .means = DOWN},
    {.status = 400, .text = "not supported by any provider you have enabled", .means = NOT_MODEL},

    // Perplexity, Novita, DeepInfra, Chutes
    {.word = "request_rate_limit_exceeded", .means = TOO_FAST},
    {.word = "NOT_ENOUGH_BALANCE", .means = NO_MONEY},
    {.word = "INVALID_API_KEY", .means = BAD_KEY},
    {.word = "RATE_LIMIT_EXCEEDED", .means = TOO_FAST},
    {.word = "MODEL_NOT_FOUND", .means = NO_MODEL},
    {.text = "inference prohibited", .means = NO_MONEY},
    {.text = "Model busy", .means = CROWDED},
    {.text = "Zero balance", .means = NO_MONEY},
    {0},
};
