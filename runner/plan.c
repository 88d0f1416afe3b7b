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
#include "runner/commands/commands.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

// Descriptors that are no connection to a provider.
#define OTHER_FILES 32

static bool is_simulate(const struct provider *provider) {
    return strcmp(provider->name, "simulate") == 0;
}

// "questions.jsonl" → "questions.results.jsonl", beside the input.
static char *default_output(const char *input) {
    if (strcmp(input, "-") == 0)
        return mem_text("-", 1);
    const char *slash = strrchr(input, '/'), *dot = strrchr(input, '.');
    bool has_ending = dot && dot > (slash ? slash + 1 : input);
    struct buf name = BUF_INIT(SIZE_MAX / 2);
    buf_add(&name, input, has_ending ? (size_t)(dot - input) : strlen(input));
    buf_add_str(&name, ".results.jsonl");
    char *text = mem_text(name.p, name.n);
    buf_free(&name);
    return text;
}

static char *clean_url(const char *url) {
    size_t n = strlen(url);
    while (n && url[n - 1] == '/')
        n--;
    return mem_text(url, n);
}

static size_t catalogue_index(const struct provider *provider) {
    return (size_t)(provider - catalogue);
}

// Where a provider is reached: --base-url for the first, the pool file's, the catalogue's.
static const char *base_url_of(const struct plan *plan, const struct provider *provider,
                               bool first) {
    const char *from_file = plan->keyring.base_urls[catalogue_index(provider)];
    if (first && plan->config->base_url)
        return plan->config->base_url;
    return from_file ? from_file : provider->base_url;
}

static void add_token(struct buf *tokens, const char *text, struct slice *token) {
    size_t start = tokens->n;
    if (!text)
        return;
    json_add_string(tokens, slice_str(text));
    *token = slice_of(tokens->p + start, tokens->n - start);
}

static void add_route(struct plan *plan, const struct provider *provider) {
    const struct config *config = plan->config;
    bool first = plan->route_count == 0;
    plan->routes = mem_resize(plan->routes, (plan->route_count + 1) * sizeof *plan->routes);
    struct route *route = &plan->routes[plan->route_count++];
    *route = (struct route){.provider = provider, .tokens = BUF_INIT(SIZE_MAX / 2)};
    route->base_url = clean_url(base_url_of(plan, provider, first));
    const char *model = first && config->model ? config->model : provider->default_model;
    // reserved at once: the tokens must not move while they are added
    buf_reserve(&route->tokens,
                6 * (strlen(model) + (config->system ? strlen(config->system) : 0)) + 16);
    add_token(&route->tokens, model, &route->defaults.model);
    add_token(&route->tokens, config->system, &route->defaults.system);
    route->defaults.stream = config->stream;
}

static bool check_texts(const struct config *config, struct error *err) {
    if (config->model && !utf8_is_valid(slice_str(config->model)))
        return error_set(err, ERROR_USAGE, "--model is not valid UTF-8");
    if (config->system && !utf8_is_valid(slice_str(config->system)))
        return error_set(err, ERROR_USAGE, "--system is not valid UTF-8");
    const char *what;
    if (config->base_url && !engine_takes_base_url(config->base_url, &what))
        return error_set(err, ERROR_USAGE, "--base-url '%s' cannot be used: %s", config->base_url,
                         what);
    return true;
}

