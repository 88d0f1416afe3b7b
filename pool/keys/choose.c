// choose.c: picks the run's providers from --provider and the keys there are. Main thread, at
// start.
// SPDX-License-Identifier: MIT
#include "pool/keys/choose.h"

#include "jobs/base/log.h"

// The next item of a comma-separated list.
static bool next_item(struct slice *list, struct slice *item) {
    while (slice_next(list, ',', item)) {
        *item = slice_trim(*item);
        if (item->n)
            return true;
    }
    return false;
}

// "NAME=ADDRESS"; false: a name alone.
static bool split_item(struct slice item, struct slice *name, struct slice *address) {
    const char *equals = memchr(item.p, '=', item.n);
    size_t n = equals ? (size_t)(equals - item.p) : item.n;
    *name = slice_trim(slice_of(item.p, n));
    *address = equals ? slice_trim(slice_of(equals + 1, item.n - n - 1)) : SLICE_NONE;
    return equals != NULL;
}

// The next name of such a list.
static bool next_name(struct slice *list, struct slice *name) {
    struct slice item, address;
    if (!next_item(list, &item))
        return false;
    split_item(item, name, &address);
    return true;
}

const struct provider *choose_single(const struct registry *providers, const char *wanted) {
    struct slice list = slice_str(wanted), name, second;
    if (!next_name(&list, &name) || next_name(&list, &second))
        return NULL;
    return registry_find(providers, name);
}

static bool declare(struct registry *providers, struct slice name, struct slice address,
                    struct error *err) {
    const char *what = NULL;
    struct provider *provider = registry_declare(providers, name, &what);
    if (!provider)
        return error_set(err, ERROR_USAGE, "--provider: %s", what);
    return registry_set_address(providers, provider, address, &what) ||
           error_set(err, ERROR_USAGE, "--provider: the address of %s %s", provider->name, what);
}

bool choose_declare(struct registry *providers, const char *wanted, struct error *err) {
    struct slice list = slice_str(wanted), item, name, address;
    while (next_item(&list, &item))
        if (split_item(item, &name, &address) && !declare(providers, name, address, err))
            return false;
    return true;
}

bool choose_names(const char *wanted, const struct provider *provider) {
    struct slice list = slice_str(wanted), name;
    while (next_name(&list, &name))
        if (slice_is(name, provider->name))
            return true;
    return false;
}

static bool is_chosen(const struct provider *const chosen[], size_t count,
                      const struct provider *provider) {
    for (size_t i = 0; i < count; i++)
        if (chosen[i] == provider)
            return true;
    return false;
}

// A long "name" may be a key that slipped into its place: it is not shown.
static bool unknown_name(const struct registry *providers, struct slice name, struct error *err) {
    struct buf names = BUF_INIT(1024);
    if (name.n > 24)
        name = SLICE("this");
    registry_add_names(providers, &names);
    error_set(
        err, ERROR_USAGE,
        "--provider: %.*s is not known; -p NAME=https://ADDRESS/v1 declares one that speaks like "
        "OpenAI, a pool file any other; known are %s",
        SLICE_ARG(name), buf_cstr(&names));
    buf_free(&names);
    return false;
}

static bool read_list(const struct registry *providers, const char *wanted,
                      const struct provider *chosen[], size_t *count, struct error *err) {
    struct slice list = slice_str(wanted), name;
    while (next_name(&list, &name)) {
        const struct provider *provider = registry_find(providers, name);
        if (!provider)
            return unknown_name(providers, name, err);
        if (is_chosen(chosen, *count, provider))
            return error_set(err, ERROR_USAGE, "--provider: %s is named twice", provider->name);
        chosen[(*count)++] = provider;
    }
    return *count || error_set(err, ERROR_USAGE,
                               "--provider: a name is missing (`batch-run providers` lists them)");
}

static bool is_simulated(const struct provider *provider) {
    return strcmp(provider->name, "simulate") == 0;
}

static size_t disabled_keys(const struct keyring *ring, const struct provider *provider) {
    size_t count = 0;
    for (size_t i = 0; i < ring->count; i++)
        count += ring->entries[i].provider == provider && !ring->entries[i].enabled;
    return count;
}

static bool no_key_of(const struct keyring *ring, const struct provider *provider,
                      struct error *err) {
    size_t disabled = disabled_keys(ring, provider);
    const char *source = ring->sources[provider_place(provider)];
    if (ring->tags)
        return error_set(err, ERROR_USAGE, "no enabled key of %s carries a tag of --tag %s",
                         provider->name, ring->tags);
    if (disabled)
        return error_set(err, ERROR_USAGE, "all %zu keys of %s are disabled in %s; enable one",
                         disabled, provider->name, source ? source : "the pool file");
    return error_set(
        err, ERROR_USAGE,
        "there is no key of %s: set %s (a comma-separated list is several keys), put it "
        "into .env, or name a file with --keys; one that wants no key is declared with \"auth\": "
        "\"none\" in a pool file%s%s",
        provider->name, provider->variables[0], ring->near_misses ? ". Not read: " : "",
        ring->near_misses ? ring->near_misses : "");
}

// Leaves out those without keys; one of them at least must stay.
static bool keep_those_with_keys(const struct keyring *ring, const struct provider *chosen[],
                                 size_t *count, struct error *err) {
    size_t kept = 0;
    const struct provider *first = chosen[0];
    for (size_t i = 0; i < *count; i++) {
        if (is_simulated(chosen[i]) || keyring_count(ring, chosen[i]))
            chosen[kept++] = chosen[i];
        else if (*count > 1)
            log_warn("there is no key of %s (%s): it is left out", chosen[i]->name,
                     ring->tags ? "with the tags of --tag" : chosen[i]->variables[0]);
    }
    *count = kept;
    return kept || no_key_of(ring, first, err);
}

static bool several(const struct provider *const with_keys[], size_t count, struct error *err) {
    struct buf names = BUF_INIT(512);
    for (size_t i = 0; i < count; i++)
        buf_addf(&names, "%s%s", i ? ", " : "", with_keys[i]->name);
    error_set(err, ERROR_USAGE,
              "there are keys of several providers (%s): choose with --provider NAME, or give an "
              "order of preference with --provider A,B",
              buf_cstr(&names));
    buf_free(&names);
    return false;
}

// Without --provider: the only one that has keys.
static bool choose_only(const struct keyring *ring, const struct provider *chosen[], size_t *count,
                        struct error *err) {
    for (size_t i = 0; i < registry_count(&ring->providers); i++)
        if (keyring_count(ring, registry_at(&ring->providers, i)))
            chosen[(*count)++] = registry_at(&ring->providers, i);
    if (*count > 1)
        return several(chosen, *count, err);
    return *count == 1 ||
           error_set(err, ERROR_USAGE,
                     "no API key found: set OPENAI_API_KEY or another provider's variable "
                     "(`batch-run providers` lists them), put it into .env, or name a file with "
                     "--keys; --provider simulate needs none%s%s",
                     ring->near_misses ? ". Not read: " : "",
                     ring->near_misses ? ring->near_misses : "");
}

bool choose_providers(const struct keyring *ring, const char *wanted, bool needs_keys,
                      const struct provider *chosen[], size_t *count, struct error *err) {
    *count = 0;
    if (!wanted && !choose_only(ring, chosen, count, err))
        return false;
    if (wanted && !read_list(&ring->providers, wanted, chosen, count, err))
        return false;
    return !needs_keys || keep_those_with_keys(ring, chosen, count, err);
}
