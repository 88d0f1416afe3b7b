// rules.c: finds what a refusal means: own words, common words, status. Constant; any thread.
// SPDX-License-Identifier: MIT
#include "pool/signals/rules.h"

#include "pool/catalogue.h"
#include "pool/signals/phrase.h"
#include "pool/signals/rules_parts.h"

#include <strings.h>

#define MEANS(o, c, s) .outcome = OUTCOME_##o, .cause = BECAUSE_##c, .scope = SCOPE_##s

static const struct meaning meanings[] = {
    [BAD_REQUEST] = {MEANS(INVALID_REQUEST, REQUEST, REQUEST), .final = true},
    [FILTERED] = {MEANS(CONTENT_FILTER, REQUEST, REQUEST), .final = true},
    [TOO_LARGE] = {MEANS(TOO_LARGE, REQUEST, REQUEST), .final = true, .about_size = true},
    // a key is not sent on to another address
    [REDIRECTED] = {MEANS(BAD_RESPONSE, UPSTREAM, PROVIDER), .wrong_address = true},
    [NO_PATH] = {MEANS(BAD_RESPONSE, UPSTREAM, PROVIDER), .wrong_address = true},
    [NO_PROXY] = {MEANS(NETWORK, UPSTREAM, PROVIDER), .wrong_address = true},
    [BAD_KEY] = {MEANS(AUTH, KEY, KEY)},
    [PLAN_ENDED] = {MEANS(QUOTA, KEY, KEY)},
    [FORBIDDEN] = {MEANS(AUTH, FORBIDDEN, KEY)},
    [NO_MONEY] = {MEANS(QUOTA, MONEY, GROUP)},
    [NO_MONEY_UNTIL] = {MEANS(QUOTA, MONEY, GROUP), .wait = WAIT_MOMENT, .zone = DAY_UTC},
    [KEY_SPENT] = {MEANS(QUOTA, MONEY, KEY)},
    [DAY_SPENT] = {MEANS(QUOTA, DAY, GROUP)},
    [DAY_SPENT_CHINA] = {MEANS(QUOTA, DAY, GROUP), .wait = WAIT_DAY_END, .zone = DAY_CHINA},
    [MODEL_DAY_SPENT] = {MEANS(QUOTA, DAY, MODEL), .wait = WAIT_DAY_END, .zone = DAY_PACIFIC},
    [MODEL_SPENT] = {MEANS(QUOTA, MODEL, MODEL)},
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
    {"azure", rules_azure, false, false},
    {"bedrock", rules_bedrock, false, false},
    {"cohere", rules_cohere, false, false},
    {"dashscope", rules_dashscope, false, false},
    {"minimax", rules_minimax, false, false},
    {"moonshot", rules_moonshot, false, false},
    {"deepseek", rules_moonshot, false, false},
    {"siliconflow", rules_moonshot, false, false},
    {"openrouter", rules_openrouter, false, true},
    {"xai", rules_xai, false, false},
    {"together", rules_hosts, false, false},
    {"fireworks", rules_hosts, false, false},
    {"cerebras", rules_hosts, false, false},
    {"ollama", rules_local, true, false},
    {"vllm", rules_local, true, false},
    {"lmstudio", rules_local, true, false},
    {"llamacpp", rules_local, true, false},
    {NULL, rules_openai, true, true}, // the simulator, what a user declares, whatever comes
};

// In the order in which they are asked where a server may be anybody's.
const struct rule *const rules_tables[] = {
    rules_paths,  rules_pages,   rules_bigmodel, rules_openai,     rules_anthropic, rules_google,
    rules_groq,   rules_mistral, rules_nvidia,   rules_k2think,    rules_azure,     rules_bedrock,
    rules_cohere, rules_minimax, rules_moonshot, rules_openrouter, rules_xai,       rules_dashscope,
    rules_hosts,  rules_china,   rules_gateways, rules_local,      rules_common,    NULL,
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
    {404, 404, NOT_MODEL}, // a page, or nothing at all: see status_means()
    {405, 405, NO_PATH},
    {407, 407, NO_PROXY}, // one on the way
    {408, 408, SLOW},
    {409, 409, DOWN}, // a conflict passes
    {410, 410, NO_MODEL},
    {420, 420, TOO_FAST},
    {421, 421, DOWN}, // misdirected, locked, a dependency that failed, too early: all pass
    {423, 425, DOWN},
    {429, 429, TOO_FAST},
    {434, 434, FORBIDDEN}, // Z.AI: an interface that is not open to all yet
    {451, 451, FORBIDDEN},
    {498, 498, CROWDED}, // Groq: flex capacity exceeded
    {499, 499, DOWN},
    {400, 499, BAD_REQUEST},
    {500, 599, DOWN}, // 529: overloaded
};

