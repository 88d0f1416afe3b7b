// finish_reason.c: the table of reasons to end, of all wires. Constant; any thread.
// SPDX-License-Identifier: MIT
#include "pool/signals/finish_reason.h"

#include "jobs/base/json.h"

#include <strings.h>

// A word means the same in every wire in which it is known, so the table is not split by provider:
// gateways pass the words of one wire on in another.
static const struct {
    const char *word;
    enum finish finish;
} reasons[] = {
    // OpenAI: platform.openai.com/docs/api-reference/chat/object; incomplete_details of responses.
    {"stop", FINISH_GOOD},
    {"tool_calls", FINISH_GOOD},
    {"function_call", FINISH_GOOD},
    {"length", FINISH_LENGTH},
    {"max_output_tokens", FINISH_LENGTH},
    {"content_filter", FINISH_FILTERED}, // Azure and Moonshot too
    // Anthropic: docs.claude.com/en/api/handling-stop-reasons
    {"end_turn", FINISH_GOOD},
    {"stop_sequence", FINISH_GOOD},
    {"tool_use", FINISH_GOOD},
    {"pause_turn", FINISH_GOOD},
    {"max_tokens", FINISH_LENGTH}, // Gemini, Cohere: MAX_TOKENS
    {"model_context_window_exceeded", FINISH_LENGTH},
    {"refusal", FINISH_FILTERED},
    // Bedrock's Converse: docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
    {"guardrail_intervened", FINISH_FILTERED},
    {"content_filtered", FINISH_FILTERED},
    {"malformed_model_output", FINISH_UNUSABLE},
    {"malformed_tool_use", FINISH_UNUSABLE},
    // Gemini: ai.google.dev/api/generate-content#FinishReason and Vertex AI's list
    {"SAFETY", FINISH_FILTERED},
    {"RECITATION", FINISH_FILTERED},
    {"LANGUAGE", FINISH_FILTERED},
    {"BLOCKLIST", FINISH_FILTERED},
    {"PROHIBITED_CONTENT", FINISH_FILTERED},
    {"SPII", FINISH_FILTERED},
    {"MODEL_ARMOR", FINISH_FILTERED},
    {"JAILBREAK", FINISH_FILTERED},
    {"IMAGE_SAFETY", FINISH_FILTERED},
    {"IMAGE_PROHIBITED_CONTENT", FINISH_FILTERED},
    {"IMAGE_RECITATION", FINISH_FILTERED},
    {"MALFORMED_FUNCTION_CALL", FINISH_UNUSABLE}, // pydantic-ai #3095: another attempt often does
    {"UNEXPECTED_TOOL_CALL", FINISH_UNUSABLE},
    {"TOO_MANY_TOOL_CALLS", FINISH_UNUSABLE},
    {"MISSING_THOUGHT_SIGNATURE", FINISH_UNUSABLE},
    {"MALFORMED_RESPONSE", FINISH_UNUSABLE},
    {"NO_IMAGE", FINISH_UNUSABLE},
    {"IMAGE_OTHER", FINISH_UNUSABLE},
    {"OTHER", FINISH_UNUSABLE}, // "unknown reason": no text, or a part of one
    // Mistral: docs.mistral.ai/api; `error` is OpenRouter's too (openrouter.ai/docs/api-reference)
    {"model_length", FINISH_LENGTH},
    {"error", FINISH_FAILED},
    // Z.AI and BigModel: docs.z.ai/api-reference/llm/chat-completion
    {"sensitive", FINISH_FILTERED},
    {"network_error", FINISH_FAILED},
    // DeepSeek: api-docs.deepseek.com/api/create-chat-completion
    {"insufficient_system_resource", FINISH_FAILED},
    // Cohere: docs.cohere.com/reference/chat, its older form too
    {"COMPLETE", FINISH_GOOD},
    {"ERROR_TOXIC", FINISH_FILTERED},
    {"ERROR_LIMIT", FINISH_LENGTH},
    {"USER_CANCEL", FINISH_FAILED},
    {"TIMEOUT", FINISH_FAILED},
    // Open servers: vLLM's v1 engine, SGLang's FINISH_ABORT, LMDeploy (xtuner pull request 1755),
    // text-generation-inference, Together
    {"eos", FINISH_GOOD},
    {"eos_token", FINISH_GOOD},
    {"repetition", FINISH_LENGTH}, // vLLM stops what repeats itself
    {"abort", FINISH_FAILED},
    {"aborted", FINISH_FAILED},
    // Ollama's done_reason: the model was put into memory or taken out of it, nothing was asked of it
    {"load", FINISH_FAILED},
    {"unload", FINISH_FAILED},
    // Gateways: a stream that broke behind them
    {"cancelled", FINISH_FAILED},
    {"canceled", FINISH_FAILED},
    {"server_error", FINISH_FAILED},
    {"internal_error", FINISH_FAILED},
    {"upstream_error", FINISH_FAILED},
    {"connection_error", FINISH_FAILED},
    {"overloaded", FINISH_FAILED},
    {"failed", FINISH_FAILED},
};

// The characters of a string token; of an object's `type`.
static struct slice reason_word(struct slice token) {
    if (json_type(token) == JSON_OBJECT)
        token = json_get(token, "type");
    return json_type(token) == JSON_STRING ? slice_of(token.p + 1, token.n - 2) : SLICE_NONE;
}

enum finish signals_finish_reason(struct slice token) {
    struct slice word = reason_word(token);
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (word.n == strlen(reasons[i].word) && strncasecmp(word.p, reasons[i].word, word.n) == 0)
            return reasons[i].finish;
    return FINISH_GOOD;
}

enum finish signals_block_reason(struct slice token) {
    return reason_word(token).n ? FINISH_FILTERED : FINISH_GOOD;
}
