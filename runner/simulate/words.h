// Text to answer with: words drawn from a seed.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_SIMULATE_WORDS_H
#define RUNNER_SIMULATE_WORDS_H

#include "jobs/base/buf.h"

#include <stdint.h>

#define WORDS_MAX     100000
#define WORDS_ID_SIZE 48

struct words_wish {
    int64_t words;
    int64_t max_tokens; // of four bytes each; -1: no limit
    uint64_t seed;
};

// Appends a string token of that many words. False when max_tokens cut it short.
bool words_add_token(struct buf *out, const struct words_wish *wish);

// The name of an answer: "chatcmpl-" and 29 letters and digits, as OpenAI's.
void words_id(uint64_t seed, uint64_t serial, char id[WORDS_ID_SIZE]);

#endif
