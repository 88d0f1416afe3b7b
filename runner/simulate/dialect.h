// How OpenAI words its refusals: error bodies, durations.
//
// Shapes and codes follow OpenAI's error guide (platform.openai.com/docs/guides/error-codes) and its
// rate limit guide; the sentences keep the parts that clients read ("Please try again in 1.2s").
// SPDX-License-Identifier: MIT
#ifndef RUNNER_SIMULATE_DIALECT_H
#define RUNNER_SIMULATE_DIALECT_H

#include "runner/simulate/ledger.h"

struct dialect_error {
    struct slice message; // plain text
    const char *type;
    const char *code; // NULL: null
};

// Appends {"error":{"message","type","param":null,"code"}}.
void dialect_add_error(struct buf *out, const struct dialect_error *error);

// The same for a rate limit; model is a string token.
void dialect_add_refusal(struct buf *out, const struct refusal *refusal, struct slice model);

// For a key that is not accepted; shows it masked as OpenAI does. SLICE_NONE: none was given.
void dialect_add_key_error(struct buf *out, struct slice key);

// Appends a duration as Go prints it, rounded up to milliseconds: "12ms", "1.2s", "6m0s", "1h0m3.5s".
void dialect_add_duration(struct buf *out, int64_t usec);

#endif
