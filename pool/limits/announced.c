// announced.c: reads the limits that providers tell in headers, each in its own names. Pure.
// SPDX-License-Identifier: MIT
#include "pool/limits/announced.h"

#include "jobs/base/clock.h"
#include "pool/catalogue.h"
#include "pool/limits/retry_after.h"

// Counts beyond this are no counts.
#define COUNT_DIGITS 15
// A reset that is shorter is a duration: dates and times since 1970 have ten characters at least.
#define TIME_LENGTH 10

// One limit's headers. Without `remaining` in an answer the other two are not looked for. A row of
// zeros ends a provider's table.
struct headers {
    size_t into;                           // the limit's place in struct announced
    const char *remaining, *limit, *reset; // reset may be NULL: never said
};

#define INTO(member) offsetof(struct announced, member)

// Spoken by gateways, vLLM and Azure too. x-ratelimit-*-tokens_usage_based repeat what is said
// here for another tier and are left alone.
static const struct headers of_openai[] = {
    {INTO(requests_minute), "x-ratelimit-remaining-requests", "x-ratelimit-limit-requests",
     "x-ratelimit-reset-requests"},
    {INTO(tokens_minute), "x-ratelimit-remaining-tokens", "x-ratelimit-limit-tokens",
     "x-ratelimit-reset-tokens"},
    {0},
};

// The same names, but requests are counted per day (console.groq.com/docs/rate-limits).
static const struct headers of_groq[] = {
    {INTO(requests_day), "x-ratelimit-remaining-requests", "x-ratelimit-limit-requests",
     "x-ratelimit-reset-requests"},
    {INTO(tokens_minute), "x-ratelimit-remaining-tokens", "x-ratelimit-limit-tokens",
     "x-ratelimit-reset-tokens"},
    {0},
};

// mistralai/client-ts #169
static const struct headers of_mistral[] = {
    {INTO(requests_minute), "x-ratelimit-remaining-req-minute", "x-ratelimit-limit-req-minute",
     NULL},
    {INTO(tokens_minute), "x-ratelimit-remaining-tokens-minute", "x-ratelimit-limit-tokens-minute",
     NULL},
    {0},
};

// docs.claude.com/en/api/rate-limits; the resets are RFC 3339.
static const struct headers of_anthropic[] = {
    {INTO(requests_minute), "anthropic-ratelimit-requests-remaining",
     "anthropic-ratelimit-requests-limit", "anthropic-ratelimit-requests-reset"},
    {INTO(tokens_minute), "anthropic-ratelimit-tokens-remaining",
     "anthropic-ratelimit-tokens-limit", "anthropic-ratelimit-tokens-reset"},
    {INTO(input_tokens_minute), "anthropic-ratelimit-input-tokens-remaining",
     "anthropic-ratelimit-input-tokens-limit", "anthropic-ratelimit-input-tokens-reset"},
    {INTO(output_tokens_minute), "anthropic-ratelimit-output-tokens-remaining",
     "anthropic-ratelimit-output-tokens-limit", "anthropic-ratelimit-output-tokens-reset"},
    {0},
};

static const struct headers of_none[] = {{0}};

// Providers that tell nothing themselves may be reached through a gateway that does, all but Google,
// whose wire gateways do not speak.
static const struct headers *find_headers(const char *name) {
    static const struct {
        const char *name;
        const struct headers *headers;
    } own[] = {
        {"anthropic", of_anthropic},
        {"google", of_none},
        {"groq", of_groq},
        {"mistral", of_mistral},
    };
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(name, own[i].name) == 0)
            return own[i].headers;
    return NULL;
}

// Under its own name, else as the provider whose headers it uses.
static const struct headers *headers_of(const struct provider *provider) {
    const struct headers *own = find_headers(provider->name);
    if (!own && provider->family)
        own = find_headers(provider->family);
    return own ? own : of_openai;
}

// A whole number, -1 for everything else ("-1" included: Azure's word for not known).
static int64_t count_of(struct slice text) {
    int64_t count = 0;
    text = slice_trim(text);
    if (!text.n || text.n > COUNT_DIGITS)
        return -1;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return -1;
        count = count * 10 + (text.p[i] - '0');
    }
    return count;
}

static struct slice look_up(const struct http_answer *answer, const char *name) {
    return name ? answer->header(answer->context, name) : SLICE_NONE;
}

// Azure sends limits of -1 and 0 that mean nothing, with a "remaining" that means as little
// (openai-dotnet #838).
static bool read_limit(const struct headers *names, struct slice remaining,
                       const struct http_answer *answer, int64_t now_wall,
                       struct announced_limit *limit) {
    struct slice most = look_up(answer, names->limit);
    limit->limit = count_of(most);
    limit->remaining = count_of(remaining);
    if (limit->remaining < 0 || (most.n && limit->limit <= 0)) {
        limit->limit = limit->remaining = -1;
        return false;
    }
    if (limit->limit >= 0 && limit->remaining > limit->limit)
        limit->remaining = limit->limit;
    struct slice reset = look_up(answer, names->reset);
    if (reset.n >= TIME_LENGTH) // by the clock that made it
        now_wall = retry_after_clock(look_up(answer, "date"), now_wall);
    // Anthropic's dates are whole seconds; what is left until then is no finer.
    int64_t second = (now_wall + USEC_PER_SEC - 1) / USEC_PER_SEC * USEC_PER_SEC;
    if (!retry_after_parse(reset, second, &limit->reset))
        limit->reset = -1;
    return true;
}

bool announced_read(const struct provider *provider, const struct http_answer *answer,
                    int64_t now_wall, struct announced *announced) {
    const struct announced_limit unsaid = {-1, -1, -1};
    bool found = false;
    *announced = (struct announced){unsaid, unsaid, unsaid, unsaid, unsaid, unsaid};
    if (!answer->header)
        return false;
    for (const struct headers *names = headers_of(provider); names->remaining; names++) {
        struct slice remaining = look_up(answer, names->remaining);
        void *limit = (char *)announced + names->into;
        if (remaining.n && read_limit(names, remaining, answer, now_wall, limit))
            found = true;
    }
    return found;
}
