// dialect_mistral.c: limits and refusals in Mistral's words. Pure.
//
// Sources: the headers from client-ts #169 (there is none that says when); the 429 from raycast
// #31107, whose members stand at the top; the busy tier from continue #6185; 401 from nextcloud
// integration_openai #332; validation in FastAPI's list from appstrate #138. Retry-After is promised by
// the documentation. 402 and 403 are in the shape of the gateway's 401 and not seen anywhere.
// SPDX-License-Identifier: MIT
#include "runner/simulate/dialect.h"

#include "jobs/base/json.h"

// Without a type it is the gateway that speaks.
static void add_gateway_body(struct buf *out, struct slice message) {
    buf_add_str(out, "{\"detail\":");
    json_add_string(out, message);
    buf_add_char(out, '}');
}

static void add_validation(struct buf *out, struct slice message) {
    buf_add_str(out, "{\"detail\":[{\"type\":\"value_error\",\"loc\":[\"body\"],\"msg\":");
    json_add_string(out, message);
    buf_add_str(out, "}]}");
}

static void add_body(struct buf *out, const struct dialect_words *words, struct slice message) {
    buf_add_str(out, "{\"object\":\"error\",\"message\":");
    if (words->status == 422)
        add_validation(out, message);
    else
        json_add_string(out, message);
    dialect_add_member(out, "type", words->type);
    dialect_add_member(out, "param", NULL);
    dialect_add_member(out, "code", words->code);
    json_add_name(out, "raw_status_code");
    buf_add_int(out, words->status);
    buf_add_char(out, '}');
}

static void add_any_body(struct buf *out, const struct dialect_words *words, struct slice message) {
    if (words->type)
        add_body(out, words, message);
    else
        add_gateway_body(out, message);
}

// It never says which limit.
static int add_refusal(struct buf *out, const struct refusal *r, struct slice model) {
    static const struct dialect_words words = {429, "rate_limited", "1300", NULL};
    (void)r, (void)model;
    add_body(out, &words, SLICE("Rate limit exceeded"));
    return words.status;
}

static const struct limit_headers headers[] = {
    {LIMIT_REQUESTS, "x-ratelimit-limit-req-minute", "x-ratelimit-remaining-req-minute", NULL},
    {LIMIT_TOKENS, "x-ratelimit-limit-tokens-minute", "x-ratelimit-remaining-tokens-minute", NULL},
    {0},
};

const struct dialect dialect_mistral = {
    .name = "mistral",
    .words =
        {
            [PROBLEM_REQUEST] = {422, "invalid_request_error", NULL, NULL},
            [PROBLEM_JSON] = {422, "invalid_request_error", NULL, "JSON decode error"},
            [PROBLEM_URL] = {404, NULL, NULL, "Not Found"},
            [PROBLEM_METHOD] = {405, NULL, NULL, "Method Not Allowed"},
            [PROBLEM_TOO_LARGE] = {413, NULL, NULL, "Request Entity Too Large"},
            [PROBLEM_NO_KEY] = {401, NULL, NULL, "Unauthorized"},
            [PROBLEM_KEY] = {401, NULL, NULL, "Unauthorized"},
            [PROBLEM_SERVER] = {500, "internal_server_error", NULL, "Internal Server Error"},
            [PROBLEM_UNAVAILABLE] = {503, "internal_server_error", NULL, "Service unavailable."},
            [PROBLEM_OVERLOADED] = {429, "invalid_request_error", NULL,
                                    "Service tier capacity exceeded for this model."},
            [PROBLEM_MONEY] = {402, NULL, NULL, "Payment required"},
            [PROBLEM_MODEL] = {400, "invalid_model", "1500", "Invalid model: {model}"},
            [PROBLEM_FORBIDDEN] = {403, NULL, NULL, "Forbidden"},
        },
    .add_body = add_any_body,
    .add_refusal = add_refusal,
    .headers = headers,
    .cost_header = "x-ratelimit-tokens-query-cost",
    .tells_wait = true,
    .says_seconds = true,
};
