// dialect_openai.c: limits and refusals in OpenAI's words. Pure.
//
// Sources: platform.openai.com/docs/guides/error-codes and /rate-limits; the billing codes from the
// spend limit guide; the sentences as issue threads quote them.
// SPDX-License-Identifier: MIT
#include "runner/simulate/dialect.h"

#include "jobs/base/json.h"
#include "runner/simulate/bucket.h"

#include <inttypes.h>

static void add_body(struct buf *out, const struct dialect_words *words, struct slice message) {
    buf_add_str(out, "{\"error\":{\"message\":");
    json_add_string(out, message);
    dialect_add_member(out, "type", words->type);
    dialect_add_member(out, "param", NULL);
    dialect_add_member(out, "code", words->code);
    buf_add_str(out, "}}");
}

static const struct limit_words {
    const char *type, *unit;
} limit_words[LIMIT_COUNT] = {
    [LIMIT_NONE] = {"requests", "requests per min (RPM)"},
    [LIMIT_REQUESTS] = {"requests", "requests per min (RPM)"},
    [LIMIT_TOKENS] = {"tokens", "tokens per min (TPM)"},
    [LIMIT_CONCURRENCY] = {"requests", "concurrent requests"},
    [LIMIT_DAY] = {"requests", "requests per day (RPD)"},
};

static void add_numbers(struct buf *text, const struct refusal *r) {
    buf_addf(text, " in organization org-simulate on %s: Limit %" PRId64, limit_words[r->kind].unit,
             r->limit);
    if (r->wait != BUCKET_NEVER)
        buf_addf(text, ", Used %" PRId64, r->used);
    buf_addf(text, ", Requested %" PRId64, r->requested);
}

static int add_refusal(struct buf *out, const struct refusal *r, struct slice model) {
    struct dialect_words words = {429, limit_words[r->kind].type, "rate_limit_exceeded", NULL};
    struct buf text = BUF_INIT(1000);
    bool too_large = r->wait == BUCKET_NEVER;
    buf_add_str(&text, too_large ? "Request too large for " : "Rate limit reached for ");
    dialect_add_model(&text, model);
    if (!r->silent)
        add_numbers(&text, r);
    buf_add_char(&text, '.');
    dialect_add_try_again(&text, r);
    add_body(out, &words, buf_slice(&text));
    buf_free(&text);
    return words.status;
}

static const struct limit_headers headers[] = {
    {LIMIT_REQUESTS, "x-ratelimit-limit-requests", "x-ratelimit-remaining-requests",
     "x-ratelimit-reset-requests"},
    {LIMIT_TOKENS, "x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens",
     "x-ratelimit-reset-tokens"},
    {0},
};

const struct dialect dialect_openai = {
    .name = "openai",
    .words =
        {
            [PROBLEM_REQUEST] = {400, "invalid_request_error", NULL, NULL},
            [PROBLEM_JSON] = {400, "invalid_request_error", NULL,
                              "We could not parse the JSON body of your request. The API expects a "
                              "JSON payload, but what was sent is not valid JSON."},
            [PROBLEM_URL] = {404, "invalid_request_error", "unknown_url", "Unknown request URL."},
            [PROBLEM_METHOD] = {405, "invalid_request_error", "method_not_supported",
                                "This URL takes POST only."},
            [PROBLEM_TOO_LARGE] = {413, "invalid_request_error", NULL, "The request is too large."},
            [PROBLEM_NO_KEY] = {401, "invalid_request_error", NULL,
                                "You didn't provide an API key. Send one in an Authorization "
                                "header (Authorization: Bearer YOUR_KEY)."},
            [PROBLEM_KEY] = {401, "invalid_request_error", "invalid_api_key",
                             "Incorrect API key provided: {key}. The keys of this simulator are "
                             "those `batch-run simulate --write-keys FILE` writes."},
            [PROBLEM_SERVER] = {500, "server_error", NULL,
                                "The server had an error while processing your request. Sorry "
                                "about that!"},
            [PROBLEM_UNAVAILABLE] = {503, "server_error", NULL,
                                     "The engine is currently overloaded, please try again later."},
            [PROBLEM_OVERLOADED] = {503, "service_unavailable_error", "server_is_overloaded",
                                    "Our servers are currently overloaded. Please try again "
                                    "later."},
            [PROBLEM_MONEY] = {429, "insufficient_quota", "credit_balance_exhausted",
                               "You exceeded your current quota, please check your plan and "
                               "billing details."},
            [PROBLEM_MODEL] = {403, "invalid_request_error", "model_not_found",
                               "Project `proj_simulate` does not have access to model `{model}`"},
            [PROBLEM_FORBIDDEN] = {403, "request_forbidden", "unsupported_country_region_territory",
                                   "Country, region, or territory not supported"},
        },
    .add_body = add_body,
    .add_refusal = add_refusal,
    .headers = headers,
    .tells_wait = true,
    .says_seconds = true,
    .says_milliseconds = true,
};
