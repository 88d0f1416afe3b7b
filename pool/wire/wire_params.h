// The parameters of a request on a wire: row and run put together, what a wire cannot say, and the
// members that a request adds to its body as they stand (extra_body). Pure; any thread.
// SPDX-License-Identifier: MIT
#ifndef POOL_WIRE_WIRE_PARAMS_H
#define POOL_WIRE_WIRE_PARAMS_H

#include "pool/wire/wire.h"

// The parameters of one request: the row's own, else those of the run.
struct wire_params {
    struct slice of[PARAM_COUNT];
};

// max_tokens and max_completion_tokens are one parameter under two names, and so are tools and
// functions, tool_choice and function_call: a row's value under either name goes before the run's.
void wire_params_merge(struct wire_params *params, const struct request *request,
                       const struct wire_defaults *defaults);

// What a wire has words for. `values` looks at single values and may be NULL.
struct wire_words {
    bool has[PARAM_COUNT];
    // False with *why set when the wire has the word, but not for this value.
    bool (*values)(enum param param, struct slice token, const char **why);
};

// True when the wire has words for all of them, or needs none because a value is the default.
bool wire_words_say(const struct wire_words *words, const struct wire_params *params,
                    struct wire_refusal *refusal);

// The bound of the answer's length: the newer name goes first.
static inline struct slice wire_params_bound(const struct wire_params *params) {
    struct slice newer = params->of[PARAM_MAX_COMPLETION_TOKENS];
    return newer.n ? newer : params->of[PARAM_MAX_TOKENS];
}

// Puts the members of extra into the object that body holds from `start` on, over those of the same
// name. A member that holds settings of several parameters (generationConfig, output_config) is
// merged likewise, all others are replaced. No name comes out twice.
void wire_merge_extra(struct buf *body, size_t start, struct slice extra);

#endif
