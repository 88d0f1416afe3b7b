// keyring_json.c: keys from a JSON pool file, in this project's shape and in the older one under
// "ApiKeyPool". Main thread; wipes what it read.
// SPDX-License-Identifier: MIT
#include "pool/keys/keyring_json_parts.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "jobs/base/json.h"
#include "jobs/base/log.h"
#include "pool/keys/choose.h"

#include <stdio.h>
#include <stdlib.h>

static bool read_keys(struct pool_reader *r, const cJSON *keys) {
    const cJSON *key;
    size_t index = 0;
    cJSON_ArrayForEach(key, keys) {
        snprintf(r->at, sizeof r->at, ".keys[%zu]", index);
        if (!reader_key(r, key, index++))
            return false;
    }
    return true;
}

static bool read_group(struct pool_reader *r, const cJSON *object) {
    static const char *const known[] = {"limits", NULL};
    struct keyring *ring = r->builder->ring;
    snprintf(r->at, sizeof r->at, ".groups.%s", reader_shown(object->string));
    if (!*object->string || strlen(object->string) > NAME_MAX_BYTES)
        return reader_fail(r, "", "must have a name of 1 to %d bytes", NAME_MAX_BYTES);
    if (!cJSON_IsObject(object))
        return reader_fail(r, "", "must be an object with the member \"limits\"");
    ring->groups = mem_resize(ring->groups, (ring->group_count + 1) * sizeof *ring->groups);
    struct key_group *group = &ring->groups[ring->group_count++];
    *group = (struct key_group){.provider = r->provider,
                                .name = mem_text(object->string, strlen(object->string))};
    return reader_check_members(r, "", object, known) &&
           reader_limits(r, object, "limits", &group->limits);
}

static bool read_groups(struct pool_reader *r, const cJSON *groups) {
    const cJSON *group;
    cJSON_ArrayForEach(group, groups) {
        if (!read_group(r, group))
            return false;
    }
    return true;
}

// Of two groups of one name one would be lost; a group that no key names is a slip.
static bool check_groups(struct pool_reader *r) {
    struct keyring *ring = r->builder->ring;
    builder_sort_groups(r->builder);
    bool *used = mem_zero(ring->group_count + 1, sizeof *used);
    for (size_t i = 0; i < ring->count; i++) {
        const struct key_entry *entry = &ring->entries[i];
        const struct key_group *group = keyring_group(ring, entry->provider, entry->group);
        if (group)
            used[group - ring->groups] = true;
    }
    bool good = true;
    for (size_t i = 0; i < ring->group_count && good; i++) {
        const struct key_group *group = &ring->groups[i];
        if (i && group[-1].provider == group->provider && strcmp(group[-1].name, group->name) == 0)
            good =
                error_set(r->err, ERROR_USAGE, "%s: %sproviders.%s.groups.%s is given twice",
                          r->file->path, r->root, group->provider->name, reader_shown(group->name));
        else if (!used[i])
            log_warn("%s: %sproviders.%s.groups.%s: no key is in this group", r->file->path,
                     r->root, group->provider->name, reader_shown(group->name));
    }
    free(used);
    return good;
}

static bool read_provider(struct pool_reader *r, const cJSON *object, bool pool_enabled) {
    static const char *const known[] = {"base_url",  "wire", "model",   "headers", "query", "auth",
                                        "variables", "keys", "enabled", "groups",  NULL};
    r->provider = registry_find(&r->builder->ring->providers, slice_str(object->string));
    const cJSON *enabled = reader_member(object, "enabled"), *keys = reader_member(object, "keys"),
                *groups = reader_member(object, "groups");
    r->at[0] = '\0';
    if (enabled && !cJSON_IsBool(enabled))
        return reader_fail(r, "enabled", "must be true or false");
    if (keys && !cJSON_IsArray(keys))
        return reader_fail(r, "keys", "must be an array");
    if (groups && !cJSON_IsObject(groups))
        return reader_fail(r, "groups", "must be an object");
    r->enabled = pool_enabled && !cJSON_IsFalse(enabled);
    return reader_check_members(r, "", object, known) && reader_headers(r, object) &&
           read_groups(r, groups) && read_keys(r, keys);
}

