// What a provider answered, under the same names whatever the wire.
//
// Tokens (text, finish_reason …) are JSON tokens as they stand in the provider's body: a string keeps
// its quotes and escapes, so that what goes into a result is byte for byte what came. They point
// into the body and live as long as it does. Absent ones are SLICE_NONE, never the token `null`.
// SPDX-License-Identifier: MIT
#ifndef JOBS_REPLY_H
#define JOBS_REPLY_H

#include "jobs/base/slice.h"

#include <stdint.h>

// Tokens as the provider counted them; -1 where it did not say.
struct usage {
    int64_t input_tokens;
    int64_t output_tokens;
    int64_t total_tokens;
    int64_t cached_tokens;
    int64_t reasoning_tokens;
};

// In whose words an answer's body is, and so what its members are called.
enum reply_shape { REPLY_OPENAI, REPLY_ANTHROPIC, REPLY_GEMINI };

#define USAGE_NONE ((struct usage){-1, -1, -1, -1, -1})
// Of a request that took none.
#define USAGE_NOTHING ((struct usage){0, 0, 0, 0, 0})

struct reply {
    struct slice text;          // string token
    struct slice finish_reason; // string token
    struct slice model;         // string token: the model that answered
    struct slice tool_calls;    // array token
    struct slice reasoning;     // string token
    struct slice refusal;       // string token
    struct slice request_id;    // string token: the provider's name for this answer
    struct usage usage;
};

#endif
