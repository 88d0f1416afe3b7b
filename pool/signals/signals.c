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

static bool has_elements(struct slice token) {
    struct slice element;
    struct json_walk walk = json_walk(token);
    return json_type(token) == JSON_ARRAY && json_next_element(&walk, &element);
}

bool signals_is_error_body(struct slice body) {
    struct slice error, success, choices, content, candidates, data;
    if (json_type(body) == JSON_ARRAY) {
        struct json_walk walk = json_walk(body);
        if (!json_next_element(&walk, &body))
            return false;
    }
    const struct json_field fields[] = {{"error", &error},           {"success", &success},
                                        {"choices", &choices},       {"content", &content},
                                        {"candidates", &candidates}, {"data", &data}};
    if (!json_fields(body, fields, sizeof fields / sizeof *fields))
        return false;
    if (has_elements(choices) || has_elements(content) || has_elements(candidates) ||
        has_elements(data))
        return false;
    enum json_type type = json_type(error);
    return type == JSON_OBJECT || type == JSON_STRING || slice_is(success, "false");
}
