// rules_anthropic.c: what Anthropic means by its types and messages. Constant; any thread.
// SPDX-License-Identifier: MIT
#include "pool/signals/rules_parts.h"

// docs.claude.com/en/api/errors, unless a row says otherwise. The types count under any status:
// inside a stream they come after a 200; api_error and timeout_error are what is assumed there anyway.
const struct rule rules_anthropic[] = {
    {.word = "billing_error", .means = NO_MONEY},
    {.word = "enforced_spend_limit_reached", .means = NO_MONEY},
    {.status = 429, .text = "spend limit", .means = NO_MONEY},
    // "You will regain access on 2026-04-01 at 00:00 UTC." (claude-code #2127, #38035)
    {.status = 400, .text = "reached your specified API usage limits", .means = NO_MONEY_UNTIL},

    {.word = "authentication_error", .means = BAD_KEY},
    {.text = "organization has been disabled", .means = BAD_KEY},
    {.word = "permission_error", .means = FORBIDDEN},

    // A plan without long context: no waiting helps this request (claude-code #29584).
    {.status = 429, .text = "Extra usage is required for long context", .means = BAD_REQUEST},
    {.word = "request_too_large", .means = BAD_REQUEST},
    {.word = "not_found_error", .whole = "Not Found", .means = NO_PATH},
    {.word = "not_found_error", .means = NO_MODEL},

    {.text = "concurrent connections", .means = TOO_MANY},
    {.word = "rate_limit_error", .means = TOO_FAST},

    {.word = "overloaded_error", .means = DOWN}, // 529
    {0},
};
