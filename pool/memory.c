// memory.c: keeps what the pool knows across runs: takes it over, counts what is used, saves once a second.
// On the thread that owns the pool.
// SPDX-License-Identifier: MIT
#include "pool/memory.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "jobs/base/log.h"
#include "pool/memory_file.h"
#include "pool/restore.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define SAVE_EVERY USEC_PER_SEC
#define SAVE_COSTS 20 // a save may take this part of the time
#define SAVE_RETRY (USEC_PER_SEC / 10)
#define SECONDS    64 // more than a minute's

// Use by seconds, a ring.
struct minute {
    int64_t second[SECONDS]; // unix, which second the place counts; 0: none
    int64_t requests[SECONDS], tokens[SECONDS];
};

struct use {
    int64_t requests, tokens;
};

// Of a key that was used, or that the file knows.
struct record {
    int64_t day_end;                      // unix microseconds, of the two counts
    int64_t requests, tokens;             // used here since the last save, of the day
    int64_t known_requests, known_tokens; // what the file had at the last save
    struct minute own, known;             // the same for the last minute
    struct use ahead_today, ahead_minute; // of other runs, counted here before they saved it
    struct key_counts told;               // totals as of the last save
    bool is_used;                         // since the start
};

struct memory {
    struct memory_options options;
    struct memory_file file;
    char (*hashes)[MEMORY_HASH_SIZE]; // by key; "" of one without a secret
    struct record **records;          // by key; NULL: not used and not known
    size_t count;
    uint64_t salt[2];
    int64_t wall_offset; // wall clock minus monotonic, as of the last turn
    int64_t save_at;     // TIME_NEVER: nothing to save
    int64_t save_every;
    bool is_broken; // it was said that it cannot be written
};

char *memory_directory(void) {
    const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    struct buf path = BUF_INIT(4096);
    if (xdg && xdg[0] == '/')
        buf_addf(&path, "%s/batch-run", xdg);
    else if (home && home[0] == '/')
        buf_addf(&path, "%s/.local/state/batch-run", home);
    char *text = path.n && !path.failed ? mem_text(path.p, path.n) : NULL;
    buf_free(&path);
    return text;
}

// -- use by seconds --

static void minute_add(struct minute *m, int64_t second, int64_t requests, int64_t tokens) {
    size_t i = (size_t)(second % SECONDS);
    if (m->second[i] != second) {
        m->second[i] = second;
        m->requests[i] = m->tokens[i] = 0;
    }
    m->requests[i] += requests;
    m->tokens[i] += tokens;
}

// -- records --

static void hash_keys(struct memory *m) {
    m->hashes = mem_zero(m->count + 1, sizeof *m->hashes);
    for (size_t i = 0; i < m->count; i++) {
        const struct secret *secret = pool_key(m->options.pool, i)->entry->secret;
        struct hash128 h = secret ? secret_hash(secret, m->salt) : (struct hash128){0, 0};
        if (secret)
            snprintf(m->hashes[i], sizeof m->hashes[i], "%016llx%016llx",
                     (unsigned long long)h.high, (unsigned long long)h.low);
    }
}

static struct record *record_of(struct memory *m, size_t key) {
    if (!m->records[key] && m->hashes[key][0]) {
        m->records[key] = mem_zero(1, sizeof **m->records);
        m->records[key]->day_end = pool_day_end(m->options.pool, key);
    }
    return m->records[key];
}

// A new day begins with nothing used.
static void follow_day(struct memory *m, size_t key, struct record *r) {
    int64_t day_end = pool_day_end(m->options.pool, key);
    if (day_end <= r->day_end)
        return;
    r->day_end = day_end;
    r->requests = r->tokens = r->known_requests = r->known_tokens = 0;
}

static void note_use(void *memory, size_t key, int64_t requests, int64_t tokens) {
    struct memory *m = memory;
    struct record *r = record_of(m, key);
    int64_t now = clock_now(), wall = now + m->wall_offset;
    if (!r)
        return;
    follow_day(m, key, r);
    r->is_used = true;
    r->requests += requests;
    r->tokens += tokens;
    minute_add(&r->own, wall / USEC_PER_SEC, requests, tokens);
    if (pool_is_metered(m->options.pool, key))
        memory_file_note(&m->file, m->hashes[key], wall, r->day_end, requests, tokens);
    if (m->save_at == TIME_NEVER)
        m->save_at = now + m->save_every;
}

// -- what others used --

// Less what was counted here before the other run saved it.
static int64_t not_yet_counted(int64_t more, int64_t *ahead) {
    int64_t counted = more < *ahead ? more : *ahead;
    if (more <= 0)
        return more;
    *ahead -= counted;
    return more - counted;
}