static bool read_strategy(struct pool_reader *r, const cJSON *pool) {
    struct keyring *ring = r->builder->ring;
    const cJSON *item = reader_member(pool, "strategy");
    if (!item)
        return true;
    if (!cJSON_IsString(item))
        return reader_fail_at(r, "strategy", "must be a string");
    ring->has_strategy = strategy_find(slice_str(item->valuestring), &ring->strategy);
    if (ring->has_strategy)
        return true;
    struct buf what = BUF_INIT(400);
    buf_addf(&what, "is \"%s\", which is none of", reader_shown(item->valuestring));
    for (int i = 0; strategy_names[i]; i++)
        buf_addf(&what, "%s %s", i ? "," : "", strategy_names[i]);
    reader_fail_at(r, "strategy", buf_cstr(&what));
    buf_free(&what);
    return false;
}

// The order of preference, for runs without --provider.
static bool read_order(struct pool_reader *r, const cJSON *pool) {
    const cJSON *list = reader_member(pool, "order"), *item;
    struct buf names = BUF_INIT(4096);
    char path[40];
    int n = 0;
    if (!list)
        return true;
    if (!cJSON_IsArray(list) || !list->child)
        return reader_fail_at(r, "order", "must be an array of providers' names");
    cJSON_ArrayForEach(item, list) {
        const char *name = cJSON_IsString(item) ? item->valuestring : "";
        const struct provider *provider =
            registry_find(&r->builder->ring->providers, slice_str(name));
        snprintf(path, sizeof path, "order[%d]", n);
        bool good = provider || reader_fail_at(r, path, "is no provider's name");
        if (good && choose_names(buf_cstr(&names), provider))
            good = reader_fail_at(r, path, "is given twice");
        if (!good) {
            buf_free(&names);
            return false;
        }
        buf_addf(&names, "%s%s", n++ ? "," : "", name);
    }
    free(r->builder->ring->order);
    r->builder->ring->order = mem_text(names.p, names.n);
    buf_free(&names);
    return true;
}

// Where the pool is in the file: at its root, or under "ApiKeyPool".
static const cJSON *find_pool(struct pool_reader *r, const cJSON *root) {
    const cJSON *seed = reader_member(root, "ApiKeyPool");
    r->root = seed ? "ApiKeyPool." : "";
    return seed ? seed : root;
}

static const char *const pool_members[] = {"enabled",
                                           "strategy",
                                           "order",
                                           "providers",
                                           "rateLimitPerAccount",
                                           "rateLimitWindowMs",
                                           "healthCheckInterval",
                                           NULL};

// What the guides state for all keys: so many requests of each in a window, and how often keys that
// are out are checked again.
static bool read_common(struct pool_reader *r, const cJSON *pool) {
    static const char *const names[] = {"rateLimitPerAccount", "rateLimitWindowMs",
                                        "healthCheckInterval"};
    int64_t values[3] = {0};
    for (size_t i = 0; i < 3; i++) {
        const cJSON *item = reader_member(pool, names[i]);
        bool good = !item || (cJSON_IsNumber(item) && item->valuedouble >= 0 &&
                              item->valuedouble <= 2678400000.0); // 31 days
        if (!good)
            return reader_fail_at(r, names[i], "must be a whole number of 0 or more");
        values[i] = item ? (int64_t)item->valuedouble : 0;
    }
    r->common.requests = values[0];
    r->common.window = values[0] ? (values[1] ? values[1] : 60000) * USEC_PER_MS : 0;
    if (values[2])
        r->builder->ring->recheck = values[2] * USEC_PER_MS;
    return true;
}

