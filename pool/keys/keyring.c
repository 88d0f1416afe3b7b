// keyring.c: gathers keys from all sources, one entry a key, and names them. Main thread, at start.
// SPDX-License-Identifier: MIT
#include "pool/keys/keyring.h"

#include "jobs/base/die.h"
#include "jobs/base/log.h"
#include "jobs/base/random.h"
#include "pool/keys/choose.h"
#include "pool/keys/key_value.h"
#include "pool/keys/keyring_parts.h"
#include "pool/keys/near_miss.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

// Keys that were given twice: so many warnings, then one that counts the rest.
#define REPEATS_SHOWN 10

const char *key_fault(struct slice text) {
    if (!text.n)
        return "is empty";
    if (text.n > KEY_TEXT_MAX)
        return "is longer than 8192 characters";
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == ' ')
            return "holds a space";
        if (c < ' ' || c == 0x7f)
            return "holds a control character";
        if (c > 0x7f)
            return "holds a character outside ASCII";
        if (c == ',')
            return "holds a comma: give one key at a time";
    }
    return NULL;
}

// The next entry, at its defaults.
static struct key_entry *ring_push(struct keyring *ring) {
    if (ring->count == ring->cap) {
        ring->cap = ring->cap ? ring->cap * 2 : 16;
        ring->entries = mem_resize(ring->entries, ring->cap * sizeof *ring->entries);
    }
    struct key_entry *entry = &ring->entries[ring->count++];
    *entry = (struct key_entry){.weight = 1, .enabled = true};
    return entry;
}

static uint64_t secret_place(const struct keyring_builder *b, const struct secret *secret,
                             const struct provider *provider) {
    uint64_t mix = (provider_place(provider) + 1) * UINT64_C(0x9e3779b97f4a7c15);
    return secret_hash(secret, b->hash_key).low ^ mix;
}

// The entry that has this secret already, or NULL.
static struct key_entry *find_secret(struct keyring_builder *b, uint64_t hash,
                                     const struct secret *secret, const struct provider *provider) {
    size_t step = 0, at;
    while (key_index_next(&b->secrets, hash, &step, &at)) {
        struct key_entry *entry = &b->ring->entries[at];
        if (entry->provider == provider && secret_eq(entry->secret, secret))
            return entry;
    }
    return NULL;
}

bool builder_in_run(const struct keyring_builder *b, const struct provider *provider) {
    return !b->wanted || choose_names(b->wanted, provider);
}

bool builder_is_served(const struct keyring_builder *b, const struct provider *provider) {
    return b->served & PROVIDER_BIT(provider_place(provider));
}

// Where the keys of a provider come from, for people: "a.env, b.json".
static void note_source(struct keyring_builder *b, const struct provider *provider) {
    char **source = &b->ring->sources[provider_place(provider)];
    if (!*source) {
        *source = mem_text(b->source, strlen(b->source));
        return;
    }
    if (strstr(*source, b->source))
        return;
    struct buf text = BUF_INIT(8192);
    buf_addf(&text, "%s, %s", *source, b->source);
    free(*source);
    *source = mem_text(text.p, text.n);
    buf_free(&text);
}

static void warn_repeat(struct keyring_builder *b, const struct key_entry *first,
                        struct slice place) {
    if (b->repeats++ < REPEATS_SHOWN)
        log_warn("%.*s gives the same key as %s; it is used once", SLICE_ARG(place), first->place);
}

