// The parameters of a request: those of OpenAI's chat completions API, under its names.
//
// A row has them as fields of its own, the command line for all rows (--param, --temperature,
// --max-tokens). They are kept as JSON tokens in one array, in this order, wherever they come from;
// how a wire writes them is its own business (pool/wire/*.c). Pure; any thread.
//
// Source: OpenAI's API reference, "Create chat completion" (parameters of the request body).
// SPDX-License-Identifier: MIT
#ifndef JOBS_PARAMS_H
#define JOBS_PARAMS_H

#include "jobs/base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum param {
    PARAM_TEMPERATURE,
    PARAM_TOP_P,
    PARAM_MAX_TOKENS,
    PARAM_MAX_COMPLETION_TOKENS,
    PARAM_STOP,
    PARAM_RESPONSE_FORMAT,
    PARAM_TOOLS,
    PARAM_TOOL_CHOICE,
    PARAM_SEED,
    PARAM_REASONING_EFFORT,
    PARAM_VERBOSITY,
    PARAM_N,
    PARAM_LOGPROBS,
    PARAM_TOP_LOGPROBS,
    PARAM_LOGIT_BIAS,
    PARAM_FREQUENCY_PENALTY,
    PARAM_PRESENCE_PENALTY,
    PARAM_PARALLEL_TOOL_CALLS,
    PARAM_FUNCTIONS,     // the older form of tools
    PARAM_FUNCTION_CALL, // and of tool_choice
    PARAM_SERVICE_TIER,
    PARAM_USER,
    PARAM_SAFETY_IDENTIFIER,
    PARAM_PROMPT_CACHE_KEY,
    PARAM_PROMPT_CACHE_RETENTION,
    PARAM_METADATA,
    PARAM_STORE,
    PARAM_MODALITIES,
    PARAM_AUDIO,
    PARAM_PREDICTION,
    PARAM_WEB_SEARCH_OPTIONS,
    PARAM_MODERATION,
    PARAM_EXTRA_BODY, // no parameter of the API: members that are merged into the body as they stand
    PARAM_COUNT
};

// How a value that stands as text (a cell of csv, a word of the command line) is read.
enum param_text {
    PARAM_TEXT_JSON,    // it must be JSON
    PARAM_TEXT_OR_JSON, // JSON when that has another type that the parameter takes, else a string
};

struct param_rule {
    const char *name;
    unsigned types; // PARAM_TYPE() bits
    bool integer;   // 100.0 and 1e2 are taken too, and become 100
    bool (*also)(struct slice token);
    const char *must; // "an integer"
};

#define PARAM_TYPE(json_type) (1u << (json_type))

extern const struct param_rule param_rules[PARAM_COUNT];

// PARAM_COUNT when it is none.
enum param param_find(struct slice name);

enum param_text param_text(enum param param);

// Whether the token is what the parameter takes.
bool param_obeys(enum param param, struct slice token);

// The digits of a number that stands for a whole one ("100.0", "1e2", "1.0E+2"). False when it stands
// for none, or for one beyond 64 bits.
bool param_whole_number(struct slice token, int64_t *value);

// Whether the value asks for what happens without it, so that a wire without a word for it can leave
// it out: n 1, logprobs false, a penalty of 0, empty tools.
bool param_is_default(enum param param, struct slice token);

#endif
