// plan.c: works out providers, keys, addresses, models and the output's name. Main thread.
// SPDX-License-Identifier: MIT
#include "runner/plan.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "jobs/base/json.h"
#include "jobs/base/log.h"
#include "jobs/base/utf8.h"
#include "pool/keys/choose.h"
#include "pool/limits/cooldown.h"
#include "pool/transfer/engine.h"
#include "pool/wire/request_url.h"
#include "runner/assign.h"
#include "runner/commands/commands.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

// Descriptors that have nothing to do with requests, and a few for each further thread.
#define OTHER_FILES 64

// With --slots-per-key auto: a bound for what the pool may find out.
#define AUTO_SLOTS_PER_KEY 64
#define AUTO_SLOTS_MOST    4096

// What the options say about providers by name, while the routes are made.
struct wishes {
    struct assigned models, addresses;
    const char *order; // "zai,groq", as asked for; NULL: the only provider with keys
};

static bool is_simulate(const struct provider *provider) {
    return strcmp(provider->name, "simulate") == 0;
}

// Where the name's ending begins: of "a.jsonl.gz" the dot before jsonl. NULL: it has none.
static const char *ending_of(const char *name) {
    const char *dot = strrchr(name, '.'), *inner = NULL;
    if (!dot || (strcasecmp(dot, ".gz") != 0 && strcasecmp(dot, ".zst") != 0))
        return dot;
    for (const char *p = name; p < dot; p++)
        inner = *p == '.' ? p : *p == '/' ? NULL : inner;
    return inner && inner > name && inner[-1] != '/' ? inner : dot;
}

// "questions.jsonl" → "questions.results.jsonl", beside the input.
static char *default_output(const char *input) {
    if (strcmp(input, "-") == 0)
        return mem_text("-", 1);
    const char *slash = strrchr(input, '/'), *dot = ending_of(input);
    bool has_ending = dot && dot > (slash ? slash + 1 : input);
    struct buf name = BUF_INIT(SIZE_MAX / 2);
    buf_add(&name, input, has_ending ? (size_t)(dot - input) : strlen(input));
    buf_add_str(&name, ".results.jsonl");
    char *text = mem_text(name.p, name.n);
    buf_free(&name);
    return text;
}

static char *clean_url(struct slice url) {
    while (url.n && url.p[url.n - 1] == '/')
        url.n--;
    return mem_text(url.p, url.n);
}

// What --base-url says about a provider: by name, or for the first one.
static struct slice asked_address(const struct wishes *wishes, const struct provider *provider,
                                  bool first) {
    struct slice own = wishes->addresses.of[provider_place(provider)];
    return own.n || !first ? own : wishes->addresses.common;
}

// Where a provider is reached: what was asked, else what the user declared or is built in.
static char *base_url_of(const struct provider *provider, struct slice asked) {
    return clean_url(asked.n ? asked : slice_str(provider->base_url));
}

// A model without a name in front is meant for the order of preference, not for others.
static struct slice model_of(const struct wishes *wishes, const struct provider *provider,
                             bool in_order) {
    struct slice own = wishes->models.of[provider_place(provider)];
    if (own.n)
        return own;
    if (in_order && wishes->models.common.n)
        return wishes->models.common;
    return slice_str(provider->default_model);
}

static void add_token(struct buf *tokens, struct slice text, struct slice *token) {
    size_t start = tokens->n;
    if (!text.p)
        return;
    json_add_string(tokens, text);
    *token = slice_of(tokens->p + start, tokens->n - start);
}

static void add_route(struct plan *plan, const struct wishes *wishes,
                      const struct provider *provider, bool in_order) {
    bool first = plan->route_count == 0;
    struct slice model = model_of(wishes, provider, in_order);
    struct slice system = slice_str(plan->config->system);
    plan->routes = mem_resize(plan->routes, (plan->route_count + 1) * sizeof *plan->routes);
    struct route *route = &plan->routes[plan->route_count++];
    *route = (struct route){.provider = provider, .tokens = BUF_INIT(SIZE_MAX / 2)};
    route->base_url = base_url_of(provider, asked_address(wishes, provider, first));
    // reserved at once: the tokens must not move while they are added
    buf_reserve(&route->tokens, 6 * (model.n + system.n) + 16);
    add_token(&route->tokens, model, &route->defaults.model);
    add_token(&route->tokens, system, &route->defaults.system);
    route->defaults.stream = plan->config->stream;
    route->defaults.params = plan->params.of;
}

static bool check_texts(const struct config *config, struct error *err) {
    if (config->model && !utf8_is_valid(slice_str(config->model)))
        return error_set(err, ERROR_USAGE, "--model is not valid UTF-8");
    if (config->system && !utf8_is_valid(slice_str(config->system)))
        return error_set(err, ERROR_USAGE, "--system is not valid UTF-8");
    return true;
}

