// catalogue.c: the table of built-in providers. Constant; any thread.
// SPDX-License-Identifier: MIT
#include "pool/catalogue.h"

#include "pool/wire/wire.h"

// Base URLs are from the API reference named in `documentation`. The models are each provider's
// cheapest general chat model as its model list showed it in November 2026:
//   bigmodel, zai  docs.bigmodel.cn model overview: GLM-4.7-Flash is free, GLM-4.5-Flash is to go
//   openai         developers.openai.com deprecations: what gpt-4o-mini and its kin are replaced by
//   anthropic      the Haiku family, docs.claude.com models overview
//   google         ai.google.dev deprecations: what gemini-2.5-flash is replaced by
//   groq           console.groq.com models; the small Llamas were shut down in August 2026
//   mistral        docs.mistral.ai: an alias that is kept current
//   nvidia         build.nvidia.com; open to every account (404 "Not found for account" otherwise)
//   k2think        the model list of www.k2think.ai
//   openrouter     openrouter.ai/docs: its router, which chooses a model and is billed as that one
//   deepseek       api-docs.deepseek.com pricing: the name that is kept current
//   xai            docs.x.ai models, as promptfoo's list of them repeats it
//   together       docs.together.ai serverless models; they are retired on a rolling schedule
//   fireworks      fireworks.ai model library
//   cerebras       inference-docs.cerebras.ai models overview: one of the two that are shared
//   moonshot       platform.kimi.ai models
//   dashscope      help.aliyun.com model-studio; keys of its international site: --base-url
//                  https://dashscope-intl.aliyuncs.com/compatible-mode/v1
//   siliconflow    docs.siliconflow.cn: free; keys of siliconflow.com: --base-url
//                  https://api.siliconflow.com/v1
//   minimax        platform.minimax.io text-openai-api
//   cohere         docs.cohere.com compatibility-api
//   lmstudio, llamacpp  answer with the model that is loaded, whatever it is called in a request
//   ollama, vllm, azure  serve what the user installed or deployed: there is no default
//
// Limits of the second group: cerebras, together, fireworks, openrouter, xai and azure send
// x-ratelimit-* headers, most of them in OpenAI's names; deepseek, moonshot, dashscope, siliconflow,
// minimax and cohere are not known to send any.
//
// Idempotency keys: none of the real providers is known to take one, so none is sent unless asked for.
//   anthropic      says that it does not (anthropic-sdk-typescript pull request 1144, August 2026: the
//                  client leaves the header out on purpose)
//   openai         none was found in what was read of its API reference; its Python and Go clients,
//                  which have the means, leave it unset
//   all others     no word of one was found
const struct provider catalogue[CATALOGUE_COUNT + 1] = {
    {
        .name = "bigmodel",
        .base_url = "https://open.bigmodel.cn/api/paas/v4",
        .variables = {"BIGMODEL_API_KEY"},
        .wire = &wire_openai,
        .wire_name = "openai",
        .default_model = "glm-4.7-flash",
        .batch_prefix = "/v4",
        .documentation = "https://docs.bigmodel.cn/cn/api/rate-limit",
    },
    {
        .name = "zai",
        .base_url = "https://api.z.ai/api/paas/v4",
        .variables = {"ZAI_API_KEY"},
        .wire = &wire_openai,
        .wire_name = "openai",
        .default_model = "glm-4.7-flash",
        .batch_prefix = "/v4",
        .documentation = "https://docs.z.ai/api-reference/api-code",
    },
    {
        .name = "openai",
        .base_url = "https://api.openai.com/v1",
        .variables = {"OPENAI_API_KEY"},
        .wire = &wire_openai,
        .wire_name = "openai",
        .default_model = "gpt-6-luna",
        .batch_prefix = "/v1",
        .documentation = "https://developers.openai.com/api/docs/guides/rate-limits",
    },
    {
        .name = "anthropic",
        .base_url = "https://api.anthropic.com/v1",
        .variables = {"ANTHROPIC_API_KEY"},
        .wire = &wire_anthropic,
        .wire_name = "anthropic",
        .default_model = "claude-haiku-4-5",
        .batch_prefix = "/v1",
        .documentation = "https://docs.claude.com/en/api/rate-limits",
    },
    {
        .name = "google",
        .base_url = "https://generativelanguage.googleapis.com/v1beta",
        .variables = {"GOOGLE_API_KEY", "GEMINI_API_KEY"},
        .wire = &wire_gemini,
        .wire_name = "gemini",
        .default_model = "gemini-3.5-flash-lite",
        .batch_prefix = "/v1beta",
        .documentation = "https://ai.google.dev/gemini-api/docs/rate-limits",
    },
    {
        .name = "groq",
        .base_url = "https://api.groq.com/openai/v1",
        .variables = {"GROQ_API_KEY"},
        .wire = &wire_openai,
        .wire_name = "openai",
        .default_model = "openai/gpt-oss-20b",
        .batch_prefix = "/v1",
        .documentation = "https://console.groq.com/docs/rate-limits",
    },
    {
        .name = "mistral",
        .base_url = "https://api.mistral.ai/v1",
        .variables = {"MISTRAL_API_KEY"},
        .wire = &wire_openai,
        .wire_name = "openai",
        .default_model = "mistral-small-latest",
        .batch_prefix = "/v1",
        .documentation = "https://docs.mistral.ai/deployment/laplateforme/tier/",
    },
    {
        .name = "nvidia",
        .base_url = "https://integrate.api.nvidia.com/v1",
        .variables = {"NVIDIA_API_KEY"},
        .wire = &wire_openai,
        .wire_name = "openai",
        .default_model = "nvidia/nemotron-3-super-120b-a12b",
        .batch_prefix = "/v1",
        .documentation = "https://docs.api.nvidia.com/nim/reference/llm-apis",
    },
    {
        .name = "k2think",
        .base_url = "https://www.k2think.ai/api",
        .variables = {"K2THINK_API_KEY"},
        .wire = &wire_openai,
        .wire_name = "openai",
        .default_model = "MBZUAI-IFM/K2-Think-v2",
        .batch_prefix = "/v1",
        .documentation = "https://docs.openwebui.com/reference/api-endpoints/",
    },
    {
        .name = "simulate",
        // of a simulator elsewhere; the one that a run starts itself listens on a port of its own
        .base_url = "http://127.0.0.1:8080/v1",
        .variables = {"SIMULATE_API_KEY"},
        .wire = &wire_openai,
        .wire_name = "openai",
        .default_model = "simulate",
        .batch_prefix = "/v1",
        .documentation = "batch-run help simulate",
        .takes_idempotency_key = true,
    },
    {
        .name = "openrouter",
        .base_url = "https://openrouter.ai/api/v1",
        .variables = {"OPENROUTER_API_KEY"},
        .wire = &wire_openai,
        .wire_name = "openai",
        .default_model = "openrouter/auto",
        .batch_prefix = "/v1",
        .documentation = "https://openrouter.ai/docs/api-reference/limits",
    },
    {
        .name = "deepseek",
        .base_url = "https://api.deepseek.com",
        .variables = {"DEEPSEEK_API_KEY"},
        .wire = &wire_openai,
        .wire_name = "openai",
        .default_model = "deepseek-flash",
        .batch_prefix = "/v1",
        .documentation = "https://api-docs.deepseek.com/quick_start/rate_limit",
    },
    {
        .name = "xai",
        .base_url = "https://api.x.ai/v1",
        .variables = {"XAI_API_KEY"},
        .wire = &wire_openai,
        .wire_name = "openai",
        .default_model = "grok-4-1-fast-non-reasoning",
        .batch_prefix = "/v1",
        .documentation = "https://docs.x.ai/docs/key-information/consumption-and-rate-limits",
    },
    {
        .name = "together",
        .base_url = "https://api.together.ai/v1",
        .variables = {"TOGETHER_API_KEY"},
        .wire = &wire_openai,
        .wire_name = "openai",
        .default_model = "openai/gpt-oss-20b",
        .batch_prefix = "/v1",
        .documentation = "https://docs.together.ai/docs/rate-limits",
    },
    {
        .name = "fireworks",
        .base_url = "https://api.fireworks.ai/inference/v1",
        .variables = {"FIREWORKS_API_KEY"},
        .wire = &wire_openai,
        .wire_name = "openai",
        .default_model = "accounts/fireworks/models/gpt-oss-120b",
        .batch_prefix = "/v1",
        .documentation = "https://docs.fireworks.ai/guides/quotas_usage/rate-limits",
    },
    {
        .name = "cerebras",
        .base_url = "https://api.cerebras.ai/v1",
        .variables = {"CEREBRAS_API_KEY"},
        .wire = &wire_openai,
        .wire_name = "openai",
        .default_model = "gpt-oss-120b",
        .batch_prefix = "/v1",
        .documentation = "https://inference-docs.cerebras.ai/support/rate-limits",
    },
    {
        .name = "moonshot",
        .base_url = "https://api.moonshot.ai/v1",
        .variables = {"MOONSHOT_API_KEY"},
        .wire = &wire_openai,
        .wire_name = "openai",
        .default_model = "kimi-k2.6",
        .batch_prefix = "/v1",
        .documentation = "https://platform.kimi.ai/docs/pricing/limits",
    },
    {
        .name = "dashscope",
        .base_url = "https://dashscope.aliyuncs.com/compatible-mode/v1",
        .variables = {"DASHSCOPE_API_KEY"},
        .wire = &wire_openai,
        .wire_name = "openai",
        .default_model = "qwen-flash",
        .batch_prefix = "/v1",
        .documentation = "https://help.aliyun.com/zh/model-studio/rate-limit",
    },
    {
        .name = "siliconflow",
        .base_url = "https://api.siliconflow.cn/v1",
        .variables = {"SILICONFLOW_API_KEY"},
        .wire = &wire_openai,
        .wire_name = "openai",
        .default_model = "Qwen/Qwen3-8B",
        .batch_prefix = "/v1",
        .documentation =
            "https://docs.siliconflow.cn/cn/userguide/rate-limits/rate-limit-and-upgradation",
    },
    {
        .name = "minimax",
        .base_url = "https://api.minimax.io/v1",
        .variables = {"MINIMAX_API_KEY"},
        .wire = &wire_openai,
        .wire_name = "openai",
        .default_model = "MiniMax-M3",
        .batch_prefix = "/v1",
        .documentation = "https://platform.minimax.io/docs/guides/rate-limits",
    },
    {
        .name = "cohere",
        .base_url = "https://api.cohere.ai/compatibility/v1",
        .variables = {"COHERE_API_KEY", "CO_API_KEY"},
        .wire = &wire_openai,
        .wire_name = "openai",
        .default_model = "command-a-03-2025",
        .batch_prefix = "/v1",
        .documentation = "https://docs.cohere.com/docs/rate-limits",
    },
    {
        .name = "ollama",
        .base_url = "http://127.0.0.1:11434/v1",
        .variables = {"OLLAMA_API_KEY"},
        .wire = &wire_openai,
        .wire_name = "openai",
        .batch_prefix = "/v1",
        .documentation = "https://docs.ollama.com/openai",
        .key_is_optional = true,
        .start_hint = "start it with `ollama serve`",
    },
    {
        .name = "vllm",
        .base_url = "http://127.0.0.1:8000/v1",
        .variables = {"VLLM_API_KEY"},
        .wire = &wire_openai,
        .wire_name = "openai",
        .batch_prefix = "/v1",
        .documentation = "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
        .key_is_optional = true,
        .start_hint = "start it with `vllm serve MODEL`",
    },
    {
        .name = "lmstudio",
        .base_url = "http://127.0.0.1:1234/v1",
        .variables = {"LMSTUDIO_API_KEY"},
        .wire = &wire_openai,
        .wire_name = "openai",
        .default_model = "default",
        .batch_prefix = "/v1",
        .documentation = "https://lmstudio.ai/docs/api/openai-api",
        .key_is_optional = true,
        .start_hint = "start it with `lms server start`, or in LM Studio under Developer",
    },
    {
        .name = "llamacpp",
        .base_url = "http://127.0.0.1:8080/v1",
        .variables = {"LLAMACPP_API_KEY"},
        .wire = &wire_openai,
        .wire_name = "openai",
        .default_model = "default",
        .batch_prefix = "/v1",
        .documentation = "https://github.com/ggml-org/llama.cpp/tree/master/tools/server",
        .key_is_optional = true,
        .start_hint = "start it with `llama-server -m MODEL.gguf`",
    },
    {
        .name = "azure",
        .variables = {"AZURE_API_KEY", "AZURE_OPENAI_API_KEY"},
        .wire = &wire_openai,
        .wire_name = "openai",
        .batch_prefix = "/v1",
        .documentation = "https://learn.microsoft.com/azure/ai-foundry/openai/quotas-limits",
        .family = "openai",
        .auth_prefix = "api-key: ",
    },
    {0},
};

const struct provider *catalogue_find(struct slice name) {
    for (const struct provider *p = catalogue; p->name; p++)
        if (slice_is(name, p->name))
            return p;
    return NULL;
}
