// catalogue.c: the table of known providers. Constant; any thread.
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
    {0},
};

const struct provider *catalogue_find(struct slice name) {
    for (const struct provider *p = catalogue; p->name; p++)
        if (slice_is(name, p->name))
            return p;
    return NULL;
}

const char *catalogue_names(void) {
    return "bigmodel, zai, openai, anthropic, google, groq, mistral, nvidia, k2think, simulate";
}