static enum conclusion status_means(const struct refusal *r) {
    int status = r->status;
    if (!status) // an error inside a 2xx that does not say of what kind
        return DOWN;
    if (status == 404 && !r->error.is_json) // no server speaks of models in pages
        return NO_PATH;
    for (size_t i = 0; i < sizeof by_status / sizeof *by_status; i++)
        if (status >= by_status[i].from && status <= by_status[i].to)
            return by_status[i].means;
    return ODD;
}

// Statuses under which servers repeat what was asked in their messages.
static bool is_of_input(int status) {
    return status == 400 || status == 404 || status == 413 || status == 422;
}

static bool is_whole_message(const char *message, const char *whole) {
    size_t n = strlen(message);
    if (n && message[n - 1] == '.')
        n--;
    return n == strlen(whole) && strncasecmp(message, whole, n) == 0;
}

static bool has_status(const struct rule *rule, int status) {
    return !rule->status || rule->status == status || (rule->status == IN_200 && !status);
}

static bool matches(const struct rule *rule, int status, const struct error_body *error) {
    bool input = is_of_input(status);
    return has_status(rule, status) && (!rule->word || error_body_has(error, rule->word)) &&
           (!rule->whole || is_whole_message(error->message, rule->whole)) &&
           (!rule->quota || strstr(error->quotas, rule->quota)) &&
           (!rule->text || phrase_is_said(error->texts, rule->text, input)) &&
           (!rule->also || phrase_is_said(error->texts, rule->also, input));
}

static const struct rule *find(const struct rule *rule, const struct refusal *r) {
    for (; rule->word || rule->text || rule->whole || rule->quota; rule++)
        if (matches(rule, r->status, &r->error))
            return rule;
    return NULL;
}

// In the words of all providers. Numbers mean other things elsewhere: BigModel's count where they
// stand as BigModel has them, in an `error` object.
static const struct rule *find_anybodys(const struct refusal *r) {
    const struct rule *found = NULL;
    for (const struct rule *const *table = rules_tables; *table && !found; table++)
        if (*table != rules_pages && (*table != rules_bigmodel || r->error.nested))
            found = find(*table, r);
    return found;
}

// Of a provider that is known to speak for itself; a gateway may still stand before it.
static const struct rule *find_known(const struct refusal *r) {
    const struct rule *const shared[] = {rules_gateways, rules_common};
    const struct rule *found = NULL;
    for (size_t i = 0; i < sizeof shared / sizeof *shared && !found; i++)
        found = find(shared[i], r);
    return found;
}

const struct rule *rules_row(const struct refusal *r) {
    const struct own *own = own_of(r->provider);
    if (r->status >= 300 && r->status <= 399) // whatever is in the page
        return NULL;
    const struct rule *found = r->error.is_page ? find(rules_pages, r) : find(own->rules, r);
    if (!found)
        found = find(rules_paths, r);
    if (!found && !r->error.is_page)
        found = own->anybody ? find_anybodys(r) : find_known(r);
    return found;
}

struct meaning rules_find(const struct refusal *r) {
    const struct rule *rule = rules_row(r);
    struct meaning meaning = meanings[rule ? rule->means : status_means(r)];
    meaning.by_status = !rule;
    bool rate = meaning.cause == BECAUSE_RATE || meaning.cause == BECAUSE_CONCURRENCY;
    if (rate && own_of(r->provider)->per_key)
        meaning.scope = SCOPE_KEY;
    return meaning;
}
