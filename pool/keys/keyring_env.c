// keyring_env.c: keys from variables: which ones count, and the environment. Main thread.
// SPDX-License-Identifier: MIT
#include "pool/keys/keyring_parts.h"

#include "jobs/base/die.h"

#include <stdlib.h>

// From here on the digits behind a variable are a name, no number.
#define NUMBER_END INT64_C(1000000000000000)

// "" or "_<digits>" behind the variable's name. Leading zeros are no part of the number: _007 is 7.
static bool read_number(struct slice rest, struct key_variable *v) {
    v->plain = rest.n == 0;
    v->number = -1;
    if (v->plain)
        return true;
    if (rest.n < 2 || *rest.p != '_')
        return false;
    int64_t number = 0;
    for (size_t i = 1; i < rest.n; i++) {
        if (rest.p[i] < '0' || rest.p[i] > '9')
            return false;
        if (number < NUMBER_END)
            number = number * 10 + (rest.p[i] - '0');
    }
    if (number < NUMBER_END)
        v->number = number;
    return true;
}

// False when it is none of this provider's.
static bool read_variable(const struct provider *p, struct slice name, struct key_variable *v) {
    for (int i = 0; i < PROVIDER_VARIABLES && p->variables[i]; i++) {
        size_t n = strlen(p->variables[i]);
        if (!slice_starts(name, p->variables[i]) ||
            !read_number(slice_of(name.p + n, name.n - n), v))
            continue;
        v->provider = p;
        v->order = i;
        return true;
    }
    return false;
}

bool key_variable_read(const struct registry *providers, struct slice name,
                       struct key_variable *v) {
    for (size_t i = 0; i < registry_count(providers); i++)
        if (read_variable(registry_at(providers, i), name, v))
            return true;
    return false;
}

// A variable of the environment: "NAME=value".
struct env_key {
    struct key_variable variable;
    size_t at; // in the environment
    struct slice name;
    struct slice value;
};

// False for what is no variable.
static bool env_entry(char **environment, size_t at, struct slice *name, struct slice *value) {
    const char *text = environment[at];
    size_t n = strcspn(text, "=");
    *name = slice_of(text, n);
    *value = text[n] ? slice_str(text + n + 1) : SLICE_NONE;
    return value->p != NULL;
}

// The environment has no order of its own: by provider, variable, number.
static int compare(const void *a, const void *b) {
    const struct env_key *x = a, *y = b;
    if (x->variable.provider != y->variable.provider)
        return provider_place(x->variable.provider) < provider_place(y->variable.provider) ? -1 : 1;
    if (x->variable.order != y->variable.order)
        return x->variable.order - y->variable.order;
    if (x->variable.plain != y->variable.plain)
        return x->variable.plain ? -1 : 1;
    if (x->variable.number != y->variable.number)
        return x->variable.number < y->variable.number ? -1 : 1;
    return x->at < y->at ? -1 : 1;
}

// The variables that hold keys, but for those that a pool file refers to: these are its own.
static size_t collect(struct keyring_builder *b, struct env_key **keys) {
    char **environment = b->options->environment;
    size_t count = 0, cap = 0;
    for (size_t i = 0; i < b->environment_count; i++) {
        struct env_key key = {.at = i};
        if (b->used[i] & USED_TAKEN || !env_entry(environment, i, &key.name, &key.value) ||
            !key_variable_read(&b->ring->providers, key.name, &key.variable))
            continue;
        if (count == cap) {
            cap = cap ? cap * 2 : 16;
            *keys = mem_resize(*keys, cap * sizeof **keys);
        }
        (*keys)[count++] = key;
    }
    return count;
}

bool keyring_add_environment(struct keyring_builder *b, struct error *err) {
    struct env_key *keys = NULL;
    size_t count = collect(b, &keys), found = 0;
    bool good = true;
    if (count)
        qsort(keys, count, sizeof *keys, compare);
    for (size_t i = 0; good && i < count; i++) {
        b->used[keys[i].at] |= USED_READ;
        if (!builder_is_served(b, keys[i].variable.provider))
            good = builder_add_list(b, &keys[i].variable, keys[i].value, NULL, keys[i].name, &found,
                                    err);
    }
    free(keys);
    return good;
}

struct slice builder_environment(struct keyring_builder *b, struct slice wanted) {
    struct slice name, value;
    for (size_t i = 0; i < b->environment_count; i++)
        if (env_entry(b->options->environment, i, &name, &value) && slice_eq(name, wanted)) {
            b->used[i] |= USED_READ;
            return value;
        }
    return SLICE_NONE;
}

void builder_wipe_environment(struct keyring_builder *b) {
    char **environment = b->options->environment;
    for (size_t i = 0; i < b->environment_count; i++) {
        char *equals = b->used[i] ? strchr(environment[i], '=') : NULL;
        if (equals)
            explicit_bzero(equals + 1, strlen(equals + 1));
    }
}

// Variables by their names: those of the environment first, behind them those of the env file.
static void index_variables(struct keyring_builder *b) {
    struct slice name, value;
    for (size_t i = 0; i < b->environment_count; i++)
        if (env_entry(b->options->environment, i, &name, &value) && value.n)
            key_index_add(&b->variables, hash_bytes(name, b->hash_key).low, i);
    for (size_t i = 0; i < b->env_file.count; i++) {
        const struct env_variable *v = &b->env_file.variables[i];
        if (v->value.n && !v->fault)
            key_index_add(&b->variables, hash_bytes(v->name, b->hash_key).low,
                          b->environment_count + i);
    }
}

// The variable at this number of the index; marks it as used if it has this name.
static bool use_variable(struct keyring_builder *b, size_t at, struct slice wanted,
                         struct slice *value) {
    struct slice name;
    if (at < b->environment_count) {
        env_entry(b->options->environment, at, &name, value);
        if (slice_eq(name, wanted))
            b->used[at] |= USED_READ | USED_TAKEN;
    } else {
        struct env_variable *v = &b->env_file.variables[at - b->environment_count];
        name = v->name;
        *value = v->value;
        if (slice_eq(name, wanted))
            v->referenced = true;
    }
    return slice_eq(name, wanted);
}

struct slice builder_variable(struct keyring_builder *b, struct slice name) {
    struct slice value;
    size_t step = 0, at, best = SIZE_MAX;
    if (!b->variables.cap)
        index_variables(b);
    // the first one counts, as for getenv(): in the index they stand in no order
    while (key_index_next(&b->variables, hash_bytes(name, b->hash_key).low, &step, &at))
        if (at < best)
            best = at;
    if (best == SIZE_MAX || !use_variable(b, best, name, &value))
        return SLICE_NONE;
    return slice_trim(value);
}
