// keyring_json.c: keys from a JSON pool file, in this project's shape and in the older one under
// "ApiKeyPool". Main thread; wipes what it read.
// SPDX-License-Identifier: MIT
#include "pool/keys/keyring_parts.h"

#include "jobs/base/die.h"
#include "jobs/base/json.h"
#include "jobs/base/log.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define NAME_MAX_BYTES 64
#define NAME_SHOWN_MAX 24
// Whole numbers up to here are exact in a double.
#define EXACT_MAX 9007199254740992.0

// Where in the file we are, for messages.
struct pool_reader {
    struct keyring_builder *builder;
    const struct key_file *file;
    struct error *err;
    const char *root; // "" or "ApiKeyPool."
    const struct provider *provider;
    size_t index; // in the provider's keys
    bool in_key;  // looking at one of them
    bool enabled; // of all that is above the key
    size_t found;
    size_t unknown; // members that nobody reads
    char first_unknown[200];
};

__attribute__((format(printf, 3, 4))) static bool
fail(const struct pool_reader *r, const char *member, const char *format, ...) {
    char what[200];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return error_set(r->err, ERROR_USAGE, "%s: %sproviders.%s.keys[%zu]%s%s %s", r->file->path,
                     r->root, r->provider->name, r->index, *member ? "." : "", member, what);
}

static bool fail_at(const struct pool_reader *r, const char *path, const char *what) {
    return error_set(r->err, ERROR_USAGE, "%s: %s%s %s", r->file->path, r->root, path, what);
}

static const cJSON *member(const cJSON *object, const char *name) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNull(item) ? NULL : item;
}

// A member's name as it may be shown: a long one could be a key that slipped into its place.
static const char *shown(const char *name) {
    return strlen(name) <= NAME_SHOWN_MAX ? name : "(a long name)";
}

// Members that nobody reads are counted, the first is kept. path is behind the key's own place if
// there is one.
static void note_unknown(struct pool_reader *r, const char *path, const cJSON *object,
                         const char *const *known) {
    const cJSON *item;
    cJSON_ArrayForEach(item, object) {
        const char *const *name = known;
        while (*name && strcmp(*name, item->string) != 0)
            name++;
        if (*name || r->unknown++)
            continue;
        struct buf text = BUF_INIT(1024);
        buf_addf(&text, "%sproviders.%s", r->root, r->provider->name);
        if (r->in_key)
            buf_addf(&text, ".keys[%zu]", r->index);
        buf_addf(&text, "%s%s.%s", *path ? "." : "", path, shown(item->string));
        snprintf(r->first_unknown, sizeof r->first_unknown, "%s", buf_cstr(&text));
        buf_free(&text);
    }
}

// A key is enabled if nothing above it nor it itself says otherwise.
static bool read_enabled(const struct pool_reader *r, const cJSON *key, bool *enabled) {
    const cJSON *item = member(key, "enabled");
    if (item && !cJSON_IsBool(item))
        return fail(r, "enabled", "must be true or false");
    *enabled = r->enabled && !cJSON_IsFalse(item);
    return true;
}

// A whole number from least to EXACT_MAX.
static bool read_whole(const struct pool_reader *r, const cJSON *item, const char *path,
                       double least, int64_t *value) {
    if (!cJSON_IsNumber(item))
        return fail(r, path, "must be a number");
    double number = item->valuedouble;
    if (!(number >= least && number <= EXACT_MAX) || floor(number) != number)
        return fail(r, path, "must be a whole number%s", least >= 0 ? " of 0 or more" : "");
    *value = (int64_t)number;
    return true;
}

static const struct limit_name {
    const char *name;
    size_t offset;
} limit_names[] = {
    {"rpm", offsetof(struct key_limits, rpm)},
    {"tpm", offsetof(struct key_limits, tpm)},
    {"rpd", offsetof(struct key_limits, rpd)},
    {"tpd", offsetof(struct key_limits, tpd)},
    {"concurrency", offsetof(struct key_limits, concurrency)},
    {"requestsPerMinute", offsetof(struct key_limits, rpm)},
    {"tokensPerMinute", offsetof(struct key_limits, tpm)},
    {"requestsPerDay", offsetof(struct key_limits, rpd)},
    {"tokensPerDay", offsetof(struct key_limits, tpd)},
};

// The object under "limits" or "rateLimit".
static bool read_limits(struct pool_reader *r, const cJSON *key, const char *under,
                        struct key_limits *limits) {
    static const char *const known[] = {"rpm",
                                        "tpm",
                                        "rpd",
                                        "tpd",
                                        "concurrency",
                                        "requestsPerMinute",
                                        "tokensPerMinute",
                                        "requestsPerDay",
                                        "tokensPerDay",
                                        NULL};
    const cJSON *object = member(key, under);
    char path[80];
    if (!object)
        return true;
    if (!cJSON_IsObject(object))
        return fail(r, under, "must be an object");
    for (size_t i = 0; i < sizeof limit_names / sizeof *limit_names; i++) {
        const cJSON *item = member(object, limit_names[i].name);
        snprintf(path, sizeof path, "%s.%s", under, limit_names[i].name);
        if (item &&
            !read_whole(r, item, path, 0, (int64_t *)((char *)limits + limit_names[i].offset)))
            return false;
    }
    note_unknown(r, under, object, known);
    return true;
}

