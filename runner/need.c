// need.c: estimates tokens from bytes. Pure.
// SPDX-License-Identifier: MIT
#include "runner/need.h"

#include "jobs/base/json.h"

#define BYTES_PER_TOKEN 4

static int64_t input_tokens(const struct request *request, const struct wire_defaults *defaults) {
    size_t bytes = request->prompt.n + request->messages.n + request->body.n + request->tools.n;
    if (!request->body.n) // a batch body has its system prompt inside
        bytes += request->system.n ? request->system.n : defaults->system.n;
    return (int64_t)((bytes + BYTES_PER_TOKEN - 1) / BYTES_PER_TOKEN);
}

// Under the names the wires have for it.
static struct slice bound_in_body(struct slice body) {
    struct slice chat, reasoning, settings, gemini;
    const struct json_field fields[] = {{"max_tokens", &chat},
                                        {"max_completion_tokens", &reasoning},
                                        {"generationConfig", &settings}};
    json_fields(body, fields, sizeof fields / sizeof *fields);
    gemini = json_get(settings, "maxOutputTokens");
    return chat.n ? chat : reasoning.n ? reasoning : gemini;
}

static int64_t output_tokens(const struct request *request) {
    int64_t bound;
    struct slice token = request->body.n ? bound_in_body(request->body) : request->max_tokens;
    if (!json_int(token, &bound) || bound < 0)
        return -1;
    return bound < NEED_MOST ? bound : NEED_MOST;
}

struct need need_of(const struct request *request, const struct wire_defaults *defaults) {
    return (struct need){.input_tokens = input_tokens(request, defaults),
                         .output_tokens = output_tokens(request)};
}
