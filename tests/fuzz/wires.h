// What the fuzz targets of the wires share: which wire, and what must be true of any reply.
// SPDX-License-Identifier: MIT
#ifndef TESTS_FUZZ_WIRES_H
#define TESTS_FUZZ_WIRES_H

#include "pool/wire/parts.h"
#include "tests/fuzz/fuzz.h"

// '0' OpenAI, '1' Anthropic, '2' Gemini.
static inline const struct wire *fuzz_wire(unsigned choice) {
    static const struct wire *const wires[] = {&wire_openai, &wire_anthropic, &wire_gemini};
    return wires[choice % COUNT(wires)];
}

static inline void fuzz_check_calls(struct slice calls) {
    struct json_walk walk = json_walk(calls);
    struct slice call;
    while (json_next_element(&walk, &call))
        HOLDS(json_type(call) == JSON_OBJECT);
}

// Tokens are whole, of their type, and lie in what was given.
static inline void fuzz_check_reply(const struct reply *reply, struct slice body,
                                    struct slice scratch) {
    const struct slice strings[] = {reply->text,      reply->finish_reason, reply->model,
                                    reply->reasoning, reply->refusal,       reply->request_id};
    for (size_t i = 0; i < COUNT(strings); i++) {
        HOLDS(fuzz_is_token(strings[i], JSON_STRING));
        HOLDS(!strings[i].p || fuzz_is_within(strings[i], body) ||
              fuzz_is_within(strings[i], scratch));
    }
    HOLDS(fuzz_is_token(reply->tool_calls, JSON_ARRAY));
    HOLDS(fuzz_is_token(reply->choices, JSON_ARRAY) && fuzz_is_token(reply->audio, JSON_OBJECT));
    if (fuzz_is_within(reply->tool_calls, scratch)) // put together here, not passed on
        fuzz_check_calls(reply->tool_calls);
    const struct usage *u = &reply->usage;
    HOLDS(u->input_tokens >= -1 && u->output_tokens >= -1 && u->total_tokens >= -1);
    HOLDS(u->cached_tokens >= -1 && u->reasoning_tokens >= -1);
}

#endif
