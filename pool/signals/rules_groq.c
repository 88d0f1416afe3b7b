// rules_groq.c: what Groq means, beyond the words it has from OpenAI. Constant; any thread.
// SPDX-License-Identifier: MIT
#include "pool/signals/rules_parts.h"

// console.groq.com/docs/errors, unless a row says otherwise.
const struct rule rules_groq[] = {
    {.word = "blocked_api_access", .means = NO_MONEY},     // console.groq.com/docs/spend-limits
    {.word = "organization_restricted", .means = BAD_KEY}, // comes as 400 (one-api #1764)

    // console.groq.com/docs/model-permissions; terms that nobody accepted for this account
    {.word = "model_permission_blocked_org", .means = NOT_MODEL},
    {.word = "model_permission_blocked_project", .means = NOT_MODEL},
    {.word = "model_terms_required", .means = NOT_MODEL},
    {.word = "model_decommissioned", .means = NO_MODEL}, // docs/deprecations
    {0},
};