// Text that is shown in results and tables: a name, a group, a tag. It must not show the key.
static bool check_label(const struct pool_reader *r, const cJSON *item, const char *path,
                        struct slice secret) {
    if (!cJSON_IsString(item))
        return fail(r, path, "must be a string");
    struct slice text = slice_str(item->valuestring);
    if (!text.n || text.n > NAME_MAX_BYTES)
        return fail(r, path, "must have 1 to %d bytes", NAME_MAX_BYTES);
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
            return fail(r, path, "holds a control character");
    if (secret.n >= SECRET_SCRUBBED_MIN && memmem(text.p, text.n, secret.p, secret.n))
        return fail(r, path, "holds the key itself, which must not be shown");
    return true;
}

static bool read_label(const struct pool_reader *r, const cJSON *key, const char *name,
                       struct slice secret, char **label) {
    const cJSON *item = member(key, name);
    if (!item)
        return true;
    if (!check_label(r, item, name, secret))
        return false;
    *label = mem_text(item->valuestring, strlen(item->valuestring));
    return true;
}

static bool read_tags(const struct pool_reader *r, const cJSON *key, struct slice secret,
                      char ***tags) {
    const cJSON *list = member(key, "tags"), *item;
    if (!list)
        return true;
    if (!cJSON_IsArray(list))
        return fail(r, "tags", "must be an array of strings");
    size_t n = 0;
    char path[40];
    *tags = mem_zero((size_t)cJSON_GetArraySize(list) + 1, sizeof **tags);
    cJSON_ArrayForEach(item, list) {
        snprintf(path, sizeof path, "tags[%zu]", n);
        if (!check_label(r, item, path, secret))
            return false;
        (*tags)[n++] = mem_text(item->valuestring, strlen(item->valuestring));
    }
    return true;
}

static bool read_numbers(const struct pool_reader *r, const cJSON *key, struct key_entry *entry) {
    const cJSON *priority = member(key, "priority"), *weight = member(key, "weight");
    entry->has_priority = priority != NULL;
    if (priority && !read_whole(r, priority, "priority", -EXACT_MAX, &entry->priority))
        return false;
    entry->has_weight = weight != NULL;
    if (!weight)
        return true;
    entry->weight = weight->valuedouble;
    if (!cJSON_IsNumber(weight) || !(entry->weight >= 0 && entry->weight <= 1e9))
        return fail(r, "weight", "must be a number of 0 or more");
    return true;
}

// All but the key itself.
static bool read_settings(struct pool_reader *r, const cJSON *key, struct slice secret,
                          struct key_entry *entry) {
    static const char *const known[] = {"key",  "name",   "group",     "enabled", "priority",
                                        "tags", "limits", "rateLimit", "weight",  NULL};
    note_unknown(r, "", key, known);
    return read_label(r, key, "name", secret, &entry->name) &&
           read_label(r, key, "group", secret, &entry->group) &&
           read_tags(r, key, secret, &entry->tags) && read_numbers(r, key, entry) &&
           read_limits(r, key, "rateLimit", &entry->limits) &&
           read_limits(r, key, "limits", &entry->limits);
}

// Whether it can be shown: a key that stands where a name should must not be.
static bool is_variable_name(struct slice name) {
    for (size_t i = 0; i < name.n; i++)
        if (!(name.p[i] >= 'A' && name.p[i] <= 'Z') && !(name.p[i] >= '0' && name.p[i] <= '9') &&
            name.p[i] != '_')
            return false;
    return name.n <= 80;
}

// The text of the key, "env:NAME" looked up. Absent for a disabled key whose variable is not set.
static bool read_secret(const struct pool_reader *r, const cJSON *key, bool enabled,
                        struct slice *secret) {
    const cJSON *item = member(key, "key");
    if (!item)
        return fail(r, "key", "is missing");
    if (!cJSON_IsString(item))
        return fail(r, "key", "must be a string");
    *secret = slice_trim(slice_str(item->valuestring));
    if (slice_starts(*secret, "env:")) {
        struct slice name = slice_of(secret->p + 4, secret->n - 4);
        if (!name.n || memchr(name.p, '=', name.n))
            return fail(r, "key", "must name a variable behind env:");
        *secret = builder_variable(r->builder, name);
        if (!secret->p && enabled && is_variable_name(name))
            return fail(r, "key", "refers to the variable %.*s, which is not set", SLICE_ARG(name));
        if (!secret->p && enabled)
            return fail(r, "key", "refers to a variable that is not set");
        if (!secret->p)
            return true;
    }
    const char *fault = key_fault(*secret);
    return !fault || fail(r, "key", "%s; correct or remove it", fault);
}

