// outcome.c: the names of outcomes.
// SPDX-License-Identifier: MIT
#include "jobs/outcome.h"

static const char *const names[OUTCOME_COUNT] = {
    [OUTCOME_NONE] = "none",
    [OUTCOME_OK] = "ok",
    [OUTCOME_BAD_INPUT] = "bad_input",
    [OUTCOME_INVALID_REQUEST] = "invalid_request",
    [OUTCOME_CONTENT_FILTER] = "content_filter",
    [OUTCOME_AUTH] = "auth",
    [OUTCOME_QUOTA] = "quota",
    [OUTCOME_RATE_LIMITED] = "rate_limited",
    [OUTCOME_MODEL] = "model",
    [OUTCOME_SERVER] = "server",
    [OUTCOME_TIMEOUT] = "timeout",
    [OUTCOME_NETWORK] = "network",
    [OUTCOME_BAD_RESPONSE] = "bad_response",
    [OUTCOME_TOO_LARGE] = "too_large",
    [OUTCOME_NO_KEY] = "no_key",
    [OUTCOME_DEADLINE] = "deadline",
};

const char *outcome_name(enum outcome outcome) {
    return names[outcome];
}