// Providers and their order, before any key is read.
static bool declare_pool(struct pool_reader *r, const cJSON *root) {
    const cJSON *pool = find_pool(r, root), *object;
    const cJSON *providers = reader_member(pool, "providers"),
                *enabled = reader_member(pool, "enabled");
    if (!cJSON_IsObject(providers))
        return reader_fail_at(r, "providers",
                              providers ? "must be an object"
                                        : "is missing: {\"providers\": {\"openai\": "
                                          "{\"keys\": [{\"key\": \"…\"}]}}}");
    if (enabled && !cJSON_IsBool(enabled))
        return reader_fail_at(r, "enabled", "must be true or false");
    if (!reader_check_members(r, "", pool, pool_members) || !read_strategy(r, pool))
        return false;
    cJSON_ArrayForEach(object, providers) {
        if (!reader_declare(r, object))
            return false;
    }
    r->provider = NULL;
    return read_order(r, pool);
}

static bool read_pool(struct pool_reader *r, const cJSON *root) {
    const cJSON *pool = find_pool(r, root), *object;
    const cJSON *providers = reader_member(pool, "providers"),
                *enabled = reader_member(pool, "enabled");
    if (!reader_check_members(r, "", pool, pool_members) || !read_common(r, pool))
        return false;
    cJSON_ArrayForEach(object, providers) {
        if (!read_provider(r, object, !cJSON_IsFalse(enabled)))
            return false;
    }
    if (!check_groups(r))
        return false;
    if (r->unknown)
        log_warn("%s: %s is not known and was passed over%s", r->file->path, r->first_unknown,
                 r->unknown > 1 ? ", as were others" : "");
    return r->found || r->declared ||
           error_set(r->err, ERROR_USAGE,
                     "%s gives no key: %sproviders.<name>.keys is empty everywhere", r->file->path,
                     r->root);
}

// Overwrites every string of the tree: cJSON_Delete() only frees them.
static void wipe_tree(cJSON *item) {
    for (; item; item = item->next) {
        if (cJSON_IsString(item))
            explicit_bzero(item->valuestring, strlen(item->valuestring));
        wipe_tree(item->child); // no deeper than json_check() allows
    }
}

static bool syntax_error(const struct key_file *file, struct slice text, size_t offset,
                         const char *what, struct error *err) {
    size_t line = 1, column = 1;
    for (size_t i = 0; i < offset; i++) {
        line += text.p[i] == '\n';
        column = text.p[i] == '\n' ? 1 : column + 1;
    }
    return error_set(err, ERROR_USAGE, "%s:%zu:%zu: %s", file->path, line, column, what);
}

bool keyring_declare_json(struct keyring_builder *b, struct key_file *file, struct error *err) {
    struct slice text = buf_slice(&file->text);
    if (slice_starts(text, "\xef\xbb\xbf"))
        text = slice_of(text.p + 3, text.n - 3);
    struct json_fault fault;
    if (!json_check(text, &fault))
        return syntax_error(file, text, fault.offset, fault.what, err);
    const char *zero = memmem(text.p, text.n, "\\u0000", 6); // cJSON would end the text there
    if (zero)
        return syntax_error(file, text, (size_t)(zero - text.p), "\\u0000 has no place here", err);
    cJSON *root = cJSON_ParseWithLength(text.p, text.n);
    if (!root)
        return error_set(err, ERROR_USAGE, "%s is too large to be read", file->path);
    file->tree = root;
    struct pool_reader r = {.builder = b, .file = file, .err = err, .root = ""};
    bool good = declare_pool(&r, root);
    file->declares = r.declared > 0;
    return good;
}

bool keyring_add_json(struct keyring_builder *b, const struct key_file *file, struct error *err) {
    struct pool_reader r = {.builder = b, .file = file, .err = err, .root = ""};
    r.declared = file->declares;
    return read_pool(&r, file->tree);
}

void keyring_free_json(struct key_file *file) {
    wipe_tree(file->tree);
    cJSON_Delete(file->tree);
    file->tree = NULL;
}
