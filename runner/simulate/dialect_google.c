// dialect_google.c: refusals in Google's words, as google.rpc.Status. Pure.
// SPDX-License-Identifier: MIT
#include "runner/simulate/dialect.h"

#include "jobs/base/json.h"
#include "runner/simulate/bucket.h"

// {"error":{"code":…,"message":…,"status":…  and what closes it
static void open_status(struct buf *out, int code, const char *status, struct slice message) {
    buf_add_str(out, "{\"error\":{\"code\":");
    buf_add_int(out, code);
    buf_add_str(out, ",\"message\":");
    json_add_string(out, message);
    buf_add_str(out, ",\"status\":");
    json_add_string(out, slice_str(status));
}

static void close_status(struct buf *out) {
    buf_add_str(out, "}}");
}

// The code is the reason of an ErrorInfo.
static void add_body(struct buf *out, const struct dialect_words *words, struct slice message) {
    open_status(out, words->status, words->type, message);
    if (words->code) {
        buf_add_str(out, ",\"details\":[{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\","
                         "\"reason\":");
        json_add_string(out, slice_str(words->code));
        buf_add_str(out, ",\"domain\":\"googleapis.com\",\"metadata\":{\"service\":"
                         "\"generativelanguage.googleapis.com\"}}]");
    }
    close_status(out);
}

static const struct quota {
    const char *metric, *id;
} quotas[] = {
    [LIMIT_REQUESTS] = {"generate_content_free_tier_requests",
                        "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"},
    [LIMIT_TOKENS] = {"generate_content_free_tier_input_token_count",
                      "GenerateContentInputTokensPerModelPerMinute-FreeTier"},
};

static void add_violation(struct buf *out, const struct refusal *r, struct slice model) {
    buf_add_str(out, ",\"details\":[{\"@type\":\"type.googleapis.com/google.rpc.QuotaFailure\","
                     "\"violations\":[{\"quotaMetric\":\"generativelanguage.googleapis.com/");
    buf_add_str(out, quotas[r->kind].metric);
    buf_add_str(out, "\",\"quotaId\":\"");
    buf_add_str(out, quotas[r->kind].id);
    buf_add_str(out, "\",\"quotaDimensions\":{\"location\":\"global\",\"model\":");
    buf_add_slice(out, model.n ? model : SLICE("\"\""));
    buf_add_str(out, "},\"quotaValue\":\"");
    buf_add_int(out, r->limit);
    buf_add_str(out, "\"}]},{\"@type\":\"type.googleapis.com/google.rpc.Help\",\"links\":[{"
                     "\"description\":\"Learn more about Gemini API quotas\",\"url\":"
                     "\"https://ai.google.dev/gemini-api/docs/rate-limits\"}]}");
}

// As protobuf prints a duration; retryDelay is in whole seconds.
static void add_retry(struct buf *out, int64_t wait) {
    buf_add_str(out, ",{\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"");
    buf_add_int(out, (wait + 999999) / 1000000);
    buf_add_str(out, "s\"}");
}

// Limits on what is open at once come bare, without saying which.
static void add_refusal(struct buf *out, const struct refusal *r, struct slice model) {
    bool bare = r->kind != LIMIT_REQUESTS && r->kind != LIMIT_TOKENS;
    bool wait = r->wait >= 0 && r->wait != BUCKET_NEVER;
    struct buf text = BUF_INIT(500);
    if (bare)
        buf_add_str(&text, "Resource has been exhausted (e.g. check quota).");
    else
        buf_add_str(&text, "You exceeded your current quota, please check your plan and billing "
                           "details.");
    if (!bare && wait) {
        buf_add_str(&text, " Please retry in ");
        dialect_add_duration(&text, r->wait);
        buf_add_char(&text, '.');
    }
    open_status(out, 429, "RESOURCE_EXHAUSTED", buf_slice(&text));
    if (!bare) {
        add_violation(out, r, model);
        if (wait)
            add_retry(out, r->wait);
        buf_add_char(out, ']');
    }
    close_status(out);
    buf_free(&text);
}

const struct dialect dialect_google = {
    .words =
        {
            [PROBLEM_REQUEST] = {400, "INVALID_ARGUMENT", NULL, NULL},
            [PROBLEM_JSON] = {400, "INVALID_ARGUMENT", NULL, "Invalid JSON payload received."},
            [PROBLEM_URL] = {404, "NOT_FOUND", NULL, "Requested entity was not found."},
            [PROBLEM_METHOD] = {404, "NOT_FOUND", NULL, "Requested entity was not found."},
            [PROBLEM_TOO_LARGE] = {400, "INVALID_ARGUMENT", NULL,
                                   "Request payload size exceeds the limit."},
            [PROBLEM_NO_KEY] = {403, "PERMISSION_DENIED", NULL,
                                "Method doesn't allow unregistered callers (callers without "
                                "established identity). Please use API Key or other form of API "
                                "consumer identity to call this API."},
            [PROBLEM_KEY] = {400, "INVALID_ARGUMENT", "API_KEY_INVALID",
                             "API key not valid. Please pass a valid API key."},
            [PROBLEM_SERVER] = {500, "INTERNAL", NULL, "An internal error has occurred."},
            [PROBLEM_OVERLOADED] = {503, "UNAVAILABLE", NULL,
                                    "The model is overloaded. Please try again later."},
        },
    .add_body = add_body,
    .add_refusal = add_refusal,
    .event_end = "\r\n\r\n",
};
