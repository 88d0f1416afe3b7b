// keyring_json_provider.c: the providers that a JSON pool file declares or changes. Main thread.
// SPDX-License-Identifier: MIT
#include "pool/keys/keyring_json_parts.h"

#include "pool/keys/choose.h"

#include <stdio.h>

// The text of a member that must be a string; absent when it is not there.
static bool read_text(const struct pool_reader *r, const cJSON *object, const char *name,
                      struct slice *text) {
    const cJSON *item = reader_member(object, name);
    *text = SLICE_NONE;
    if (!item)
        return true;
    if (!cJSON_IsString(item))
        return reader_fail(r, name, "must be a string");
    *text = slice_trim(slice_str(item->valuestring));
    return true;
}

static bool read_address(struct pool_reader *r, const cJSON *object, struct provider *row) {
    struct slice url;
    const char *what;
    if (!read_text(r, object, "base_url", &url))
        return false;
    return !url.p || registry_set_address(&r->builder->ring->providers, row, url, &what) ||
           reader_fail(r, "base_url", "%s", what);
}

static bool read_wire(struct pool_reader *r, const cJSON *object, struct provider *row) {
    struct slice wire;
    const char *what;
    if (!read_text(r, object, "wire", &wire))
        return false;
    return !wire.p || registry_set_wire(row, wire, &what) || reader_fail(r, "wire", "%s", what);
}

static bool read_auth(struct pool_reader *r, const cJSON *object, struct provider *row) {
    struct slice auth;
    const char *what;
    if (!read_text(r, object, "auth", &auth))
        return false;
    return !auth.p || registry_set_auth(&r->builder->ring->providers, row, auth, &what) ||
           reader_fail(r, "auth", "%s", what);
}

static bool read_model(struct pool_reader *r, const cJSON *object, struct provider *row) {
    struct slice model;
    if (!read_text(r, object, "model", &model))
        return false;
    if (model.p && !model.n)
        return reader_fail(r, "model", "is empty");
    if (model.p)
        row->default_model = registry_text(&r->builder->ring->providers, model);
    return true;
}

// The last one named is put in front last.
static bool read_variables(struct pool_reader *r, const cJSON *object, struct provider *row) {
    const cJSON *list = reader_member(object, "variables");
    if (list && !cJSON_IsArray(list))
        return reader_fail(r, "variables", "must be an array of variables' names");
    for (int i = cJSON_GetArraySize(list); i-- > 0;) {
        const cJSON *item = cJSON_GetArrayItem(list, i);
        struct slice name = cJSON_IsString(item) ? slice_str(item->valuestring) : SLICE_NONE;
        const char *what;
        if (!registry_add_variable(&r->builder->ring->providers, row, name, &what))
            return reader_fail(r, "variables", "%s", what);
    }
    return true;
}

// "env:NAME" is looked up. Absent: the variable is not set.
static struct slice look_up(struct pool_reader *r, const cJSON *item) {
    struct slice text = slice_trim(slice_str(item->valuestring));
    if (!slice_starts(text, "env:"))
        return text;
    return builder_variable(r->builder, slice_of(text.p + 4, text.n - 4));
}

typedef bool add_pair(struct registry *registry, struct provider *provider, struct slice name,
                      struct slice value, const char **what);

// An object of texts. Of a provider that the run does not use, what a missing variable holds is not
// missed.
static bool read_pairs(struct pool_reader *r, const cJSON *object, const char *member,
                       struct provider *row, add_pair *add) {
    const cJSON *pairs = reader_member(object, member), *item;
    if (pairs && !cJSON_IsObject(pairs))
        return reader_fail(r, member, "must be an object of strings");
    cJSON_ArrayForEach(item, pairs) {
        char path[80];
        const char *what;
        snprintf(path, sizeof path, "%s.%s", member, reader_shown(item->string));
        if (!cJSON_IsString(item))
            return reader_fail(r, path, "must be a string");
        bool in_run = builder_in_run(r->builder, r->provider);
        bool is_secret = slice_starts(slice_trim(slice_str(item->valuestring)), "env:");
        struct slice value = in_run || !is_secret ? look_up(r, item) : SLICE_NONE;
        if (!value.p && in_run)
            return reader_fail(r, path, "refers to a variable that is not set");
        if (value.p &&
            !add(&r->builder->ring->providers, row, slice_str(item->string), value, &what))
            return reader_fail(r, path, "%s", what);
        if (value.p && is_secret)
            registry_add_secret(&r->builder->ring->providers, row, value);
    }
    return true;
}

static bool read_row(struct pool_reader *r, const cJSON *object, struct provider *row) {
    return read_wire(r, object, row) && read_address(r, object, row) && read_auth(r, object, row) &&
           read_model(r, object, row) && read_variables(r, object, row);
}

// Whether the file says anything of this provider but its keys.
static bool says_more(const cJSON *object) {
    static const char *const names[] = {"base_url", "wire", "model",    "headers",
                                        "query",    "auth", "variables"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (reader_member(object, names[i]))
            return true;
    return false;
}

static bool unknown(const struct pool_reader *r, const cJSON *object) {
    struct buf names = BUF_INIT(2048);
    registry_add_names(&r->builder->ring->providers, &names);
    error_set(r->err, ERROR_USAGE,
              "%s: %sproviders.%s is not known, so it needs an address: \"base_url\": "
              "\"https://…/v1\"; known are %s",
              r->file->path, r->root, reader_shown(object->string), buf_cstr(&names));
    buf_free(&names);
    return false;
}

static bool declare(struct pool_reader *r, const cJSON *object) {
    struct registry *providers = &r->builder->ring->providers;
    struct slice name = slice_str(object->string);
    const char *what = NULL;
    r->provider = registry_find(providers, name);
    if (!r->provider && !reader_member(object, "base_url"))
        return unknown(r, object);
    if (!says_more(object))
        return true;
    struct provider *row = registry_declare(providers, name, &what);
    if (!row)
        return error_set(r->err, ERROR_USAGE, "%s: %sproviders.%s: %s", r->file->path, r->root,
                         reader_shown(object->string), what);
    r->provider = row;
    r->declared++;
    return read_row(r, object, row);
}

bool reader_declare(struct pool_reader *r, const cJSON *object) {
    char path[40];
    snprintf(path, sizeof path, "providers.%s", reader_shown(object->string));
    r->at[0] = '\0';
    r->provider = NULL;
    if (!cJSON_IsObject(object))
        return reader_fail_at(r, path, "must be an object");
    return declare(r, object);
}

bool reader_headers(struct pool_reader *r, const cJSON *object) {
    struct registry *providers = &r->builder->ring->providers;
    struct provider *row = providers->own[provider_place(r->provider)];
    return !row || (read_pairs(r, object, "headers", row, registry_add_header) &&
                    read_pairs(r, object, "query", row, registry_add_query));
}
