// rules_local.c: what servers of open models mean: Ollama, llama.cpp, LM Studio, vLLM. Constant; any thread.
// SPDX-License-Identifier: MIT
#include "pool/signals/rules_parts.h"

// github.com: ollama server/routes.go, llama.cpp tools/server, lmstudio-js, vllm entrypoints/openai.
const struct rule rules_local[] = {
    {.text = "try pulling it", .means = NO_MODEL},
    {.text = "maximum pending requests exceeded", .means = TOO_MANY}, // Ollama: its queue is full
    {.text = "requires more system memory",
     .means = NOT_MODEL}, // than there is; other models may fit
    {.status = 503, .text = "Loading model", .means = DOWN},
    {.word = "exceed_context_size_error", .means = BAD_REQUEST},
    {.text = "exceeds the available context size", .means = BAD_REQUEST},
    {.word = "not_supported_error", .means = BAD_REQUEST},
    {.text = "No models loaded", .means = NO_MODEL},
    {.text = "Failed to load model", .means = NOT_MODEL},
    {.text = "model has crashed", .means = DOWN},
    {.text = "model runner has unexpectedly stopped", .means = DOWN},
    {.status = 503, .text = "is sleeping", .means = DOWN}, // vLLM's sleep mode
    {0},
};
