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
    int64_t cached_tokens;      // of the input
    int64_t reasoning_tokens;   // of the output
    int64_t cache_write_tokens; // of the input: written to a cache
};

// In whose words an answer's body is, and so what its members are called.
enum reply_shape { REPLY_OPENAI, REPLY_ANTHROPIC, REPLY_GEMINI };

#define USAGE_NONE ((struct usage){-1, -1, -1, -1, -1, -1})
// Of a request that took none.
#define USAGE_NOTHING ((struct usage){0, 0, 0, 0, 0, 0})

struct reply {
    struct slice text;          // string token
    struct slice finish_reason; // string token
    struct slice model;         // string token: the model that answered
    struct slice tool_calls;    // array token, in OpenAI's shape
    struct slice reasoning;     // string token
    struct slice refusal;       // string token
    struct slice request_id;    // string token: the provider's name for this answer
    struct slice audio;         // object token: spoken answers (OpenAI)
    struct slice choices;       // array token, when more than one answer came: all of them, each as
                                // {"index","text","reasoning","refusal","tool_calls","audio",
                                // "finish_reason"}; the members above are the first one's
    struct slice error;         // token: an error that stands beside or inside the answer
    struct usage usage;
};

#endif
