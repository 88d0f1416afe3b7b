// assign.c: reads values that are given to providers by name. Pure.
// SPDX-License-Identifier: MIT
#include "runner/assign.h"

// The provider that text names in front of the mark, or NULL. *value is what follows.
static const struct provider *named(const struct registry *providers, struct slice text, char mark,
                                    struct slice *value) {
    const char *end = text.n ? memchr(text.p, mark, text.n) : NULL;
    if (!end)
        return NULL;
    size_t n = (size_t)(end - text.p);
    *value = slice_of(end + 1, text.n - n - 1);
    return registry_find(providers, slice_trim(slice_of(text.p, n)));
}

static bool give(const char *option, struct slice *place, const struct provider *provider,
                 struct slice value, struct error *err) {
    const char *whose = provider ? provider->name : "all";
    if (!value.n)
        return error_set(err, ERROR_USAGE, "%s: the value for %s is missing", option, whose);
    if (place->n)
        return error_set(err, ERROR_USAGE, "%s: two values for %s", option, whose);
    *place = value;
    return true;
}

bool assign_models(const struct registry *providers, const char *text, provider_set in_run,
                   struct assigned *assigned, struct error *err) {
    struct slice list = slice_str(text), item, model;
    bool several = text && strchr(text, ',');
    *assigned = (struct assigned){0};
    while (slice_next(&list, ',', &item)) {
        item = slice_trim(item);
        const struct provider *provider = named(providers, item, ':', &model);
        bool ours = provider && in_run & PROVIDER_BIT(provider_place(provider));
        if (provider && !ours && several)
            return error_set(err, ERROR_USAGE,
                             "--model: %s is none of the run's providers (--provider)",
                             provider->name);
        if (!give("--model", ours ? &assigned->of[provider_place(provider)] : &assigned->common,
                  ours ? provider : NULL, ours ? slice_trim(model) : item, err))
            return false;
    }
    return true;
}

// The next address ends at a comma that a provider's name and '=' follow: others are part of it.
static struct slice take_address(const struct registry *providers, struct slice *list) {
    struct slice value;
    for (size_t i = 0; i < list->n; i++) {
        struct slice rest = slice_of(list->p + i + 1, list->n - i - 1);
        if (list->p[i] != ',' || !named(providers, rest, '=', &value))
            continue;
        struct slice address = slice_of(list->p, i);
        *list = rest;
        return address;
    }
    struct slice address = *list;
    *list = SLICE_NONE;
    return address;
}

bool assign_addresses(const struct registry *providers, const char *text, struct assigned *assigned,
                      struct error *err) {
    struct slice list = slice_str(text), value;
    *assigned = (struct assigned){0};
    while (list.n) {
        struct slice item = take_address(providers, &list);
        const struct provider *provider = named(providers, item, '=', &value);
        if (!give("--base-url",
                  provider ? &assigned->of[provider_place(provider)] : &assigned->common, provider,
                  slice_trim(provider ? value : item), err))
            return false;
    }
    return true;
}
