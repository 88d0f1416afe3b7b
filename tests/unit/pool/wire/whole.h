// Whole answers read as pool/answer.c does: what read_reply() leaves to the events is put together.
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_POOL_WIRE_WHOLE_H
#define TESTS_UNIT_POOL_WIRE_WHOLE_H

#include "pool/wire/stream.h"

// A chat completion with all that may be in one.
#define REPLY_CALL                                                                                 \
    "{\"id\":\"call_1\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}"
#define REPLY                                                                                      \
    "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"gpt\","       \
    "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"a\\u0000b\","     \
    "\"reasoning_content\":\"why\",\"refusal\":null,\"tool_calls\":[" REPLY_CALL "]},"             \
    "\"finish_reason\":\"stop\"},{\"message\":{\"content\":\"second\"}}],\"usage\":{"              \
    "\"prompt_tokens\":12,\"completion_tokens\":34,\"total_tokens\":46,"                           \
    "\"prompt_tokens_details\":{\"cached_tokens\":5},"                                             \
    "\"completion_tokens_details\":{\"reasoning_tokens\":7}}}"

static inline enum wire_answer read_whole(const struct wire *wire, struct slice body,
                                          struct buf *scratch, struct reply *reply,
                                          const char **what) {
    enum wire_answer answer = wire->read_reply(body, scratch, reply, what);
    if (answer != WIRE_PARTS)
        return answer;
    struct wire_stream s;
    const char *why = NULL;
    wire_stream_init(&s, wire, scratch->max);
    wire_stream_take(&s, body);
    s.complete = true;
    enum stream_end end = wire_stream_finish(&s, scratch, &why);
    *reply = (struct reply){.usage = s.usage};
    if (end == STREAM_WHOLE || end == STREAM_BLOCKED)
        wire_stream_reply(&s, buf_slice(scratch), reply);
    wire_stream_free(&s);
    *what = end == STREAM_WHOLE ? NULL : "parts";
    return end == STREAM_WHOLE ? WIRE_OK : end == STREAM_BLOCKED ? WIRE_BLOCKED : WIRE_NOT_MINE;
}

#endif