// The share of the file's count that is not known yet is another run's, and counts here too.
static void take_over_day(struct memory *m, size_t key, struct record *r, const cJSON *entry,
                          int64_t now) {
    if (memory_number(entry, "day_end") != r->day_end / USEC_PER_SEC)
        return;
    int64_t requests = not_yet_counted(memory_number(entry, "requests") - r->known_requests,
                                       &r->ahead_today.requests);
    int64_t tokens =
        not_yet_counted(memory_number(entry, "tokens") - r->known_tokens, &r->ahead_today.tokens);
    if (requests || tokens)
        pool_add_use_today(m->options.pool, key, requests, tokens, now);
}

// A row of "minute".
struct second {
    int64_t second, requests, tokens;
};

static struct second second_of(const cJSON *row) {
    int64_t number[3] = {0};
    const cJSON *item = cJSON_IsArray(row) ? row->child : NULL;
    for (int i = 0; i < 3 && item; i++, item = item->next)
        if (cJSON_IsNumber(item) && item->valuedouble > -9e15 && item->valuedouble < 9e15)
            number[i] = (int64_t)item->valuedouble;
    return (struct second){number[0] > 0 ? number[0] : 0, number[1], number[2]};
}

static void take_over_minute(struct memory *m, size_t key, struct record *r, const cJSON *entry,
                             int64_t now, int64_t wall) {
    const cJSON *row;
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(entry, "minute")) {
        struct second s = second_of(row);
        size_t place = (size_t)(s.second % SECONDS);
        bool known = r->known.second[place] == s.second;
        int64_t requests = not_yet_counted(s.requests - (known ? r->known.requests[place] : 0),
                                           &r->ahead_minute.requests);
        int64_t tokens = not_yet_counted(s.tokens - (known ? r->known.tokens[place] : 0),
                                         &r->ahead_minute.tokens);
        int64_t ago = wall - (s.second + 1) * USEC_PER_SEC; // as if at the second's end
        if (requests || tokens)
            pool_add_use_minute(m->options.pool, key, requests, tokens, ago > 0 ? ago : 0, now);
    }
}

static void count_ahead(struct memory *m, size_t key, const struct memory_line *line) {
    struct record *r = record_of(m, key);
    int64_t now = clock_now(), ago = now + m->wall_offset - line->wall;
    if (line->day_end == r->day_end) {
        pool_add_use_today(m->options.pool, key, line->requests, line->tokens, now);
        r->ahead_today.requests += line->requests;
        r->ahead_today.tokens += line->tokens;
    }
    pool_add_use_minute(m->options.pool, key, line->requests, line->tokens, ago > 0 ? ago : 0, now);
    r->ahead_minute.requests += line->requests;
    r->ahead_minute.tokens += line->tokens;
}

// What another run has used and not saved yet.
static void take_over_unsaved(void *memory, const struct memory_line *line) {
    struct memory *m = memory;
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->hashes[i], line->hash) == 0)
            count_ahead(m, i, line);
}

// -- what is written --

static void write_use(struct record *r, cJSON *entry, int64_t wall) {
    memory_entry_add_today(entry, wall, r->day_end, r->requests, r->tokens);
    for (size_t i = 0; i < SECONDS; i++)
        if (r->own.second[i] > wall / USEC_PER_SEC - SECONDS &&
            (r->own.requests[i] || r->own.tokens[i]))
            memory_entry_add_second(entry, r->own.second[i] * USEC_PER_SEC, r->own.requests[i],
                                    r->own.tokens[i]);
    r->requests = r->tokens = 0;
    r->own = (struct minute){0};
}

static void note_known(struct record *r, const cJSON *entry) {
    const cJSON *row;
    bool same_day = memory_number(entry, "day_end") == r->day_end / USEC_PER_SEC;
    r->known_requests = same_day ? memory_number(entry, "requests") : 0;
    r->known_tokens = same_day ? memory_number(entry, "tokens") : 0;
    r->known = (struct minute){0};
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(entry, "minute")) {
        struct second second = second_of(row);
        minute_add(&r->known, second.second, second.requests, second.tokens);
    }
}

