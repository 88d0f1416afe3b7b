// rules.c: finds what a refusal means: own words, common words, status. Constant; any thread.
// SPDX-License-Identifier: MIT
#include "pool/signals/rules.h"

#include "pool/catalogue.h"
#include "pool/signals/rules_parts.h"

#include <strings.h>

#define MEANS(o, c, s) .outcome = OUTCOME_##o, .cause = BECAUSE_##c, .scope = SCOPE_##s

static const struct meaning meanings[] = {
    [BAD_REQUEST] = {MEANS(INVALID_REQUEST, REQUEST, REQUEST), .final = true},
    [FILTERED] = {MEANS(CONTENT_FILTER, REQUEST, REQUEST), .final = true},
    // a key is not sent on to another address
    [REDIRECTED] = {MEANS(BAD_RESPONSE, REQUEST, REQUEST), .final = true},
    [NO_PROXY] = {MEANS(NETWORK, REQUEST, REQUEST), .final = true},
    [BAD_KEY] = {MEANS(AUTH, KEY, KEY)},
    [PLAN_ENDED] = {MEANS(QUOTA, KEY, KEY)},
    [FORBIDDEN] = {MEANS(AUTH, FORBIDDEN, KEY)},
    [NO_MONEY] = {MEANS(QUOTA, MONEY, GROUP)},
    [NO_MONEY_UNTIL] = {MEANS(QUOTA, MONEY, GROUP), .wait = WAIT_MOMENT, .zone = DAY_UTC},
    [DAY_SPENT] = {MEANS(QUOTA, DAY, GROUP)},
    [DAY_SPENT_CHINA] = {MEANS(QUOTA, DAY, GROUP), .wait = WAIT_DAY_END, .zone = DAY_CHINA},
    [MODEL_DAY_SPENT] = {MEANS(QUOTA, DAY, MODEL), .wait = WAIT_DAY_END, .zone = DAY_PACIFIC},
    [PLAN_SPENT] = {MEANS(QUOTA, DAY, GROUP), .wait = WAIT_MOMENT, .zone = DAY_CHINA},
    [TOO_FAST] = {MEANS(RATE_LIMITED, RATE, GROUP)},
    [TOO_MANY] = {MEANS(RATE_LIMITED, CONCURRENCY, GROUP)},
    [NO_MODEL] = {MEANS(MODEL, MODEL, MODEL), .final = true},
    [NOT_MODEL] = {MEANS(MODEL, MODEL, MODEL)},
    [CROWDED] = {MEANS(RATE_LIMITED, UPSTREAM, PROVIDER)},
    [DOWN] = {MEANS(SERVER, UPSTREAM, PROVIDER)},
    [SLOW] = {MEANS(TIMEOUT, UPSTREAM, PROVIDER)},
    [ODD] = {MEANS(BAD_RESPONSE, UPSTREAM, PROVIDER)},
};

static const struct own {
    const char *provider;
    const struct rule *rules;
    bool per_key; // rates are limited per key or not known to be per account
    bool anybody; // may be any server that speaks like OpenAI: the others' words count too
} owns[] = {
    {"bigmodel", rules_bigmodel, false, false},
    {"zai", rules_bigmodel, false, false},
    {"openai", rules_openai, false, true},
    {"anthropic", rules_anthropic, false, false},
    {"google", rules_google, false, false},
    {"groq", rules_groq, false, false},
    {"mistral", rules_mistral, false, false},
    {"nvidia", rules_nvidia, false, false},
    {"k2think", rules_k2think, true, false},
    {NULL, rules_openai, true, true}, // the simulator, whatever comes
};

static const struct own *find_own(const char *name) {
    const struct own *own = owns;
    while (own->provider && strcmp(own->provider, name) != 0)
        own++;
    return own;
}

// Under its own name, else as the provider whose words it uses.
static const struct own *own_of(const struct provider *provider) {
    const struct own *own = find_own(provider->name);
    return own->provider || !provider->family ? own : find_own(provider->family);
}

// RFC 9110 section 15, and what providers make of it.
static const struct status_rule {
    int from, to;
    enum conclusion means;
} by_status[] = {
    {300, 399, REDIRECTED},
    {401, 401, BAD_KEY},
    {402, 402, NO_MONEY},
    // Without a known code this may be a right that is missing, a country, a firewall: not for this
    // key now, but no proof against it either.
    {403, 403, FORBIDDEN},
    {404, 404, NO_MODEL},
    {407, 407, NO_PROXY}, // one on the way
    {408, 408, SLOW},
    {409, 409, DOWN}, // a conflict passes
    {410, 410, NO_MODEL},
    {425, 425, DOWN},
    {429, 429, TOO_FAST},
    {434, 434, FORBIDDEN}, // Z.AI: an interface that is not open to all yet
    {498, 498, CROWDED},   // Groq: flex capacity exceeded
    {499, 499, DOWN},
    {400, 499, BAD_REQUEST},
    {500, 599, DOWN}, // 529: overloaded
};

static enum conclusion status_means(int status) {
    if (!status) // an error inside a 2xx that does not say of what kind
        return DOWN;
    for (size_t i = 0; i < sizeof by_status / sizeof *by_status; i++)
        if (status >= by_status[i].from && status <= by_status[i].to)
            return by_status[i].means;
    return ODD;
}

static bool has_word(const struct error_body *error, const char *word) {
    return strcmp(error->code, word) == 0 || strcmp(error->type, word) == 0 ||
           strcmp(error->status, word) == 0 || strcmp(error->reason, word) == 0;
}

static bool matches(const struct rule *rule, int status, const struct error_body *error) {
    return (!rule->status || rule->status == status) &&
           (!rule->word || has_word(error, rule->word)) &&
           (!rule->text || strcasestr(error->message, rule->text)) &&
           (!rule->quota || strstr(error->quotas, rule->quota));
}

static const struct rule *find(const struct rule *rule, const struct refusal *r) {
    for (; rule->word || rule->text || rule->quota; rule++)
        if (matches(rule, r->status, &r->error))
            return rule;
    return NULL;
}

// In the words of all providers. Numbers mean other things elsewhere: BigModel's count where they
// stand as BigModel has them, in an `error` object.
static const struct rule *find_anybodys(const struct refusal *r) {
    const struct rule *found = NULL;
    for (const struct own *own = owns; own->provider && !found; own++)
        if (own->rules != rules_bigmodel || r->error.nested)
            found = find(own->rules, r);
    return found;
}

static const struct rule *find_words(const struct own *own, const struct refusal *r) {
    const struct rule *found = find(own->rules, r);
    if (!found && own->anybody)
        found = find_anybodys(r);
    return found ? found : find(rules_common, r);
}

struct meaning rules_find(const struct refusal *r) {
    const struct own *own = own_of(r->provider);
    bool redirected = r->status >= 300 && r->status <= 399; // whatever is in the page
    const struct rule *rule = redirected ? NULL : find_words(own, r);
    struct meaning meaning = meanings[rule ? rule->means : status_means(r->status)];
    meaning.by_status = !rule;
    bool rate = meaning.cause == BECAUSE_RATE || meaning.cause == BECAUSE_CONCURRENCY;
    if (rate && own->per_key)
        meaning.scope = SCOPE_KEY;
    return meaning;
}
