// keyring_json.c: keys from a JSON pool file, in this project's shape and in the older one under
// "ApiKeyPool". Main thread; wipes what it read.
// SPDX-License-Identifier: MIT
#include "pool/keys/keyring_json_parts.h"

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

// "https://host/v1/" without its last slash.
static bool read_base_url(struct pool_reader *r, const cJSON *object, const char *path) {
    char where[60];
    const cJSON *item = reader_member(object, "base_url");
    if (!item)
        return true;
    snprintf(where, sizeof where, "%s.base_url", path);
    struct slice url = cJSON_IsString(item) ? slice_trim(slice_str(item->valuestring)) : SLICE_NONE;
    if (!slice_starts(url, "http://") && !slice_starts(url, "https://"))
        return reader_fail_at(r, where, "must be a string that starts with https:// or http://");
    while (url.n && url.p[url.n - 1] == '/')
        url.n--;
    char **slot = &r->builder->ring->base_urls[r->provider - catalogue];
    free(*slot);
    *slot = mem_text(url.p, url.n);
    return true;
}

static bool read_provider(struct pool_reader *r, const cJSON *object, bool pool_enabled) {
    static const char *const known[] = {"base_url", "keys", "enabled", "groups", NULL};
    char path[40];
    snprintf(path, sizeof path, "providers.%s", reader_shown(object->string));
    r->provider = catalogue_find(slice_str(object->string));
    if (!r->provider)
        return error_set(r->err, ERROR_USAGE, "%s: %s%s is not known; providers are %s",
                         r->file->path, r->root, path, catalogue_names());
    if (!cJSON_IsObject(object))
        return reader_fail_at(r, path, "must be an object");
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
    return reader_check_members(r, "", object, known) && read_base_url(r, object, path) &&
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
        snprintf(path, sizeof path, "order[%d]", n);
        bool good =
            catalogue_find(slice_str(name)) || reader_fail_at(r, path, "is no provider's name");
        if (good && choose_names(buf_cstr(&names), catalogue_find(slice_str(name))))
            good = reader_fail_at(r, path, "is given twice");
        if (!good) {
            buf_free(&names);
            return false;
        }
        buf_addf(&names, "%s%s", n++ ? "," : "", name);
    }
    r->builder->ring->order = mem_text(names.p, names.n);
    buf_free(&names);
    return true;
}

static bool read_pool(struct pool_reader *r, const cJSON *root) {
    static const char *const known[] = {"enabled", "strategy", "order", "providers", NULL};
    const cJSON *seed = reader_member(root, "ApiKeyPool"), *pool = seed ? seed : root, *object;
    r->root = seed ? "ApiKeyPool." : "";
    const cJSON *providers = reader_member(pool, "providers"),
                *enabled = reader_member(pool, "enabled");
    if (!cJSON_IsObject(providers))
        return reader_fail_at(r, "providers",
                              providers ? "must be an object"
                                        : "is missing: {\"providers\": {\"openai\": "
                                          "{\"keys\": [{\"key\": \"…\"}]}}}");
    if (enabled && !cJSON_IsBool(enabled))
        return reader_fail_at(r, "enabled", "must be true or false");
    if (!reader_check_members(r, "", pool, known) || !read_strategy(r, pool) ||
        !read_order(r, pool))
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
    return r->found || error_set(r->err, ERROR_USAGE,
                                 "%s gives no key: %sproviders.<name>.keys is empty everywhere",
                                 r->file->path, r->root);
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

bool keyring_add_json(struct keyring_builder *b, const struct key_file *file, struct error *err) {
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
    struct pool_reader r = {.builder = b, .file = file, .err = err, .root = ""};
    bool good = read_pool(&r, root);
    wipe_tree(root);
    cJSON_Delete(root);
    return good;
}