static void write_totals(const struct key *key, struct record *r, cJSON *entry) {
    const struct key_counts *now = &key->counts, *told = &r->told;
    cJSON *totals = cJSON_GetObjectItemCaseSensitive(entry, "totals");
    if (!cJSON_IsObject(totals))
        totals = cJSON_AddObjectToObject(entry, "totals");
    const struct {
        const char *name;
        int64_t more;
    } counts[] = {
        {"requests", now->requests - told->requests},
        {"ok", now->ok - told->ok},
        {"failed", now->failed - told->failed},
        {"rate_limited", now->rate_limited - told->rate_limited},
        {"input_tokens", now->input_tokens - told->input_tokens},
        {"output_tokens", now->output_tokens - told->output_tokens},
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        memory_set_number(totals, counts[i].name,
                          memory_number(totals, counts[i].name) + counts[i].more);
    memory_set_number(totals, "last_used_at", now->last_used_at / USEC_PER_SEC);
    r->told = *now;
}

static const char *const rest_names[] = {
    [MEMORY_COOLING] = "cooling", [MEMORY_SUSPENDED] = "suspended", [MEMORY_REVOKED] = "revoked"};

static void write_rest(void *context, const struct key_rest *rest) {
    cJSON *row = cJSON_CreateObject();
    char *model = rest->model.n ? mem_text(rest->model.p, rest->model.n) : NULL;
    cJSON_AddStringToObject(row, "state", rest_names[rest->state]);
    if (model)
        cJSON_AddStringToObject(row, "model", model); // as a JSON token, whatever the row wrote
    if (rest->until)
        memory_set_number(row, "until_ms", rest->until / USEC_PER_MS);
    if (rest->is_day)
        cJSON_AddTrueToObject(row, "day");
    cJSON_AddStringToObject(row, "reason", rest->reason);
    cJSON_AddItemToArray(context, row);
    free(model);
}

static const char *base_url_of(const struct memory *m, const struct key_entry *entry) {
    const char *url = m->options.base_url(m->options.context, entry->provider);
    return url ? url : "";
}

static void write_key(struct memory *m, size_t i, int64_t now, int64_t wall) {
    const struct key *key = pool_key(m->options.pool, i);
    struct record *r = m->records[i];
    cJSON *entry = memory_file_entry(&m->file, m->hashes[i]);
    take_over_day(m, i, r, entry, now);
    take_over_minute(m, i, r, entry, now, wall);
    write_use(r, entry, wall);
    note_known(r, entry);
    cJSON_DeleteItemFromObjectCaseSensitive(entry, "provider");
    cJSON_DeleteItemFromObjectCaseSensitive(entry, "name");
    cJSON_AddStringToObject(entry, "provider", key->entry->provider->name);
    cJSON_AddStringToObject(entry, "name", key->entry->name);
    write_totals(key, r, entry);
    if (m->options.use_only)
        return;
    cJSON_DeleteItemFromObjectCaseSensitive(entry, "rests");
    cJSON_DeleteItemFromObjectCaseSensitive(entry, "base_url");
    cJSON_AddStringToObject(entry, "base_url", base_url_of(m, key->entry));
    pool_each_rest(m->options.pool, i, now, write_rest, cJSON_AddArrayToObject(entry, "rests"));
}

static void complain(struct memory *m) {
    if (!m->is_broken)
        log_warn("%s: %s; what keys used and which of them rest is not remembered for the next run",
                 m->file.path, strerror(errno));
    m->is_broken = true;
}

static bool save(struct memory *m, int64_t now, int64_t wall, bool last) {
    int64_t began = clock_now();
    if (!memory_file_open(&m->file, last))
        return false;
    for (size_t i = 0; i < m->count; i++)
        if (m->records[i] && m->records[i]->is_used)
            write_key(m, i, now, wall);
    if (!memory_file_save(&m->file, last))
        complain(m);
    int64_t took = clock_now() - began;
    m->save_every = took * SAVE_COSTS > SAVE_EVERY ? took * SAVE_COSTS : SAVE_EVERY;
    return true;
}

int64_t memory_turn(struct memory *m, int64_t now, int64_t now_wall) {
    if (!m)
        return TIME_NEVER;
    m->wall_offset = now_wall - now;
    if (now >= m->save_at)
        m->save_at = save(m, now, now_wall, false) ? TIME_NEVER : now + SAVE_RETRY;
    return m->save_at;
}

// -- what is taken over --

static bool read_rest(const cJSON *row, struct key_rest *rest, int64_t wall) {
    const cJSON *state = cJSON_GetObjectItemCaseSensitive(row, "state"),
                *model = cJSON_GetObjectItemCaseSensitive(row, "model"),
                *reason = cJSON_GetObjectItemCaseSensitive(row, "reason");
    *rest = (struct key_rest){.until = memory_number(row, "until_ms") * USEC_PER_MS,
                              .reason = cJSON_IsString(reason) ? reason->valuestring : ""};
    rest->is_day = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(row, "day"));
    if (cJSON_IsString(model))
        rest->model = slice_str(model->valuestring);
    for (size_t i = 0; cJSON_IsString(state) && i < sizeof rest_names / sizeof *rest_names; i++)
        if (strcmp(state->valuestring, rest_names[i]) == 0) {
            rest->state = (enum key_memory)i;
            return rest->state == MEMORY_REVOKED || rest->until > wall;
        }
    return false;
}

