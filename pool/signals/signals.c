// signals.c: reads a refusal: what it means, how long to wait, and in which words. Pure.
// SPDX-License-Identifier: MIT
#include "pool/signals/signals.h"

#include "jobs/base/clock.h"
#include "jobs/base/json.h"
#include "pool/limits/retry_after.h"
#include "pool/signals/hint.h"
#include "pool/signals/wording.h"

#include <stdlib.h>

const char *cause_name(enum cause cause) {
    static const char *const names[CAUSE_COUNT] = {
        [BECAUSE_NOTHING] = "nothing",
        [BECAUSE_REQUEST] = "request",
        [BECAUSE_KEY] = "key",
        [BECAUSE_MONEY] = "money",
        [BECAUSE_DAY] = "day",
        [BECAUSE_RATE] = "rate",
        [BECAUSE_CONCURRENCY] = "concurrency",
        [BECAUSE_MODEL] = "model",
        [BECAUSE_UPSTREAM] = "upstream",
        [BECAUSE_FORBIDDEN] = "forbidden",
    };
    return names[cause];
}

// The status that counts: the answer's own, or for an error inside a 2xx the one it names.
static int real_status(const struct http_answer *answer, const struct error_body *error) {
    bool good = answer->status >= 200 && answer->status <= 299;
    return good ? error->http_status : answer->status;
}

// "ThrottlingException:http://internal.amazon.com/…": AWS names its exceptions in a header too.
static void add_aws_type(struct refusal *r) {
    char word[64];
    struct slice type = refusal_header(r, "x-amzn-errortype");
    const char *colon = type.n ? memchr(type.p, ':', type.n) : NULL;
    if (colon)
        type.n = (size_t)(colon - type.p);
    message_clean(type, word, sizeof word);
    error_body_add_word(&r->error, word);
}

void refusal_read(const struct provider *provider, const struct http_answer *answer,
                  int64_t now_wall, struct refusal *r) {
    r->provider = provider;
    r->answer = answer;
    r->now_wall = retry_after_clock(refusal_header(r, "date"), now_wall);
    error_body_read(answer->body, &r->error);
    r->status = real_status(answer, &r->error);
    add_aws_type(r);
    announced_read(provider, answer, now_wall, &r->limits);
}

// A refusal in the words of a minute's limit, while the headers say that the day's is empty.
static bool is_days_end(const struct refusal *r, const struct meaning *meaning) {
    return meaning->cause == BECAUSE_RATE &&
           (r->limits.requests_day.remaining == 0 || r->limits.tokens_day.remaining == 0);
}

// The number behind a word of a message, "Requested 4351": -1 when there is none.
static int64_t number_behind(const char *text, const char *word) {
    const char *at = strcasestr(text, word);
    int64_t number = 0;
    if (!at)
        return -1;
    at += strlen(word);
    at += strspn(at, " :");
    if (*at < '0' || *at > '9')
        return -1;
    for (; (*at >= '0' && *at <= '9') || *at == ','; at++)
        if (*at != ',' && number < INT64_C(1000000000000))
            number = number * 10 + (*at - '0');
    return number;
}

// A rate limit on tokens may have been met by this request alone, unless the message tells that it
// fits: "Limit 15000, Used 11972, Requested 4351".
static bool may_be_too_large(const struct refusal *r) {
    const char *texts = r->error.texts;
    int64_t limit = number_behind(texts, "limit "), wanted = number_behind(texts, "requested ");
    if (limit >= 0 && wanted >= 0)
        return wanted > limit;
    return strcasestr(texts, "token") || strcasestr(texts, "TPM") || strcasestr(texts, "too large");
}

static bool is_about_size(const struct refusal *r, const struct meaning *meaning) {
    return meaning->about_size || (meaning->cause == BECAUSE_RATE && may_be_too_large(r));
}

// Types that stand for the request itself, and lists of what is wrong with it ({"loc": ["body", …]}).
static bool names_request(const struct refusal *r) {
    static const char *const types[] = {"invalid_request_error", "invalid_request",
                                        "invalid_request_body",  "BadRequestError",
                                        "validation_error",      "ValidationError",
                                        "INVALID_ARGUMENT",      "invalid_parameter_error",
                                        "invalid_parameter",     "invalid_value"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (error_body_has(&r->error, types[i]))
            return true;
    return r->answer->body.n && memmem(r->answer->body.p, r->answer->body.n, "\"loc\"", 5);
}

void signals_read(const struct provider *provider, const struct http_answer *answer,
                  int64_t now_wall, struct verdict *verdict) {
    struct refusal r;
    refusal_read(provider, answer, now_wall, &r);
    struct meaning meaning = rules_find(&r);
    if (is_days_end(&r, &meaning)) {
        meaning.cause = BECAUSE_DAY;
        meaning.outcome = OUTCOME_QUOTA;
    }
    *verdict = (struct verdict){
        .outcome = meaning.outcome,
        .cause = meaning.cause,
        .scope = meaning.scope,
        .final = meaning.final,
        .status = r.status,
        .by_status = meaning.by_status,
        .names_request = names_request(&r),
        .about_size = is_about_size(&r, &meaning),
        .wrong_address = meaning.wrong_address,
        .hint = hint_find(&r, &meaning),
    };
    wording_choose(&r, verdict);
}
