// need.c: estimates tokens from bytes. Pure.
// SPDX-License-Identifier: MIT
#include "runner/need.h"

#include "jobs/base/json.h"

#define BYTES_PER_TOKEN 4

static struct slice of(const struct request *request, const struct wire_defaults *defaults,
                       enum param param) {
    struct slice own = request->params[param];
    return own.n || !defaults->params ? own : defaults->params[param];
}

static int64_t input_tokens(const struct request *request, const struct wire_defaults *defaults) {
    size_t bytes = request->prompt.n + request->messages.n + request->body.n +
                   of(request, defaults, PARAM_TOOLS).n + of(request, defaults, PARAM_FUNCTIONS).n;
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

// As it goes out: what extra_body says goes before all else, the row before the run.
static struct slice bound_of(const struct request *request, const struct wire_defaults *defaults) {
    static const enum param names[] = {PARAM_MAX_COMPLETION_TOKENS, PARAM_MAX_TOKENS};
    struct slice bound = bound_in_body(of(request, defaults, PARAM_EXTRA_BODY));
    for (int i = 0; i < 2 && !bound.n; i++)
        bound = request->params[names[i]];
    for (int i = 0; i < 2 && !bound.n; i++)
        bound = of(request, defaults, names[i]);
    return bound;
}

static int64_t output_tokens(const struct request *request, const struct wire_defaults *defaults) {
    int64_t bound, answers;
    struct slice token =
        request->body.n ? bound_in_body(request->body) : bound_of(request, defaults);
    if (!json_int(token, &bound) || bound < 0)
        return -1;
    if (!request->body.n && json_int(of(request, defaults, PARAM_N), &answers) && answers > 1 &&
        __builtin_mul_overflow(bound, answers, &bound))
        return NEED_MOST;
    return bound < NEED_MOST ? bound : NEED_MOST;
}

struct need need_of(const struct request *request, const struct wire_defaults *defaults) {
    return (struct need){.input_tokens = input_tokens(request, defaults),
                         .output_tokens = output_tokens(request, defaults)};
}