static bool same_address(const struct memory *m, size_t key, const cJSON *entry) {
    const cJSON *url = cJSON_GetObjectItemCaseSensitive(entry, "base_url");
    return cJSON_IsString(url) &&
           strcmp(url->valuestring, base_url_of(m, pool_key(m->options.pool, key)->entry)) == 0;
}

// Whether the key is remembered as out.
static bool is_out(const struct memory *m, size_t key, const cJSON *entry, int64_t wall) {
    const cJSON *row;
    struct key_rest rest;
    if (!entry || !same_address(m, key, entry))
        return false;
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(entry, "rests")) {
        if (read_rest(row, &rest, wall) && rest.state != MEMORY_COOLING)
            return true;
    }
    return false;
}

// Where every key of a provider is out, the user may have mended something: each is asked once more.
static bool has_other(const struct memory *m, cJSON *const *entries, size_t key, int64_t wall) {
    const struct provider *provider = pool_key(m->options.pool, key)->entry->provider;
    for (size_t i = 0; i < m->count; i++)
        if (pool_key(m->options.pool, i)->entry->provider == provider &&
            !is_out(m, i, entries[i], wall))
            return true;
    return false;
}

static void take_over_rests(struct memory *m, cJSON *const *entries, size_t key, int64_t now,
                            int64_t wall) {
    const cJSON *row;
    struct key_rest rest;
    if (!same_address(m, key, entries[key]))
        return;
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(entries[key], "rests")) {
        if (!read_rest(row, &rest, wall))
            continue;
        if (rest.state != MEMORY_COOLING && !has_other(m, entries, key, wall))
            continue;
        pool_restore(m->options.pool, key, &rest, now);
        if (rest.state != MEMORY_COOLING)
            log_info("%s stays out since an earlier run (--no-memory asks it again): %s",
                     pool_key(m->options.pool, key)->entry->name, rest.reason);
    }
}

static void take_over(struct memory *m, int64_t now, int64_t wall) {
    cJSON **entries = mem_zero(m->count + 1, sizeof *entries);
    cJSON *keys = cJSON_GetObjectItemCaseSensitive(m->file.root, "keys");
    for (size_t i = 0; i < m->count && keys; i++) {
        entries[i] = m->hashes[i][0] ? cJSON_GetObjectItemCaseSensitive(keys, m->hashes[i]) : NULL;
        if (!entries[i])
            continue;
        struct record *r = record_of(m, i);
        take_over_day(m, i, r, entries[i], now);
        take_over_minute(m, i, r, entries[i], now, wall);
        note_known(r, entries[i]);
    }
    for (size_t i = 0; i < m->count && !m->options.use_only; i++)
        if (entries[i])
            take_over_rests(m, entries, i, now, wall);
    free(entries);
}

static void free_all(struct memory *m) {
    for (size_t i = 0; i < m->count; i++)
        free(m->records[i]);
    free(m->records);
    free(m->hashes);
    memory_file_free(&m->file);
    free(m);
}

struct memory *memory_open(const struct memory_options *options, int64_t now, int64_t now_wall) {
    struct memory *m = mem_zero(1, sizeof *m);
    m->options = *options;
    m->count = pool_key_count(options->pool);
    m->records = mem_zero(m->count + 1, sizeof *m->records);
    m->wall_offset = now_wall - now;
    m->save_at = TIME_NEVER;
    m->save_every = SAVE_EVERY;
    pool_tell_time(options->pool, now, now_wall);
    errno = EWOULDBLOCK;
    if (!memory_file_init(&m->file, options->directory) || !memory_file_open(&m->file, true)) {
        complain(m);
        free_all(m);
        return NULL;
    }
    memory_file_salt(&m->file, m->salt);
    hash_keys(m);
    memory_file_fold(&m->file, take_over_unsaved, m);
    take_over(m, now, now_wall);
    if (!memory_file_save(&m->file, false))
        complain(m);
    pool_on_use(options->pool, note_use, m);
    return m;
}

void memory_close(struct memory *m, int64_t now, int64_t now_wall) {
    if (!m)
        return;
    if (m->save_at != TIME_NEVER && !save(m, now, now_wall, true))
        complain(m);
    free_all(m);
}
