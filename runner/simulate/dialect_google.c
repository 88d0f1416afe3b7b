// dialect_google.c: refusals in Google's words, as google.rpc.Status. Pure.
//
// Sources: ai.google.dev/gemini-api/docs/troubleshooting and /rate-limits; quota ids from Roo-Code
// #3883, gemini-cli #8437 and OmniRoute #9504, which also shows the short retryDelay of a day's
// quota; the array on the endpoint of OpenAI's shape from page-assist #406; the empty account from
// dyad #3626; the suspended key, which is echoed, from gpt-load #317. No rate-limit headers.
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

#define DAY_WAIT_MAX INT64_C(36000000) // a retryDelay of seconds, however long the day

static const struct quota {
    const char *metric, *id;
} quotas[LIMIT_COUNT] = {
    [LIMIT_REQUESTS] = {"generate_content_free_tier_requests",
                        "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"},
    [LIMIT_TOKENS] = {"generate_content_free_tier_input_token_count",
                      "GenerateContentInputTokensPerModelPerMinute-FreeTier"},
    [LIMIT_DAY] = {"generate_content_free_tier_requests",
                   "GenerateRequestsPerDayPerProjectPerModel-FreeTier"},
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

static void add_sentence(struct buf *text, const struct refusal *r, bool bare, bool wait) {
    if (bare) {
        buf_add_str(text, "Resource has been exhausted (e.g. check quota).");
        return;
    }
    buf_add_str(text, "You exceeded your current quota, please check your plan and billing "
                      "details.");
    if (!wait)
        return;
    buf_add_str(text, " Please retry in ");
    dialect_add_duration(text, r->wait);
    buf_add_char(text, '.');
}

// Limits on what is open at once come bare, without saying which; and so do all when it is silent.
static int add_refusal(struct buf *out, const struct refusal *r, struct slice model) {
    bool bare = r->silent || !quotas[r->kind].id;
    bool wait = r->wait >= 0 && r->wait != BUCKET_NEVER;
    struct buf text = BUF_INIT(500);
    add_sentence(&text, r, bare, wait);
    open_status(out, 429, "RESOURCE_EXHAUSTED", buf_slice(&text));
    if (!bare) {
        add_violation(out, r, model);
        if (wait)
            add_retry(out, r->wait);
        buf_add_char(out, ']');
    }
    close_status(out);
    buf_free(&text);
    return 429;
}

// -- the endpoint of OpenAI's shape: the same in an array --

static void add_body_in_array(struct buf *out, const struct dialect_words *words,
                              struct slice message) {
    buf_add_char(out, '[');
    add_body(out, words, message);
    buf_add_char(out, ']');
}

static int add_refusal_in_array(struct buf *out, const struct refusal *r, struct slice model) {
    buf_add_char(out, '[');
    int status = add_refusal(out, r, model);
    buf_add_char(out, ']');
    return status;
}

#define WORDS                                                                                      \
    {                                                                                              \
        [PROBLEM_REQUEST] = {400, "INVALID_ARGUMENT", NULL, NULL},                                 \
        [PROBLEM_JSON] = {400, "INVALID_ARGUMENT", NULL, "Invalid JSON payload received."},        \
        [PROBLEM_URL] = {404, "NOT_FOUND", NULL, "Requested entity was not found."},               \
        [PROBLEM_METHOD] = {404, "NOT_FOUND", NULL, "Requested entity was not found."},            \
        [PROBLEM_TOO_LARGE] = {400, "INVALID_ARGUMENT", NULL,                                      \
                               "Request payload size exceeds the limit."},                         \
        [PROBLEM_NO_KEY] = {403, "PERMISSION_DENIED", NULL,                                        \
                            "Method doesn't allow unregistered callers (callers without "          \
                            "established identity). Please use API Key or other form of API "      \
                            "consumer identity to call this API."},                                \
        [PROBLEM_KEY] = {400, "INVALID_ARGUMENT", "API_KEY_INVALID",                               \
                         "API key not valid. Please pass a valid API key."},                       \
        [PROBLEM_SERVER] = {500, "INTERNAL", NULL, "An internal error has occurred."},             \
        [PROBLEM_UNAVAILABLE] = {503, "UNAVAILABLE", NULL,                                         \
                                 "The service is currently unavailable."},                         \
        [PROBLEM_OVERLOADED] = {503, "UNAVAILABLE", NULL,                                          \
                                "The model is overloaded. Please try again later."},               \
        [PROBLEM_MONEY] = {429, "RESOURCE_EXHAUSTED", NULL,                                        \
                           "Your prepayment credits are depleted. Please go to AI Studio at "      \
                           "https://ai.studio/projects to manage your project and billing."},      \
        [PROBLEM_MODEL] = {404, "NOT_FOUND", NULL,                                                 \
                           "models/{model} is not found for API version v1beta, or is not "        \
                           "supported for generateContent."},                                      \
        [PROBLEM_FORBIDDEN] = {403, "PERMISSION_DENIED", "CONSUMER_SUSPENDED",                     \
                               "Permission denied: Consumer 'api_key:{secret}' has been "          \
                               "suspended."},                                                      \
    }

const struct dialect dialect_google_openai = {
    .name = "google",
    .words = WORDS,
    .add_body = add_body_in_array,
    .add_refusal = add_refusal_in_array,
    .tells_wait = true,
    .day_wait_max = DAY_WAIT_MAX,
};

const struct dialect dialect_google = {
    .name = "google",
    .words = WORDS,
    .add_body = add_body,
    .add_refusal = add_refusal,
    .tells_wait = true,
    .day_wait_max = DAY_WAIT_MAX,
    .on_openai = &dialect_google_openai,
};
