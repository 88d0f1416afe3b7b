// rules_mistral.c: what Mistral means; its errors stand at the top of the body. Constant; any thread.
// SPDX-License-Identifier: MIT
#include "pool/signals/rules_parts.h"

// docs.mistral.ai/resources/error-glossary, unless a row says otherwise. 1300, its code of a rate
// limit, comes with a 429 that says as much (pi #9815).
const struct rule rules_mistral[] = {
    // The backend of a model is full: no key is to blame (continue #6185; under 503 LiteLLM #25078).
    {.status = 429, .text = "Service tier capacity exceeded", .means = CROWDED},

    {.text = "Inactive subscription", .means = NO_MONEY}, // or the month's usage; comes as 401

    {.word = "not_found_error", .means = NO_MODEL},
    {.word = "invalid_model", .means = NO_MODEL},
    {.word = "unknown_model", .means = NO_MODEL},
    {0},
};