static bool read_key(struct pool_reader *r, const cJSON *key) {
    struct key_entry *entry;
    struct slice secret;
    bool enabled = false;
    if (!cJSON_IsObject(key))
        return fail(r, "", "must be an object with the member \"key\"");
    if (!read_enabled(r, key, &enabled) || !read_secret(r, key, enabled, &secret))
        return false;
    r->found++;
    if (!secret.p)
        return true;
    struct buf place = BUF_INIT(16384);
    buf_addf(&place, "%s: %sproviders.%s.keys[%zu]", r->file->path, r->root, r->provider->name,
             r->index);
    struct key_place at = {buf_slice(&place), true};
    bool good = builder_add(r->builder, r->provider, secret, at, &entry, r->err);
    buf_free(&place);
    if (!good)
        return false;
    if (!entry)
        return true; // known already: the first one's settings stand
    builder_wish_number(r->builder, (int64_t)r->index + 1);
    good = read_settings(r, key, secret, entry);
    entry->enabled = enabled;
    return good;
}

static bool read_keys(struct pool_reader *r, const cJSON *keys) {
    const cJSON *key;
    r->index = 0;
    cJSON_ArrayForEach(key, keys) {
        if (!read_key(r, key))
            return false;
        r->index++;
    }
    return true;
}

// "https://host/v1/" without its last slash.
static bool read_base_url(struct pool_reader *r, const cJSON *object, const char *path) {
    char where[60];
    const cJSON *item = member(object, "base_url");
    if (!item)
        return true;
    snprintf(where, sizeof where, "%s.base_url", path);
    struct slice url = cJSON_IsString(item) ? slice_trim(slice_str(item->valuestring)) : SLICE_NONE;
    if (!slice_starts(url, "http://") && !slice_starts(url, "https://"))
        return fail_at(r, where, "must be a string that starts with https:// or http://");
    while (url.n && url.p[url.n - 1] == '/')
        url.n--;
    char **slot = &r->builder->ring->base_urls[r->provider - catalogue];
    free(*slot);
    *slot = mem_text(url.p, url.n);
    return true;
}

static bool read_provider(struct pool_reader *r, const cJSON *object, bool pool_enabled) {
    static const char *const known[] = {"base_url", "keys", "enabled", NULL};
    char path[40];
    snprintf(path, sizeof path, "providers.%s", shown(object->string));
    r->provider = catalogue_find(slice_str(object->string));
    if (!r->provider)
        return error_set(r->err, ERROR_USAGE, "%s: %s%s is not known; providers are %s",
                         r->file->path, r->root, path, catalogue_names());
    if (!cJSON_IsObject(object))
        return fail_at(r, path, "must be an object");
    const cJSON *enabled = member(object, "enabled"), *keys = member(object, "keys");
    if (enabled && !cJSON_IsBool(enabled))
        return fail_at(r, path, "has an \"enabled\" that is not true or false");
    if (keys && !cJSON_IsArray(keys))
        return fail_at(r, path, "has \"keys\" that are no array");
    r->enabled = pool_enabled && !cJSON_IsFalse(enabled);
    r->in_key = false;
    note_unknown(r, "", object, known);
    r->in_key = true;
    return read_base_url(r, object, path) && read_keys(r, keys);
}

static bool read_strategy(struct pool_reader *r, const cJSON *pool) {
    const cJSON *item = member(pool, "strategy");
    if (!item)
        return true;
    if (!cJSON_IsString(item))
        return fail_at(r, "strategy", "must be a string");
    r->builder->ring->strategy = mem_text(item->valuestring, strlen(item->valuestring));
    return true;
}

static bool read_pool(struct pool_reader *r, const cJSON *root) {
    const cJSON *seed = member(root, "ApiKeyPool"), *pool = seed ? seed : root, *object;
    r->root = seed ? "ApiKeyPool." : "";
    const cJSON *providers = member(pool, "providers"), *enabled = member(pool, "enabled");
    if (!cJSON_IsObject(providers))
        return fail_at(r, "providers",
                       providers ? "must be an object"
                                 : "is missing: {\"providers\": {\"openai\": "
                                   "{\"keys\": [{\"key\": \"…\"}]}}}");
    if (enabled && !cJSON_IsBool(enabled))
        return fail_at(r, "enabled", "must be true or false");
    if (!read_strategy(r, pool))
        return false;
    cJSON_ArrayForEach(object, providers) {
        if (!read_provider(r, object, !cJSON_IsFalse(enabled)))
            return false;
    }
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
