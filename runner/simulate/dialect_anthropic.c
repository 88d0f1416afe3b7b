// dialect_anthropic.c: limits and refusals in Anthropic's words. Pure.
//
// Sources: docs.claude.com/en/api/errors and /rate-limits; the empty account from LiteLLM #16092.
// There is no daily quota: one set with --rpd is told as a rate limit.
// SPDX-License-Identifier: MIT
#include "runner/simulate/dialect.h"

#include "jobs/base/json.h"
#include "runner/simulate/bucket.h"

#include <inttypes.h>

static void add_body(struct buf *out, const struct dialect_words *words, struct slice message) {
    buf_add_str(out, "{\"type\":\"error\",\"error\":{\"type\":");
    json_add_string(out, slice_str(words->type));
    buf_add_str(out, ",\"message\":");
    json_add_string(out, message);
    buf_add_str(out, "},\"request_id\":\"req_simulated\"}");
}

static const char *const units[LIMIT_COUNT] = {
    [LIMIT_NONE] = "requests per minute", [LIMIT_REQUESTS] = "requests per minute",
    [LIMIT_TOKENS] = "tokens per minute", [LIMIT_CONCURRENCY] = "concurrent connections",
    [LIMIT_DAY] = "requests per day",
};

static int add_refusal(struct buf *out, const struct refusal *r, struct slice model) {
    static const struct dialect_words words = {429, "rate_limit_error", NULL, NULL};
    struct buf text = BUF_INIT(500);
    (void)model;
    buf_add_str(&text, "This request would exceed your organization's rate limit");
    if (!r->silent)
        buf_addf(&text, " of %" PRId64 " %s", r->limit, units[r->kind]);
    buf_add_char(&text, '.');
    if (r->wait == BUCKET_NEVER)
        buf_addf(&text, " It asks for %" PRId64 " at once.", r->requested);
    add_body(out, &words, buf_slice(&text));
    buf_free(&text);
    return words.status;
}

static const struct limit_headers headers[] = {
    {LIMIT_REQUESTS, "anthropic-ratelimit-requests-limit", "anthropic-ratelimit-requests-remaining",
     "anthropic-ratelimit-requests-reset"},
    {LIMIT_TOKENS, "anthropic-ratelimit-tokens-limit", "anthropic-ratelimit-tokens-remaining",
     "anthropic-ratelimit-tokens-reset"},
    {0},
};

const struct dialect dialect_anthropic = {
    .name = "anthropic",
    .words =
        {
            [PROBLEM_REQUEST] = {400, "invalid_request_error", NULL, NULL},
            [PROBLEM_JSON] = {400, "invalid_request_error", NULL,
                              "The request body is not valid JSON"},
            [PROBLEM_URL] = {404, "not_found_error", NULL, "Not Found"},
            [PROBLEM_METHOD] = {405, "invalid_request_error", NULL, "Method Not Allowed"},
            [PROBLEM_TOO_LARGE] = {413, "request_too_large", NULL,
                                   "Request exceeds the maximum size"},
            [PROBLEM_NO_KEY] = {401, "authentication_error", NULL, "x-api-key header is required"},
            [PROBLEM_KEY] = {401, "authentication_error", NULL, "invalid x-api-key"},
            [PROBLEM_SERVER] = {500, "api_error", NULL, "Internal server error"},
            [PROBLEM_UNAVAILABLE] = {503, "api_error", NULL, "Service unavailable"},
            [PROBLEM_OVERLOADED] = {529, "overloaded_error", NULL, "Overloaded"},
            [PROBLEM_MONEY] = {400, "invalid_request_error", NULL,
                               "Your credit balance is too low to access the Anthropic API. Please "
                               "go to Plans & Billing to upgrade or purchase credits."},
            [PROBLEM_MODEL] = {404, "not_found_error", NULL, "model: {model}"},
            [PROBLEM_FORBIDDEN] = {403, "permission_error", NULL,
                                   "Your API key does not have permission to use the specified "
                                   "resource."},
        },
    .add_body = add_body,
    .add_refusal = add_refusal,
    .headers = headers,
    .reset_is_date = true,
    .tells_wait = true,
    .says_seconds = true,
};
