// Option values for one provider or for all: "zai:glm-4.5-flash,groq:llama-3.1-8b-instant".
//
// A name counts as a provider's only where it cannot be part of the value itself: models contain
// ':' ("llama3:8b", "ft:gpt-4o:org"), addresses ':' and sometimes ','. Pure; main thread, at start.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_ASSIGN_H
#define RUNNER_ASSIGN_H

#include "jobs/base/error.h"
#include "pool/registry.h"

// Slices point into the option's text; SLICE_NONE: nothing was said.
struct assigned {
    struct slice common;            // without a name
    struct slice of[PROVIDERS_MAX]; // by the provider's place
};

// --model: "MODEL" or "NAME:MODEL,…". Only the name of a provider of the run counts as such:
// False with err filled; a NULL text says nothing.
bool assign_models(const struct registry *providers, const char *text, provider_set in_run,
                   struct assigned *assigned, struct error *err);

// --base-url: "URL" or "NAME=URL,…" for any providers.
bool assign_addresses(const struct registry *providers, const char *text, struct assigned *assigned,
                      struct error *err);

#endif
