// What the parts of the Gemini wire share: gemini.c asks, gemini_reply.c hears, gemini_answer.c answers.
// SPDX-License-Identifier: MIT
#ifndef POOL_WIRE_GEMINI_H
#define POOL_WIRE_GEMINI_H

#include "pool/wire/parts.h"

// Takes over what a usageMetadata object says and leaves the rest of *usage as it is.
void gemini_read_usage(struct slice token, struct usage *usage);

// Google writes camelCase and takes snake_case too: the token under either name.
struct slice gemini_get(struct slice object, const char *camel, const char *snake);

enum wire_answer gemini_read_reply(struct slice body, struct buf *scratch, struct reply *reply,
                                   const char **what);
void gemini_read_event(struct wire_stream *s, struct slice name, struct slice data);
enum wire_answer gemini_read_request(struct slice body, struct wire_request *request,
                                     const char **what);
void gemini_build_reply(const struct wire_response *response, struct buf *out);
void gemini_build_stream(const struct wire_response *response, bool usage, struct buf *out);

struct wire_params;

// struct wire.says.
bool gemini_says(const struct request *request, const struct provider *provider,
                 const struct wire_defaults *defaults, struct wire_refusal *refusal);

// Adds generationConfig, when there is anything in it. False with *what set.
bool gemini_add_config(struct buf *b, const struct wire_params *params, struct slice model,
                       const char **what);

// The string token for a service_tier; NULL when there is none.
const char *gemini_tier(struct slice service_tier);

#endif