bool builder_add(struct keyring_builder *b, const struct provider *provider, struct slice text,
                 struct slice place, struct key_entry **entry, struct error *err) {
    *entry = NULL;
    bool in_run = builder_in_run(b, provider);
    // what an example file has where a key should be: as a key it would only be refused
    if (value_is_placeholder(text)) {
        if (in_run)
            log_warn("%.*s holds a placeholder and not a key; it is left out", SLICE_ARG(place));
        return true;
    }
    const char *fault = key_fault(text);
    if (fault)
        return !in_run || error_set(err, ERROR_USAGE, "%.*s: the key %s; correct or remove it",
                                    SLICE_ARG(place), fault);
    struct secret *secret = secret_new(text);
    uint64_t hash = secret_place(b, secret, provider);
    const struct key_entry *first = find_secret(b, hash, secret, provider);
    if (first) {
        warn_repeat(b, first, place);
        secret_free(secret);
        return true;
    }
    key_index_add(&b->secrets, hash, b->ring->count);
    *entry = ring_push(b->ring);
    (*entry)->provider = provider;
    (*entry)->secret = secret;
    (*entry)->place = mem_text(place.p, place.n);
    builder_wish_number(b, -1);
    note_source(b, provider);
    return true;
}

void builder_wish_number(struct keyring_builder *b, int64_t number) {
    size_t last = b->ring->count - 1;
    if (last >= b->numbers_cap) {
        b->numbers_cap = b->ring->cap;
        b->numbers = mem_resize(b->numbers, b->numbers_cap * sizeof *b->numbers);
    }
    b->numbers[last] = number;
}

static struct slice name_of(const struct provider *provider, int64_t number, struct buf *b) {
    buf_clear(b);
    buf_add_str(b, provider->name);
    buf_add_char(b, '-');
    buf_add_int(b, number);
    return buf_slice(b);
}

// The names that are given out: entries by the hash of their name.
struct names {
    struct keyring_builder *builder;
    struct key_index index;
    struct buf text;
};

static const struct key_entry *find_name(struct names *names, struct slice name, uint64_t *hash) {
    *hash = hash_bytes(name, names->builder->hash_key).low;
    size_t step = 0, at;
    while (key_index_next(&names->index, *hash, &step, &at))
        if (slice_is(name, names->builder->ring->entries[at].name))
            return &names->builder->ring->entries[at];
    return NULL;
}

// Gives "<provider>-<number>" to the entry unless somebody has it.
static bool take_number(struct names *names, size_t at, int64_t number) {
    uint64_t hash;
    struct key_entry *entry = &names->builder->ring->entries[at];
    struct slice name = name_of(entry->provider, number, &names->text);
    if (find_name(names, name, &hash))
        return false;
    entry->name = mem_text(name.p, name.n);
    key_index_add(&names->index, hash, at);
    return true;
}

static bool keep_given_names(struct names *names, struct error *err) {
    struct keyring *ring = names->builder->ring;
    for (size_t i = 0; i < ring->count; i++) {
        uint64_t hash;
        if (!ring->entries[i].name)
            continue;
        const struct key_entry *first = find_name(names, slice_str(ring->entries[i].name), &hash);
        if (first)
            return error_set(err, ERROR_USAGE, "%s.name: \"%s\" is the name of %s already",
                             ring->entries[i].place, first->name, first->place);
        key_index_add(&names->index, hash, i);
    }
    return true;
}

// Names that the user gave come first, then numbers that were wished for, then what is free.
static bool give_names(struct keyring_builder *b, struct error *err) {
    struct names names = {b, {0}, BUF_INIT(256)};
    struct keyring *ring = b->ring;
    int64_t next[PROVIDERS_MAX] = {0};
    bool good = keep_given_names(&names, err);
    for (size_t i = 0; good && i < ring->count; i++)
        if (!ring->entries[i].name && b->numbers[i] >= 0)
            take_number(&names, i, b->numbers[i]);
    for (size_t i = 0; good && i < ring->count; i++)
        while (!ring->entries[i].name)
            take_number(&names, i, ++next[provider_place(ring->entries[i].provider)]);
    key_index_free(&names.index);
    buf_free(&names.text);
    return good;
}

// Whether --keys names the file that would be read as the env file too.
static bool is_keys_file(const struct keyring_builder *b, const char *path) {
    struct stat keys, env;
    for (size_t i = 0; i < b->file_count; i++)
        if (stat(b->files[i].path, &keys) == 0 && stat(path, &env) == 0 &&
            keys.st_dev == env.st_dev && keys.st_ino == env.st_ino)
            return true;
    return false;
}

