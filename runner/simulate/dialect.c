// dialect.c: what the dialects of errors have in common, and OpenAI's. Pure.
// SPDX-License-Identifier: MIT
#include "runner/simulate/dialect.h"

#include "jobs/base/json.h"
#include "jobs/base/utf8.h"
#include "runner/simulate/bucket.h"

#include <inttypes.h>

#define TEXT_MAX 1000

int dialect_add_error(struct buf *out, const struct dialect *d, enum problem problem,
                      struct slice message) {
    const struct dialect_words *words = &d->words[problem];
    d->add_body(out, words, message.n ? message : slice_str(words->message));
    return words->status;
}

// 1200 ms as "1.2".
static void add_seconds(struct buf *out, int64_t ms) {
    buf_add_int(out, ms / 1000);
    int fraction = (int)(ms % 1000);
    if (!fraction)
        return;
    buf_add_char(out, '.');
    for (int digit = 100; fraction; fraction %= digit, digit /= 10)
        buf_add_char(out, (char)('0' + fraction / digit));
}

void dialect_add_duration(struct buf *out, int64_t usec) {
    int64_t ms = usec / 1000 + (usec % 1000 != 0), minutes = ms / 60000;
    if (ms && ms < 1000) {
        buf_add_int(out, ms);
        buf_add_str(out, "ms");
        return;
    }
    if (minutes >= 60) {
        buf_add_int(out, minutes / 60);
        buf_add_char(out, 'h');
    }
    if (minutes) {
        buf_add_int(out, minutes % 60);
        buf_add_char(out, 'm');
    }
    add_seconds(out, ms % 60000);
    buf_add_char(out, 's');
}

#define MASK_HEAD 8
#define MASK_TAIL 4

// The ends of a key with stars between them; a short one is all stars.
static void add_masked(struct buf *out, struct slice key) {
    bool shown = key.n >= 2 * (MASK_HEAD + MASK_TAIL);
    size_t stars = shown ? key.n - MASK_HEAD - MASK_TAIL : key.n;
    if (shown)
        buf_add(out, key.p, MASK_HEAD);
    for (size_t i = 0; i < stars && i < 100; i++)
        buf_add_char(out, '*');
    if (shown)
        buf_add(out, key.p + key.n - MASK_TAIL, MASK_TAIL);
}

// A sentence with the key's ends, where a dialect leaves the message open.
int dialect_add_key_error(struct buf *out, const struct dialect *d, struct slice key) {
    enum problem problem = key.n ? PROBLEM_KEY : PROBLEM_NO_KEY;
    if (d->words[problem].message)
        return dialect_add_error(out, d, problem, SLICE_NONE);
    struct buf text = BUF_INIT(TEXT_MAX), clean = BUF_INIT(TEXT_MAX);
    buf_add_str(&text, "Incorrect API key provided: ");
    add_masked(&text, key);
    buf_add_str(&text, ". The keys of this simulator are those `batch-run simulate --write-keys "
                       "FILE` writes.");
    utf8_add_repaired(&clean, buf_slice(&text));
    int status = dialect_add_error(out, d, problem, buf_slice(&clean));
    buf_free(&text);
    buf_free(&clean);
    return status;
}

// -- OpenAI --

static void add_body(struct buf *out, const struct dialect_words *words, struct slice message) {
    buf_add_str(out, "{\"error\":{\"message\":");
    json_add_string(out, message);
    buf_add_str(out, ",\"type\":");
    json_add_string(out, slice_str(words->type));
    buf_add_str(out, ",\"param\":null,\"code\":");
    if (words->code)
        json_add_string(out, slice_str(words->code));
    else
        buf_add_str(out, "null");
    buf_add_str(out, "}}");
}

static const struct limit_words {
    const char *type, *unit;
} limit_words[] = {
    [LIMIT_NONE] = {"requests", "requests per min (RPM)"},
    [LIMIT_REQUESTS] = {"requests", "requests per min (RPM)"},
    [LIMIT_TOKENS] = {"tokens", "tokens per min (TPM)"},
    [LIMIT_CONCURRENCY] = {"requests", "concurrent requests"},
};

static void add_refusal(struct buf *out, const struct refusal *r, struct slice model) {
    const struct limit_words *words = &limit_words[r->kind];
    struct buf text = BUF_INIT(TEXT_MAX), name = BUF_INIT(model.n + 1);
    bool too_large = r->wait == BUCKET_NEVER;
    json_string_decode(model, &name);
    buf_add_str(&text, too_large ? "Request too large for " : "Rate limit reached for ");
    buf_add_slice(&text, utf8_cut(buf_slice(&name), 100));
    buf_addf(&text, " in organization org-simulate on %s: Limit %" PRId64, words->unit, r->limit);
    if (!too_large)
        buf_addf(&text, ", Used %" PRId64, r->used);
    buf_addf(&text, ", Requested %" PRId64 ".", r->requested);
    if (!too_large && r->wait >= 0) {
        buf_add_str(&text, " Please try again in ");
        dialect_add_duration(&text, r->wait);
        buf_add_char(&text, '.');
    }
    add_body(out, &(struct dialect_words){429, words->type, "rate_limit_exceeded", NULL},
             buf_slice(&text));
    buf_free(&text);
    buf_free(&name);
}

const struct dialect dialect_openai = {
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
            [PROBLEM_KEY] = {401, "invalid_request_error", "invalid_api_key", NULL},
            [PROBLEM_SERVER] = {500, "server_error", NULL,
                                "The server had an error while processing your request. Sorry "
                                "about that!"},
            [PROBLEM_OVERLOADED] = {503, "server_error", NULL,
                                    "The engine is currently overloaded, please try again later."},
        },
    .add_body = add_body,
    .add_refusal = add_refusal,
    .request_headers = {"x-ratelimit-limit-requests", "x-ratelimit-remaining-requests",
                        "x-ratelimit-reset-requests"},
    .token_headers = {"x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens",
                      "x-ratelimit-reset-tokens"},
    .says_seconds = true,
    .says_milliseconds = true,
    .event_end = "\n\n",
};
