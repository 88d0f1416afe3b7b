// near_miss.c: finds variables that were meant to hold keys and are not read. Main thread.
// SPDX-License-Identifier: MIT
#include "pool/keys/near_miss.h"

#include "jobs/base/die.h"

#include <ctype.h>
#include <stdio.h>

#define SHOWN_MOST   4
#define NAME_LONGEST 60

// Names that people and other tools give a provider.
static const struct {
    const char *name, *provider;
} aliases[] = {
    {"CLAUDE", "anthropic"}, {"KIMI", "moonshot"},       {"QWEN", "dashscope"},
    {"ZHIPU", "bigmodel"},   {"ZHIPUAI", "bigmodel"},    {"GLM", "bigmodel"},
    {"GROK", "xai"},         {"TOGETHERAI", "together"}, {"NIM", "nvidia"},
};

// What may stand behind a provider's name, without what is not a letter.
static const char *const endings[] = {"APIKEY", "APIKEYS",  "KEY",       "KEYS",   "TOKEN",
                                      "TOKENS", "APITOKEN", "SECRETKEY", "SECRET", "APISECRET"};

// The letters and digits in capitals, without digits at the end: "openai_api_key_2" → "OPENAIAPIKEY".
static void squeeze(struct slice name, char squeezed[NAME_LONGEST + 1]) {
    size_t n = 0;
    for (size_t i = 0; i < name.n && n < NAME_LONGEST; i++)
        if (isalnum((unsigned char)name.p[i]))
            squeezed[n++] = (char)toupper((unsigned char)name.p[i]);
    while (n && isdigit((unsigned char)squeezed[n - 1]))
        n--;
    squeezed[n] = '\0';
}

static bool is_plain_name(struct slice name) {
    for (size_t i = 0; i < name.n; i++)
        if (!isalnum((unsigned char)name.p[i]) && name.p[i] != '_' && name.p[i] != '-')
            return false;
    return name.n > 0 && name.n <= NAME_LONGEST;
}

static bool is_ending(const char *text) {
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (strcmp(text, endings[i]) == 0)
            return true;
    return false;
}

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n > m && strcmp(text + n - m, end) == 0;
}

// "OPENAI" + "APIKEYS", or "MYOPENAIAPIKEY", or "OPENAIAPIKEYPROD".
static bool is_meant_for(const char *squeezed, const char *provider, const char *variable) {
    size_t n = strlen(provider), v = strlen(variable);
    return (strncmp(squeezed, provider, n) == 0 && is_ending(squeezed + n)) ||
           ends_with(squeezed, variable) || (v > 3 && strncmp(squeezed, variable, v) == 0);
}

static bool is_alias_of(const char *squeezed, const struct provider *p) {
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (strcmp(p->name, aliases[i].provider) == 0 &&
            is_meant_for(squeezed, aliases[i].name, "\x01"))
            return true;
    return false;
}

static const struct provider *find_meant(const struct registry *providers, const char *squeezed) {
    for (size_t i = 0; i < registry_count(providers); i++) {
        const struct provider *p = registry_at(providers, i);
        char name[NAME_LONGEST + 1], variable[NAME_LONGEST + 1];
        squeeze(slice_str(p->name), name);
        squeeze(slice_str(p->variables[0]), variable);
        if (is_meant_for(squeezed, name, variable) || is_alias_of(squeezed, p))
            return p;
    }
    return NULL;
}

// "ACME_API_KEY_2" → "acme"; false when it is not of this kind.
static bool unknown_provider(struct slice name, char provider[NAME_LONGEST + 1]) {
    static const char middle[] = "_API_KEY";
    size_t n = 0;
    while (n + sizeof middle - 1 <= name.n && memcmp(name.p + n, middle, sizeof middle - 1) != 0)
        n++;
    if (!n || n > PROVIDER_NAME_MAX || n + sizeof middle - 1 > name.n)
        return false;
    for (size_t i = n + sizeof middle - 1; i < name.n; i++)
        if (name.p[i] != 'S' && name.p[i] != '_' && !isdigit((unsigned char)name.p[i]))
            return false;
    for (size_t i = 0; i < n; i++)
        provider[i] = name.p[i] == '_' ? '-' : (char)tolower((unsigned char)name.p[i]);
    provider[n] = '\0';
    return true;
}

bool near_miss_add(const struct registry *providers, struct slice name, const char *place,
                   struct buf *out) {
    struct key_variable known;
    char squeezed[NAME_LONGEST + 1], provider[NAME_LONGEST + 1];
    if (!is_plain_name(name) || key_variable_read(providers, name, &known))
        return false;
    squeeze(name, squeezed);
    const struct provider *meant = find_meant(providers, squeezed);
    if (!meant && !unknown_provider(name, provider))
        return false;
    buf_addf(out, "%s%.*s in %s ", out->n ? "; " : "", SLICE_ARG(name), place);
    if (meant)
        buf_addf(out, "(for %s write %s=key1,key2)", meant->name, meant->variables[0]);
    else
        buf_addf(out, "(no provider %s is known: -p %s=https://ADDRESS/v1 declares one)", provider,
                 provider);
    return true;
}

// A list that ends after a few.
struct list {
    const struct registry *providers;
    struct buf text;
    size_t count;
};

static void consider(struct list *list, struct slice name, struct slice value, const char *place) {
    if (slice_trim(value).n && list->count < SHOWN_MOST)
        list->count += near_miss_add(list->providers, name, place, &list->text);
}

static void consider_file(struct list *list, const struct key_file *file) {
    for (size_t i = 0; i < file->count && list->count < SHOWN_MOST; i++) {
        const struct env_variable *v = &file->variables[i];
        char place[300];
        snprintf(place, sizeof place, "%s:%zu", file->path, v->line);
        if (!v->referenced && v->name.p)
            consider(list, v->name, v->value, place);
    }
}

void near_misses_of_file(const struct registry *providers, const struct key_file *file,
                         struct buf *out) {
    struct list list = {.providers = providers, .text = BUF_INIT(2048)};
    consider_file(&list, file);
    if (list.count)
        buf_addf(out, "Not read: %s", buf_cstr(&list.text));
    buf_free(&list.text);
}

static void consider_environment(struct list *list, const struct keyring_builder *b) {
    for (size_t i = 0; i < b->environment_count; i++) {
        const char *text = b->options->environment[i];
        size_t n = strcspn(text, "=");
        if (text[n] && !b->used[i])
            consider(list, slice_of(text, n), slice_str(text + n + 1), "the environment");
    }
}

void note_near_misses(struct keyring_builder *b) {
    struct list list = {.providers = &b->ring->providers, .text = BUF_INIT(2048)};
    consider_file(&list, &b->env_file);
    consider_environment(&list, b);
    if (list.count)
        b->ring->near_misses = mem_text(list.text.p, list.text.n);
    buf_free(&list.text);
}
