// What the parts of the Anthropic wire share: anthropic.c asks, anthropic_reply.c hears, anthropic_answer.c answers.
// SPDX-License-Identifier: MIT
#ifndef POOL_WIRE_ANTHROPIC_H
#define POOL_WIRE_ANTHROPIC_H

#include "pool/wire/parts.h"

// Takes over what a usage object says and leaves the rest of *usage as it is.
void anthropic_read_usage(struct slice token, struct usage *usage);

enum wire_answer anthropic_read_reply(struct slice body, struct buf *scratch, struct reply *reply,
                                      const char **what);
void anthropic_read_event(struct wire_stream *s, struct slice name, struct slice data);
enum wire_answer anthropic_read_request(struct slice body, struct wire_request *request,
                                        const char **what);
void anthropic_build_reply(const struct wire_response *response, struct buf *out);
void anthropic_build_stream(const struct wire_response *response, bool usage, struct buf *out);

struct wire_params;

// struct wire.says.
bool anthropic_says(const struct request *request, const struct provider *provider,
                    const struct wire_defaults *defaults, struct wire_refusal *refusal);

// Adds max_tokens, which must be there, and how much is to be thought. *effort is the word for
// output_config, or NULL. False with *what set when the bound leaves no room for thinking.
bool anthropic_add_bound(struct buf *b, const struct wire_params *params, struct slice model,
                         const char **effort, const char **what);

// Adds all other parameters. False with *what set.
bool anthropic_add_settings(struct buf *b, const struct wire_params *params, const char *effort,
                            const char **what);

#endif