// The env file is opened first, as a pool file may refer to what stands in it, but counts second.
static bool open_env_file(struct keyring_builder *b, struct error *err) {
    struct error trouble = {0};
    bool missing, named = b->options->env_file != NULL;
    b->env_file.path = named ? b->options->env_file : ".env";
    b->env_file.named = named;
    if (is_keys_file(b, b->env_file.path)) {
        b->env_file.path = NULL;
        return true;
    }
    if (key_file_open(&b->env_file, &missing, named ? err : &trouble)) {
        key_file_read_env(&b->env_file);
        return true;
    }
    b->env_file.path = NULL;
    if (!named && !missing)
        log_warn("%s; going on without it", trouble.text);
    return !named;
}

static bool open_keys_file(struct keyring_builder *b, struct slice path, struct error *err) {
    bool missing;
    b->files = mem_resize(b->files, (b->file_count + 1) * sizeof *b->files);
    struct key_file *file = &b->files[b->file_count++];
    *file = (struct key_file){.path = registry_text(&b->ring->providers, path), .named = true};
    return key_file_open(file, &missing, err) &&
           (!key_file_is_json(file) || keyring_declare_json(b, file, err));
}

// A comma parts files, unless it is in the name of one.
static bool open_keys_files(struct keyring_builder *b, struct error *err) {
    struct slice list = slice_str(b->options->keys_file), path;
    bool single = list.n && access(b->options->keys_file, F_OK) == 0;
    if (single)
        return open_keys_file(b, list, err);
    while (slice_next(&list, ',', &path))
        if (!open_keys_file(b, path, err))
            return false;
    return true;
}

// What has keys now does not get more from the sources that follow.
static void close_source(struct keyring_builder *b) {
    for (size_t i = 0; i < b->ring->count; i++)
        b->served |= PROVIDER_BIT(provider_place(b->ring->entries[i].provider));
}

static bool add_keys_files(struct keyring_builder *b, struct error *err) {
    for (size_t i = 0; i < b->file_count; i++) {
        b->source = b->files[i].path;
        if (!keyring_add_file(b, &b->files[i], err))
            return false;
    }
    close_source(b);
    return true;
}

static bool add_variables(struct keyring_builder *b, struct error *err) {
    b->source = b->env_file.path;
    if (b->env_file.path && !keyring_add_env_file(b, &b->env_file, err))
        return false;
    close_source(b);
    b->source = "the environment";
    return keyring_add_environment(b, err);
}

// A server that wants no key has one all the same, without text: it has slots, counts and a name. Such
// servers are there when they are asked for, or declared.
static void add_missing_keys(struct keyring_builder *b) {
    const struct registry *providers = &b->ring->providers;
    close_source(b);
    for (size_t i = 0; i < registry_count(providers); i++) {
        const struct provider *p = registry_at(providers, i);
        bool asked_for = b->wanted && choose_names(b->wanted, p);
        if (p->key_is_optional && !builder_is_served(b, p) && (asked_for || providers->own[i]))
            keyring_add(b->ring, p, SLICE(""), 1);
    }
}

static void builder_free(struct keyring_builder *b) {
    builder_wipe_environment(b);
    key_file_close(&b->env_file);
    for (size_t i = 0; i < b->file_count; i++)
        key_file_close(&b->files[i]);
    free(b->files);
    key_index_free(&b->secrets);
    key_index_free(&b->variables);
    free(b->numbers);
    free(b->used);
}

static size_t environment_count(char **environment) {
    size_t count = 0;
    while (environment && environment[count])
        count++;
    return count;
}

