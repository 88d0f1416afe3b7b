// rules_azure.c: what Azure OpenAI and Azure AI mean. Constant; any thread.
// SPDX-License-Identifier: MIT
#include "pool/signals/rules_parts.h"

// learn.microsoft.com/azure/ai-services/openai: quotas, content filter; threads where named.
const struct rule rules_azure[] = {
    {.word = "ResponsibleAIPolicyViolation", .means = FILTERED},
    {.word = "DeploymentNotFound", .means = NO_MODEL},
    {.word = "unknown_model", .means = NO_MODEL},
    {.status = 400, .text = "operation does not work with the specified model", .means = NO_MODEL},
    {.status = 401, .text = "invalid subscription key", .means = BAD_KEY},
    {.status = 401, .text = "Access token is missing, invalid", .means = BAD_KEY},
    {.status = 403,
     .text = "Virtual Network/Firewall rules",
     .means = FORBIDDEN}, // a place, not a key
    {.status = 429, .text = "exceeded token rate limit", .means = TOO_FAST},
    {.status = 429, .text = "exceeded call rate limit", .means = TOO_FAST},
    {.status = 429,
     .text = "ByDay exceeded",
     .means =
         DAY_SPENT}, // GitHub Models: "Rate limit of 50 per 86400s exceeded for UserByModelByDay"
    {.status = 429, .text = "exceeded for UserByModelByDay", .means = DAY_SPENT},
    {.status = 429, .text = "exceeded for UserByModelByMinute", .means = TOO_FAST},
    {.status = 429, .text = "exceeded for UserConcurrentRequests", .means = TOO_MANY},
    {.status = 413,
     .word = "tokens_limit_reached",
     .means = BAD_REQUEST}, // GitHub Models: what the model can take
    {.word = "NoCapacity", .means = CROWDED},
    {.status = 429, .text = "experiencing high demand", .means = CROWDED},
    {0},
};