static bool load_keys(struct plan *plan, struct error *err) {
    const struct config *config = plan->config;
    struct keyring_options options = {
        .keys_file = config->keys, .env_file = config->env_file, .environment = environ};
    options.wanted = config->provider;
    return keyring_load(&plan->keyring, &options, err) &&
           (!config->tag || keyring_keep_tagged(&plan->keyring, config->tag, err));
}

// The keys that `batch-run simulate` accepts are no secret: they need not be given.
static void add_simulated_keys(struct plan *plan, const struct provider *provider) {
    struct buf text = BUF_INIT(256);
    for (int n = 1; n <= plan->simulated.keys; n++) {
        buf_clear(&text);
        simulate_key(n, &text);
        keyring_add(&plan->keyring, provider, buf_slice(&text), n);
    }
    buf_free(&text);
}

static bool no_address(const struct provider *provider, struct error *err) {
    return error_set(err, ERROR_USAGE,
                     "%s has no address of its own: give that of your resource, with -p "
                     "%s=https://RESOURCE.openai.azure.com/openai/v1, --base-url, or base_url in a "
                     "pool file",
                     provider->name, provider->name);
}

static bool check_address(const struct route *route, struct error *err) {
    const char *what;
    if (!*route->base_url)
        return no_address(route->provider, err);
    if (engine_takes_base_url(route->base_url, &what))
        return true;
    struct buf shown = BUF_INIT(8192);
    url_add_shown(&shown, slice_str(route->base_url));
    error_set(
        err, ERROR_USAGE,
        "the address '%s' of %s (--base-url, or base_url in the pool file) cannot be used: %s",
        buf_cstr(&shown), route->provider->name, what);
    buf_free(&shown);
    return false;
}

static bool check_addresses(const struct plan *plan, struct error *err) {
    for (size_t i = 0; i < plan->route_count; i++)
        if (!check_address(&plan->routes[i], err))
            return false;
    return true;
}

static bool read_simulated(struct plan *plan, struct error *err) {
    const char *line = plan->config->simulate;
    return options_parse_line(&simulate_command, line ? line : "", &plan->simulated, err);
}

// Those that were chosen, and those that were asked for but have no keys.
static provider_set providers_of(const struct registry *providers,
                                 const struct provider *const chosen[], size_t count,
                                 const char *order) {
    provider_set set = 0;
    for (size_t i = 0; i < count; i++)
        set |= PROVIDER_BIT(provider_place(chosen[i]));
    for (size_t i = 0; i < registry_count(providers); i++)
        if (choose_names(order, registry_at(providers, i)))
            set |= PROVIDER_BIT(i);
    return set;
}

static bool prepare_simulator(struct plan *plan, const struct provider *provider, bool elsewhere,
                              struct error *err) {
    if (!read_simulated(plan, err))
        return false;
    plan->embedded = !elsewhere;
    if (keyring_count(&plan->keyring, provider) == 0)
        add_simulated_keys(plan, provider);
    return true;
}

