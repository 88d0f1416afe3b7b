// signals.c: reads a refusal: what it means, how long to wait, and in which words. Pure.
// SPDX-License-Identifier: MIT
#include "pool/signals/signals.h"

#include "jobs/base/clock.h"
#include "jobs/base/json.h"
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
    if (answer->status < 200 || answer->status > 299)
        return answer->status;
    long named = strtol(error->code, NULL, 10);
    return strlen(error->code) == 3 && named >= 400 && named <= 599 ? (int)named : 0;
}

static void read_refusal(const struct provider *provider, const struct http_answer *answer,
                         int64_t now_wall, struct refusal *r) {
    r->provider = provider;
    r->answer = answer;
    r->now_wall = now_wall;
    error_body_read(answer->body, &r->error);
    r->status = real_status(answer, &r->error);
    announced_read(provider, answer, now_wall, &r->limits);
}

// A refusal in the words of a minute's limit, while the headers say that the day's is empty.
static bool is_days_end(const struct refusal *r, const struct meaning *meaning) {
    return meaning->cause == BECAUSE_RATE &&
           (r->limits.requests_day.remaining == 0 || r->limits.tokens_day.remaining == 0);
}

// Whether this request may be too large for a limit or a balance.
static bool is_about_size(const struct refusal *r) {
    static const char *const words[] = {"token", "too large", "too long", "can only afford"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasestr(r->error.message, words[i]))
            return true;
    return false;
}

void signals_read(const struct provider *provider, const struct http_answer *answer,
                  int64_t now_wall, struct verdict *verdict) {
    struct refusal r;
    read_refusal(provider, answer, now_wall, &r);
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
        .about_size = is_about_size(&r),
        .hint = hint_find(&r, &meaning),
    };
    wording_choose(&r, verdict);
}
