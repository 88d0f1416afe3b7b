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

#endif