bool keyring_load(struct keyring *ring, const struct keyring_options *options, struct error *err) {
    struct keyring_builder b = {
        .ring = ring, .options = options, .hash_key = {random_seed(), random_seed()}};
    *ring = (struct keyring){0};
    b.environment_count = environment_count(options->environment);
    b.used = mem_zero(b.environment_count, sizeof *b.used);
    bool good = choose_declare(&ring->providers, options->wanted, err) &&
                open_keys_files(&b, err) && open_env_file(&b, err);
    b.wanted = options->wanted ? options->wanted : ring->order;
    good = good && add_keys_files(&b, err) && add_variables(&b, err) && give_names(&b, err);
    if (good)
        add_missing_keys(&b);
    if (good)
        note_near_misses(&b);
    if (b.repeats > REPEATS_SHOWN)
        log_warn("%zu more keys were given twice", b.repeats - REPEATS_SHOWN);
    builder_free(&b);
    if (!good)
        keyring_free(ring);
    return good;
}

void keyring_add(struct keyring *ring, const struct provider *provider, struct slice secret,
                 int64_t number) {
    struct buf name = BUF_INIT(256);
    struct key_entry *entry = ring_push(ring);
    name_of(provider, number, &name);
    entry->provider = provider;
    entry->name = mem_text(name.p, name.n);
    entry->place = mem_text(provider->name, strlen(provider->name));
    entry->secret = secret_new(secret.n ? secret : SLICE(""));
    buf_free(&name);
}

size_t keyring_count(const struct keyring *ring, const struct provider *provider) {
    size_t count = 0;
    for (size_t i = 0; i < ring->count; i++)
        count += ring->entries[i].provider == provider && ring->entries[i].enabled;
    return count;
}

static int compare_groups(const void *a, const void *b) {
    const struct key_group *x = a, *y = b;
    if (x->provider != y->provider)
        return provider_place(x->provider) < provider_place(y->provider) ? -1 : 1;
    return strcmp(x->name, y->name);
}

void builder_sort_groups(struct keyring_builder *b) {
    if (b->ring->group_count)
        qsort(b->ring->groups, b->ring->group_count, sizeof *b->ring->groups, compare_groups);
}

const struct key_group *keyring_group(const struct keyring *ring, const struct provider *provider,
                                      const char *name) {
    const struct key_group wanted = {.provider = provider, .name = (char *)name};
    if (!name || !ring->group_count)
        return NULL;
    return bsearch(&wanted, ring->groups, ring->group_count, sizeof wanted, compare_groups);
}

static void free_entry(struct key_entry *entry) {
    for (char **tag = entry->tags; tag && *tag; tag++)
        free(*tag);
    free(entry->tags);
    free(entry->name);
    free(entry->group);
    free(entry->place);
    secret_free(entry->secret);
}

static bool carries_one(const struct key_entry *entry, struct slice list) {
    struct slice wanted;
    while (slice_next(&list, ',', &wanted))
        for (char **tag = entry->tags; tag && *tag; tag++)
            if (slice_is(slice_trim(wanted), *tag))
                return true;
    return false;
}

static size_t enabled_keys(const struct keyring *ring) {
    size_t count = 0;
    for (size_t i = 0; i < ring->count; i++)
        count += ring->entries[i].enabled;
    return count;
}

bool keyring_keep_tagged(struct keyring *ring, const char *tags, struct error *err) {
    size_t kept = 0, before = enabled_keys(ring);
    for (size_t i = 0; i < ring->count; i++)
        if (carries_one(&ring->entries[i], slice_str(tags)))
            ring->entries[kept++] = ring->entries[i];
        else
            free_entry(&ring->entries[i]);
    ring->count = kept;
    ring->tags = tags;
    return !before || enabled_keys(ring) ||
           error_set(err, ERROR_USAGE,
                     "--tag %s: no enabled key carries it; a JSON pool file gives keys \"tags\"",
                     tags);
}

void keyring_free(struct keyring *ring) {
    for (size_t i = 0; i < ring->count; i++)
        free_entry(&ring->entries[i]);
    for (size_t i = 0; i < ring->group_count; i++)
        free(ring->groups[i].name);
    for (size_t i = 0; i < PROVIDERS_MAX; i++)
        free(ring->sources[i]);
    registry_free(&ring->providers);
    free(ring->near_misses);
    free(ring->groups);
    free(ring->order);
    free(ring->entries);
    *ring = (struct keyring){0};
}
