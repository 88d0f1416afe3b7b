// keyring_json_key.c: one key of a JSON pool file. Main thread.
// SPDX-License-Identifier: MIT
#include "pool/keys/keyring_json_parts.h"

#include "jobs/base/die.h"
#include "pool/keys/key_value.h"

#include <stdio.h>
#include <string.h>

// A key is enabled if nothing above it nor it itself says otherwise.
static bool read_enabled(const struct pool_reader *r, const cJSON *key, bool *enabled) {
    const cJSON *item = reader_member(key, "enabled");
    if (item && !cJSON_IsBool(item))
        return reader_fail(r, "enabled", "must be true or false");
    *enabled = r->enabled && !cJSON_IsFalse(item);
    return true;
}

// Text that is shown in results and tables: a name, a group, a tag. It must not show the key.
static bool check_label(const struct pool_reader *r, const cJSON *item, const char *path,
                        struct slice secret) {
    if (!cJSON_IsString(item))
        return reader_fail(r, path, "must be a string");
    struct slice text = slice_str(item->valuestring);
    if (!text.n || text.n > NAME_MAX_BYTES)
        return reader_fail(r, path, "must have 1 to %d bytes", NAME_MAX_BYTES);
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
            return reader_fail(r, path, "holds a control character");
    if (secret.n >= SECRET_SCRUBBED_MIN && memmem(text.p, text.n, secret.p, secret.n))
        return reader_fail(r, path, "holds the key itself, which must not be shown");
    return true;
}

static bool read_label(const struct pool_reader *r, const cJSON *key, const char *name,
                       struct slice secret, char **label) {
    const cJSON *item = reader_member(key, name);
    if (!item)
        return true;
    if (!check_label(r, item, name, secret))
        return false;
    *label = mem_text(item->valuestring, strlen(item->valuestring));
    return true;
}

static bool read_tags(const struct pool_reader *r, const cJSON *key, struct slice secret,
                      char ***tags) {
    const cJSON *list = reader_member(key, "tags"), *item;
    if (!list)
        return true;
    if (!cJSON_IsArray(list))
        return reader_fail(r, "tags", "must be an array of strings");
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
    const cJSON *priority = reader_member(key, "priority"), *weight = reader_member(key, "weight");
    entry->has_priority = priority != NULL;
    if (priority && !reader_whole(r, priority, "priority", -EXACT_MAX, &entry->priority))
        return false;
    entry->has_weight = weight != NULL;
    if (!weight)
        return true;
    entry->weight = weight->valuedouble;
    if (!cJSON_IsNumber(weight) || !(entry->weight >= 0 && entry->weight <= 1e9))
        return reader_fail(r, "weight", "must be a number of 0 or more");
    return true;
}

// All but the key itself.
static bool read_settings(struct pool_reader *r, const cJSON *key, struct slice secret,
                          struct key_entry *entry) {
    static const char *const known[] = {"key",  "name",   "group",     "enabled", "priority",
                                        "tags", "limits", "rateLimit", "weight",  NULL};
    return reader_check_members(r, "", key, known) &&
           read_label(r, key, "name", secret, &entry->name) &&
           read_label(r, key, "group", secret, &entry->group) &&
           read_tags(r, key, secret, &entry->tags) && read_numbers(r, key, entry) &&
           reader_limits(r, key, "rateLimit", &entry->limits) &&
           reader_limits(r, key, "limits", &entry->limits);
}

// Whether it can be shown: a key that stands where a name should must not be.
static bool is_variable_name(struct slice name) {
    for (size_t i = 0; i < name.n; i++)
        if (!(name.p[i] >= 'A' && name.p[i] <= 'Z') && !(name.p[i] >= '0' && name.p[i] <= '9') &&
            name.p[i] != '_')
            return false;
    return name.n <= 80;
}

static void add_place(const struct pool_reader *r, struct buf *place) {
    buf_addf(place, "%s: %sproviders.%s%s", r->file->path, r->root, r->provider->name, r->at);
}

// Behind "env:". Absent for a key that is not needed, because it is disabled or of a provider that the
// run does not use, when its variable is not set.
static bool look_up(const struct pool_reader *r, struct slice name, bool needed,
                    struct slice *secret) {
    if (!name.n || memchr(name.p, '=', name.n))
        return reader_fail(r, "key", "must name a variable behind env:");
    *secret = needed ? builder_variable(r->builder, name) : SLICE_NONE;
    if (secret->p || !needed)
        return true;
    if (is_variable_name(name))
        return reader_fail(r, "key", "refers to the variable %.*s, which is not set",
                           SLICE_ARG(name));
    return reader_fail(r, "key", "refers to a variable that is not set");
}

// The text of the key, "env:NAME" and ${NAME} looked up; the latter into `out`.
static bool read_secret(const struct pool_reader *r, const cJSON *key, bool enabled,
                        struct buf *out, struct slice *secret) {
    const cJSON *item = reader_member(key, "key");
    if (!item)
        return reader_fail(r, "key", "is missing");
    if (!cJSON_IsString(item))
        return reader_fail(r, "key", "must be a string");
    *secret = slice_trim(slice_str(item->valuestring));
    bool needed = enabled && builder_in_run(r->builder, r->provider);
    if (slice_starts(*secret, "env:")) {
        if (!look_up(r, slice_of(secret->p + 4, secret->n - 4), needed, secret))
            return false;
        if (!secret->p)
            return true;
    }
    struct buf place = BUF_INIT(16384);
    add_place(r, &place);
    bool good = builder_expand(r->builder, NULL, buf_slice(&place), secret, out, r->err);
    buf_free(&place);
    if (!good || value_is_placeholder(*secret))
        return good;
    const char *fault = key_fault(*secret);
    return !fault || reader_fail(r, "key", "%s; correct or remove it", fault);
}

static bool add_key(struct pool_reader *r, const cJSON *key, size_t index, struct slice secret,
                    bool enabled) {
    struct key_entry *entry;
    struct buf place = BUF_INIT(16384);
    add_place(r, &place);
    bool good = builder_add(r->builder, r->provider, secret, buf_slice(&place), &entry, r->err);
    buf_free(&place);
    if (!good)
        return false;
    if (!entry)
        return true; // known already: the first one's settings stand
    builder_wish_number(r->builder, (int64_t)index + 1);
    good = read_settings(r, key, secret, entry);
    if (!entry->limits.requests) {
        entry->limits.requests = r->common.requests;
        entry->limits.window = r->common.window;
    }
    entry->enabled = enabled;
    return good;
}

bool reader_key(struct pool_reader *r, const cJSON *key, size_t index) {
    struct slice secret;
    bool enabled = false;
    if (!cJSON_IsObject(key))
        return reader_fail(r, "", "must be an object with the member \"key\"");
    if (!read_enabled(r, key, &enabled))
        return false;
    struct buf expanded = BUF_INIT(KEY_FILE_MAX);
    bool good = read_secret(r, key, enabled, &expanded, &secret);
    r->found += good;
    if (good && secret.p)
        good = add_key(r, key, index, secret, enabled);
    buf_wipe(&expanded);
    buf_free(&expanded);
    return good;
}