static bool load_keys(struct plan *plan, struct error *err) {
    const struct config *config = plan->config;
    struct keyring_options options = {
        .keys_file = config->keys, .env_file = config->env_file, .environment = environ};
    options.provider = choose_single(config->provider);
    return keyring_load(&plan->keyring, &options, err);
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

// Those of a pool file have not been looked at yet.
static bool check_addresses(const struct plan *plan, struct error *err) {
    const char *what;
    for (size_t i = 0; i < plan->route_count; i++)
        if (!engine_takes_base_url(plan->routes[i].base_url, &what))
            return error_set(err, ERROR_USAGE, "base_url '%s' of %s cannot be used: %s",
                             plan->routes[i].base_url, plan->routes[i].provider->name, what);
    return true;
}

static bool read_simulated(struct plan *plan, struct error *err) {
    const char *line = plan->config->simulate;
    return options_parse_line(&simulate_command, line ? line : "", &plan->simulated, err);
}

static bool choose_routes(struct plan *plan, struct error *err) {
    const struct provider *chosen[CATALOGUE_COUNT];
    size_t count;
    const char *wanted = plan->config->provider;
    bool needs_keys = !plan->config->dry_run;
    if (!needs_keys && !wanted && !plan->keyring.count)
        wanted = "simulate"; // a dry run without any key still shows what would be sent
    if (!choose_providers(needs_keys || !wanted ? &plan->keyring : NULL, wanted, chosen, &count,
                          err))
        return false;
    if (count > 1)
        return error_set(err, ERROR_USAGE,
                         "--provider %s: this version sends to one provider and does not fall back "
                         "to the next; name one",
                         plan->config->provider);
    if (is_simulate(chosen[0])) {
        if (!read_simulated(plan, err))
            return false;
        plan->embedded = !plan->config->base_url;
        if (keyring_count(&plan->keyring, chosen[0]) == 0)
            add_simulated_keys(plan, chosen[0]);
    }
    add_route(plan, chosen[0]);
    // rows may name any other provider that has keys
    for (const struct provider *p = catalogue; p->name; p++)
        if (p != chosen[0] && keyring_count(&plan->keyring, p))
            add_route(plan, p);
    return check_addresses(plan, err);
}

static bool read_cooldown(struct plan *plan, struct error *err) {
    const char *text = plan->config->cooldown;
    plan->cooldown = COOLDOWN_AUTO;
    if (!text || strcmp(text, "auto") == 0)
        return true;
    if (duration_parse(slice_str(text), &plan->cooldown) && plan->cooldown > 0)
        return true;
    return error_set(err, ERROR_USAGE,
                     "--cooldown takes auto or a duration such as 500ms or 60s, not '%s'", text);
}

static void count_slots(struct plan *plan) {
    plan->slots = plan_key_count(plan) * (size_t)plan->config->slots_per_key;
    if (plan->config->slots && plan->slots > (size_t)plan->config->slots)
        plan->slots = (size_t)plan->config->slots;
    // a connection each, both ends of it when the simulator is in this process
    struct rlimit files;
    size_t ends = plan->embedded ? 2 : 1;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur != RLIM_INFINITY &&
        plan->slots * ends + OTHER_FILES > files.rlim_cur) {
        size_t room =
            files.rlim_cur > OTHER_FILES + ends ? (files.rlim_cur - OTHER_FILES) / ends : 1;
        log_warn("%zu requests at once need more open files than the limit of %llu: %zu at once "
                 "(ulimit -n raises it)",
                 plan->slots, (unsigned long long)files.rlim_cur, room);
        plan->slots = room;
    }
}

bool plan_make(struct plan *plan, const struct config *config, const char *input,
               struct error *err) {
    *plan = (struct plan){.config = config, .input = input};
    if (!check_texts(config, err) || !read_cooldown(plan, err) || !load_keys(plan, err) ||
        !choose_routes(plan, err))
        return false;
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
    keyring_free(&plan->keyring);
    options_free(&simulate_command, &plan->simulated);
}

const struct route *plan_route(const struct plan *plan, struct slice provider) {
    if (!provider.n)
        return &plan->routes[0];
    for (size_t i = 0; i < plan->route_count; i++)
        if (slice_is(provider, plan->routes[i].provider->name))
            return &plan->routes[i];
    return NULL;
}

void plan_judge(const struct plan *plan, struct job *job) {
    const struct route *route = plan_route(plan, job->request.provider);
    if (job->result.outcome != OUTCOME_NONE || !route ||
        route->provider->wire->shapes & WIRE_TAKES(job->request.shape))
        return;
    job_fail(job, OUTCOME_BAD_INPUT, "this batch line is not in a format that %s understands",
             route->provider->name);
}

void plan_set_base_url(struct plan *plan, const char *base_url) {
    free(plan->routes[0].base_url);
    plan->routes[0].base_url = clean_url(base_url);
}

size_t plan_key_count(const struct plan *plan) {
    size_t count = 0;
    for (size_t i = 0; i < plan->route_count; i++)
        count += keyring_count(&plan->keyring, plan->routes[i].provider);
    return count;
}
