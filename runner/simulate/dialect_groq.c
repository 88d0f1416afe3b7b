// dialect_groq.c: limits and refusals in Groq's words. Pure.
//
// Sources: console.groq.com/docs/rate-limits (the requests of the headers are those of a day, the
// tokens those of a minute, and a day's requests come back evenly), /errors, /flex-processing (498),
// /spend-limits (400 blocked_api_access); sentences as in aider #3265, continue #10920 and #10218.
// SPDX-License-Identifier: MIT
#include "runner/simulate/dialect.h"

#include "jobs/base/json.h"
#include "runner/simulate/bucket.h"

#include <inttypes.h>

static void add_body(struct buf *out, const struct dialect_words *words, struct slice message) {
    buf_add_str(out, "{\"error\":{\"message\":");
    json_add_string(out, message);
    dialect_add_member(out, "type", words->type);
    if (words->code)
        dialect_add_member(out, "code", words->code);
    buf_add_str(out, "}}");
}

static const struct limit_words {
    const char *type, *unit;
} limit_words[LIMIT_COUNT] = {
    [LIMIT_NONE] = {"requests", "requests per minute (RPM)"},
    [LIMIT_REQUESTS] = {"requests", "requests per minute (RPM)"},
    [LIMIT_TOKENS] = {"tokens", "tokens per minute (TPM)"},
    [LIMIT_CONCURRENCY] = {"requests", "concurrent requests"},
    [LIMIT_DAY] = {"requests", "requests per day (RPD)"},
};

static void add_numbers(struct buf *text, const struct refusal *r) {
    buf_addf(text, " in organization `org_simulate` service tier `on_demand` on %s: Limit %" PRId64,
             limit_words[r->kind].unit, r->limit);
    if (r->wait != BUCKET_NEVER)
        buf_addf(text, ", Used %" PRId64, r->used);
    buf_addf(text, ", Requested %" PRId64, r->requested);
}

static int add_refusal(struct buf *out, const struct refusal *r, struct slice model) {
    bool too_large = r->wait == BUCKET_NEVER;
    struct dialect_words words = {too_large ? 413 : 429, limit_words[r->kind].type,
                                  "rate_limit_exceeded", NULL};
    struct buf text = BUF_INIT(1000);
    buf_add_str(&text, too_large ? "Request too large" : "Rate limit reached");
    buf_add_str(&text, " for model `");
    dialect_add_model(&text, model);
    buf_add_char(&text, '`');
    if (!r->silent)
        add_numbers(&text, r);
    if (too_large)
        buf_add_str(&text, ", please reduce your message size and try again");
    buf_add_char(&text, '.');
    dialect_add_try_again(&text, r);
    buf_add_str(&text, " Need more tokens? Upgrade to Dev Tier today at "
                       "https://console.groq.com/settings/billing");
    add_body(out, &words, buf_slice(&text));
    buf_free(&text);
    return words.status;
}

static const struct limit_headers headers[] = {
    {LIMIT_DAY, "x-ratelimit-limit-requests", "x-ratelimit-remaining-requests",
     "x-ratelimit-reset-requests"},
    {LIMIT_TOKENS, "x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens",
     "x-ratelimit-reset-tokens"},
    {0},
};

const struct dialect dialect_groq = {
    .name = "groq",
    .words =
        {
            [PROBLEM_REQUEST] = {400, "invalid_request_error", NULL, NULL},
            [PROBLEM_JSON] = {400, "invalid_request_error", NULL,
                              "could not parse the request body as JSON"},
            [PROBLEM_URL] = {404, "invalid_request_error", "unknown_url", "Unknown request URL."},
            [PROBLEM_METHOD] = {405, "invalid_request_error", NULL, "This URL takes POST only."},
            [PROBLEM_TOO_LARGE] = {413, "invalid_request_error", "request_too_large",
                                   "Request Entity Too Large"},
            [PROBLEM_NO_KEY] = {401, "invalid_request_error", "invalid_api_key", "Invalid API Key"},
            [PROBLEM_KEY] = {401, "invalid_request_error", "invalid_api_key", "Invalid API Key"},
            [PROBLEM_SERVER] = {500, "internal_server_error", NULL, "Internal Server Error"},
            [PROBLEM_UNAVAILABLE] = {503, "internal_server_error", NULL, "Service Unavailable"},
            [PROBLEM_OVERLOADED] = {498, "capacity_exceeded", NULL, "Flex tier capacity exceeded"},
            [PROBLEM_MONEY] = {400, "invalid_request_error", "blocked_api_access",
                               "API access is blocked: the organization has reached its spend "
                               "limit."},
            [PROBLEM_MODEL] = {404, "invalid_request_error", "model_not_found",
                               "The model `{model}` does not exist or you do not have access to "
                               "it."},
            [PROBLEM_FORBIDDEN] = {403, "permissions_error", NULL, "Forbidden"},
        },
    .add_body = add_body,
    .add_refusal = add_refusal,
    .headers = headers,
    .tells_wait = true,
    .says_seconds = true,
    .day_refills = true,
};
