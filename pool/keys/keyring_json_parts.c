// keyring_json_parts.c: what a JSON pool file's messages say, and values that several places of it
// have. Main thread.
// SPDX-License-Identifier: MIT
#include "pool/keys/keyring_json_parts.h"

#include "jobs/base/clock.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#define NAME_SHOWN_MAX 24
#define WINDOW_MS_MAX  (INT64_C(31) * 24 * 3600 * 1000)

bool reader_fail(const struct pool_reader *r, const char *member, const char *format, ...) {
    char what[200];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return error_set(r->err, ERROR_USAGE, "%s: %sproviders.%s%s%s%s %s", r->file->path, r->root,
                     r->provider->name, r->at, *member ? "." : "", member, what);
}

bool reader_fail_at(const struct pool_reader *r, const char *path, const char *what) {
    return error_set(r->err, ERROR_USAGE, "%s: %s%s %s", r->file->path, r->root, path, what);
}

const cJSON *reader_member(const cJSON *object, const char *name) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNull(item) ? NULL : item;
}

const char *reader_shown(const char *name) {
    return strlen(name) <= NAME_SHOWN_MAX ? name : "(a long name)";
}

// Members that nobody reads are counted, the first is kept.
static void note_unknown(struct pool_reader *r, const char *path, const char *name) {
    if (r->unknown++)
        return;
    struct buf text = BUF_INIT(1024);
    buf_add_str(&text, r->root);
    if (r->provider)
        buf_addf(&text, "providers.%s%s.", r->provider->name, r->at);
    buf_addf(&text, "%s%s%s", path, *path ? "." : "", reader_shown(name));
    snprintf(r->first_unknown, sizeof r->first_unknown, "%s", buf_cstr(&text));
    buf_free(&text);
}

bool reader_check_members(struct pool_reader *r, const char *path, const cJSON *object,
                          const char *const *known) {
    unsigned seen = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, object) {
        int i = 0;
        while (known[i] && strcmp(known[i], item->string) != 0)
            i++;
        if (!known[i]) {
            note_unknown(r, path, item->string);
        } else if (seen & 1u << i) {
            char where[80];
            snprintf(where, sizeof where, "%s%s%s", path, *path ? "." : "", known[i]);
            return r->provider ? reader_fail(r, where, "is given twice")
                               : reader_fail_at(r, where, "is given twice");
        }
        seen |= 1u << i;
    }
    return true;
}

bool reader_whole(const struct pool_reader *r, const cJSON *item, const char *path, double least,
                  int64_t *value) {
    if (!cJSON_IsNumber(item))
        return reader_fail(r, path, "must be a number");
    double number = item->valuedouble;
    if (!(number >= least && number <= EXACT_MAX) || floor(number) != number)
        return reader_fail(r, path, "must be a whole number%s", least >= 0 ? " of 0 or more" : "");
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
    {"requests", offsetof(struct key_limits, requests)},
    {"window_ms", offsetof(struct key_limits, window)},
    {"rateLimitPerAccount", offsetof(struct key_limits, requests)},
    {"rateLimitWindowMs", offsetof(struct key_limits, window)},
    {"requestsPerMinute", offsetof(struct key_limits, rpm)},
    {"tokensPerMinute", offsetof(struct key_limits, tpm)},
    {"requestsPerDay", offsetof(struct key_limits, rpd)},
    {"tokensPerDay", offsetof(struct key_limits, tpd)},
};

// Two numbers that mean something together only. A window of a minute is the guides' default.
static bool check_window(const struct pool_reader *r, const char *under,
                         struct key_limits *limits) {
    if (limits->window && !limits->requests)
        return reader_fail(r, under, "has window_ms without requests");
    if (limits->window > WINDOW_MS_MAX)
        return reader_fail(r, under, "has a window_ms of more than 31 days");
    limits->window = (limits->window ? limits->window : 60000) * USEC_PER_MS;
    if (!limits->requests)
        limits->window = 0;
    return true;
}

bool reader_limits(struct pool_reader *r, const cJSON *key, const char *under,
                   struct key_limits *limits) {
    static const char *const known[] = {"rpm",
                                        "tpm",
                                        "rpd",
                                        "tpd",
                                        "concurrency",
                                        "requests",
                                        "window_ms",
                                        "rateLimitPerAccount",
                                        "rateLimitWindowMs",
                                        "requestsPerMinute",
                                        "tokensPerMinute",
                                        "requestsPerDay",
                                        "tokensPerDay",
                                        NULL};
    const cJSON *object = reader_member(key, under);
    char path[80];
    if (!object)
        return true;
    if (!cJSON_IsObject(object))
        return reader_fail(r, under, "must be an object");
    for (size_t i = 0; i < sizeof limit_names / sizeof *limit_names; i++) {
        const cJSON *item = reader_member(object, limit_names[i].name);
        snprintf(path, sizeof path, "%s.%s", under, limit_names[i].name);
        if (item &&
            !reader_whole(r, item, path, 0, (int64_t *)((char *)limits + limit_names[i].offset)))
            return false;
    }
    return reader_check_members(r, under, object, known) && check_window(r, under, limits);
}