static bool add_order(struct plan *plan, struct wishes *wishes,
                      const struct provider *const chosen[], size_t count, struct error *err) {
    const struct registry *providers = &plan->keyring.providers;
    provider_set in_run = providers_of(providers, chosen, count, wishes->order);
    if (!assign_models(providers, plan->config->model, in_run, &wishes->models, err) ||
        !assign_addresses(providers, plan->config->base_url, &wishes->addresses, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        bool elsewhere =
            asked_address(wishes, chosen[i], i == 0).n || provider_has_own_address(chosen[i]);
        if (is_simulate(chosen[i]) && !prepare_simulator(plan, chosen[i], elsewhere, err))
            return false;
        add_route(plan, wishes, chosen[i], true);
    }
    plan->order_count = count;
    return true;
}

static bool is_in_order(const struct plan *plan, const struct provider *provider) {
    for (size_t i = 0; i < plan->order_count; i++)
        if (plan->routes[i].provider == provider)
            return true;
    return false;
}

static bool has_address(const struct wishes *wishes, const struct provider *provider) {
    return provider->base_url || wishes->addresses.of[provider_place(provider)].n;
}

// Keys that serve only rows which name their provider are not counted as the run's.
static void note_beside(struct plan *plan) {
    for (size_t i = 0; i < plan->keyring.count; i++) {
        struct key_entry *entry = &plan->keyring.entries[i];
        entry->beside = !is_in_order(plan, entry->provider);
    }
}

static bool choose_routes(struct plan *plan, struct error *err) {
    const struct provider *chosen[PROVIDERS_MAX];
    size_t count;
    struct wishes wishes = {.order = plan->config->provider ? plan->config->provider
                                                            : plan->keyring.order};
    bool needs_keys = !plan->config->dry_run;
    if (!needs_keys && !wishes.order && !plan->keyring.count)
        wishes.order = "simulate"; // a dry run without any key still shows what would be sent
    if (!choose_providers(&plan->keyring, wishes.order, needs_keys || !wishes.order, chosen, &count,
                          err) ||
        !add_order(plan, &wishes, chosen, count, err))
        return false;
    // rows may name any other provider that has keys
    for (size_t i = 0; i < registry_count(&plan->keyring.providers); i++) {
        const struct provider *p = registry_at(&plan->keyring.providers, i);
        if (!is_in_order(plan, p) && keyring_count(&plan->keyring, p) && has_address(&wishes, p))
            add_route(plan, &wishes, p, false);
    }
    note_beside(plan);
    return check_addresses(plan, err);
}

static bool read_cooldown(struct plan *plan, struct error *err) {
    const char *text = plan->config->cooldown;
    plan->pool.outage_patience = plan->config->outage_patience;
    plan->pool.cooldown = COOLDOWN_AUTO;
    if (!text || strcmp(text, "auto") == 0)
        return true;
    if (duration_parse(slice_str(text), &plan->pool.cooldown) && plan->pool.cooldown > 0)
        return true;
    return error_set(err, ERROR_USAGE,
                     "--cooldown takes auto or a duration such as 500ms or 60s, not '%s'", text);
}

static void fill_pool_options(struct plan *plan) {
    const struct config *config = plan->config;
    struct pool_options *options = &plan->pool;
    options->keyring = &plan->keyring;
    options->strategy = STRATEGY_ROUND_ROBIN;
    if (config->strategy >= 0)
        options->strategy = (enum strategy)config->strategy;
    else if (plan->keyring.has_strategy)
        options->strategy = plan->keyring.strategy;
    options->slots_per_key = (int)config->slots_per_key; // 0 is SLOTS_AUTO
    options->limits = (struct key_limits){
        .rpm = config->rpm, .tpm = config->tpm, .rpd = config->rpd, .tpd = config->tpd};
}

static size_t wanted_slots(const struct plan *plan) {
    size_t keys = plan_key_count(plan), slots = keys * AUTO_SLOTS_PER_KEY;
    if (plan->config->slots_per_key)
        return keys * (size_t)plan->config->slots_per_key;
    if (slots > AUTO_SLOTS_MOST)
        slots = keys > AUTO_SLOTS_MOST ? keys : AUTO_SLOTS_MOST;
    return slots;
}

// A connection to each of so many hosts, both ends of it when the simulator is in this process.
static size_t files_for(const struct plan *plan, size_t slots, size_t hosts) {
    size_t ends = plan->embedded ? 2 : 1;
    return slots * hosts * ends + engine_descriptors(slots) + OTHER_FILES;
}

// The limit is as high as the system lets it be: process_prepare().
static rlim_t files_most(void) {
    struct rlimit files;
    return getrlimit(RLIMIT_NOFILE, &files) == 0 ? files.rlim_cur : RLIM_INFINITY;
}

static void count_slots(struct plan *plan) {
    plan->slots = wanted_slots(plan);
    if (plan->config->slots && plan->slots > (size_t)plan->config->slots)
        plan->slots = (size_t)plan->config->slots;
    size_t slots = plan->slots;
    plan->hosts = plan->route_count;
    rlim_t most = files_most();
    while (plan->hosts > 1 && files_for(plan, slots, plan->hosts) > most)
        plan->hosts--;
    while (slots > 1 && files_for(plan, slots, 1) > most)
        slots--;
    if (slots == plan->slots)
        return;
    log_warn("%zu requests at once need more open files than the limit of %llu: at most %zu "
             "are sent at once (ulimit -n raises the limit)",
             plan->slots, (unsigned long long)most, slots);
    plan->slots = slots;
}

// Parameters that no provider of the order can be told would fail every row: the run does not start.
static bool check_params(struct plan *plan, struct error *err) {
    const struct request none = {0};
    struct wire_refusal refusal, first = {0};
    bool said = false;
    for (size_t i = 0; i < plan->route_count; i++) {
        struct route *route = &plan->routes[i];
        route->says =
            route->provider->wire->says(&none, route->provider, &route->defaults, &refusal);
        said |= route->says && i < plan->order_count;
        if (i == 0)
            first = refusal;
    }
    if (said || !plan->order_count)
        return true;
    return error_set(err, ERROR_USAGE, "--param %s: %s has no word for it%s%s",
                     param_rules[first.param].name, plan->routes[0].provider->name,
                     first.why ? ": " : "", first.why ? first.why : "");
}

bool plan_make(struct plan *plan, const struct config *config, const char *input,
               struct error *err) {
    *plan = (struct plan){.config = config, .input = input};
    if (!check_texts(config, err) || !run_params_read(&plan->params, config, err) ||
        !read_cooldown(plan, err) ||
        !error_rate_parse(config->stop_on_error_rate, &plan->error_rate, err) ||
        !load_keys(plan, err) || !choose_routes(plan, err) || !check_params(plan, err))
        return false;
    fill_pool_options(plan);
    count_slots(plan);
    plan->output =
        config->output ? mem_text(config->output, strlen(config->output)) : default_output(input);
    return true;
}

void plan_free(struct plan *plan) {
    for (size_t i = 0; i < plan->route_count; i++) {
        free(plan->routes[i].base_url);
        buf_free(&plan->routes[i].tokens);
    }
    free(plan->routes);
    free(plan->output);
    run_params_free(&plan->params);
    keyring_free(&plan->keyring);
    options_free(&simulate_command, &plan->simulated);
}

// Without a look at the row's shape.
static route_set routes_named(const struct plan *plan, struct slice provider) {
    if (!provider.n)
        return (plan->order_count < ROUTES_MAX ? ROUTE_BIT(plan->order_count) : 0) - 1;
    for (size_t i = 0; i < plan->route_count; i++)
        if (slice_is(provider, plan->routes[i].provider->name))
            return ROUTE_BIT(i);
    return 0;
}

static bool takes(const struct route *route, const struct request *request) {
    return route->provider->wire->shapes & WIRE_TAKES(request->shape);
}

// Whether the parameters of the row have words there. A batch line's body is sent as it stands.
static bool says(const struct route *route, const struct request *request,
                 struct wire_refusal *refusal) {
    if (request->body.n || (!request->has_params && route->says))
        return true;
    return route->provider->wire->says(request, route->provider, &route->defaults, refusal);
}

static const char *why_refused(const struct route *route, const struct request *request) {
    const struct wire *wire = route->provider->wire;
    return wire->refuses ? wire->refuses(request, route->provider) : NULL;
}

// A provider without a default model serves rows that name one.
static bool has_model(const struct route *route, const struct request *request) {
    return request->model.n || route->defaults.model.n;
}

static bool serves(const struct route *route, const struct request *request) {
    struct wire_refusal refusal;
    return takes(route, request) && has_model(route, request) && !why_refused(route, request) &&
           says(route, request, &refusal);
}

route_set plan_routes(const struct plan *plan, const struct request *request) {
    route_set routes = routes_named(plan, request->provider);
    for (size_t i = 0; i < plan->route_count; i++)
        if (routes & ROUTE_BIT(i) && !serves(&plan->routes[i], request))
            routes &= ~ROUTE_BIT(i);
    return routes;
}

static bool fail_unsaid(const struct route *route, struct job *job) {
    struct wire_refusal refusal;
    if (says(route, &job->request, &refusal))
        return false;
    job_fail(job, OUTCOME_BAD_INPUT, "%s has no word for the parameter \"%s\"%s%s",
             route->provider->name, param_rules[refusal.param].name, refusal.why ? ": " : "",
             refusal.why ? refusal.why : "");
    return true;
}

void plan_judge(const struct plan *plan, struct job *job) {
    route_set named = routes_named(plan, job->request.provider);
    if (job->result.outcome != OUTCOME_NONE || !named || plan_routes(plan, &job->request))
        return;
    for (size_t i = 0; i < plan->route_count; i++)
        if (named & ROUTE_BIT(i) && fail_unsaid(&plan->routes[i], job))
            return;
    bool several = named & (named - 1);
    const struct route *first = &plan->routes[route_first(named)];
    if (!has_model(first, &job->request)) {
        job_fail(
            job, OUTCOME_BAD_INPUT,
            "no model is named, and %s has no default: name one with --model, in the row, or as "
            "\"model\" of the provider in a pool file",
            first->provider->name);
        return;
    }
    for (size_t i = 0; i < plan->route_count; i++) {
        const char *why =
            named & ROUTE_BIT(i) ? why_refused(&plan->routes[i], &job->request) : NULL;
        if (!why)
            continue;
        job_fail(job, OUTCOME_BAD_INPUT, "this batch line %s", why);
        return;
    }
    job_fail(job, OUTCOME_BAD_INPUT, "this batch line is not in a format that %s understands",
             several ? "any provider of the run" : first->provider->name);
}

void plan_set_simulator(struct plan *plan, const char *base_url) {
    for (size_t i = 0; i < plan->order_count; i++)
        if (is_simulate(plan->routes[i].provider)) {
            free(plan->routes[i].base_url);
            plan->routes[i].base_url = clean_url(slice_str(base_url));
        }
}

size_t plan_key_count(const struct plan *plan) {
    size_t count = 0;
    for (size_t i = 0; i < plan->order_count; i++)
        count += keyring_count(&plan->keyring, plan->routes[i].provider);
    return count;
}
