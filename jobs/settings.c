// settings.c: hashes of what is common to all rows, written and read back. Pure; any thread.
// SPDX-License-Identifier: MIT
#include "jobs/settings.h"

#include "jobs/base/hash.h"
#include "jobs/base/json.h"

#include <stdlib.h>

#define DIGITS     8
#define HASHES     ((size_t)SETTINGS * (DIGITS + 1) - 1) // with a dot between two
#define NO_SETTING "--------"

const char *const setting_names[SETTINGS] = {
    [SETTING_PROMPT] = "template or prompt field",
    [SETTING_SYSTEM] = "system prompt",
    [SETTING_MODEL] = "model",
    [SETTING_PARAMS] = "parameters",
};

uint32_t setting_hash(struct slice text) {
    uint32_t hash = (uint32_t)hash_bytes(text, (const uint64_t[2]){0, 0}).low;
    return hash ? hash : 1;
}

static bool has_model(const struct run_settings *run, uint32_t model) {
    for (size_t i = 0; i < run->model_count; i++)
        if (run->models[i] == model)
            return true;
    return false;
}

unsigned settings_differ(const struct run_settings *run, const struct settings *result) {
    unsigned differ = 0;
    for (int i = 0; i < SETTINGS; i++) {
        bool same =
            i == SETTING_MODEL ? has_model(run, result->of[i]) : run->all.of[i] == result->of[i];
        if (result->of[i] && !same)
            differ |= 1u << i;
    }
    return differ;
}

static void add_texts(struct buf *out, const struct run_settings *run) {
    json_add_name(out, "run_settings");
    buf_add_char(out, '{');
    for (int i = 0; i < SETTINGS; i++) {
        json_add_name(out, setting_names[i]);
        buf_add_slice(out, buf_slice(&run->texts[i]));
    }
    buf_add_char(out, '}');
}

static void add_hash(struct buf *out, uint32_t hash) {
    static const char digits[] = "0123456789abcdef";
    char text[DIGITS];
    for (int i = DIGITS; i-- > 0; hash >>= 4)
        text[i] = digits[hash & 15];
    buf_add_slice(out, slice_of(text, DIGITS));
}

void settings_add(struct buf *out, const struct settings *s, const struct run_settings *run,
                  bool told) {
    if (told)
        add_texts(out, run);
    json_add_name(out, "settings");
    for (int i = 0; i < SETTINGS; i++) {
        buf_add_char(out, i ? '.' : '"');
        if (s->of[i])
            add_hash(out, s->of[i]);
        else
            buf_add_str(out, NO_SETTING);
    }
    buf_add_str(out, told ? "+\"" : "\"");
}

static bool read_hash(const char *p, uint32_t *hash) {
    *hash = 0;
    if (memcmp(p, NO_SETTING, DIGITS) == 0)
        return true;
    for (int i = 0; i < DIGITS; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = memchr(digits, p[i], 16);
        if (!digit)
            return false;
        *hash = *hash << 4 | (uint32_t)(digit - digits);
    }
    return true;
}

static bool read_hashes(struct slice text, struct settings *s, bool *told) {
    *told = text.n == HASHES + 1 && text.p[HASHES] == '+';
    if (text.n != HASHES + *told)
        return false;
    for (size_t i = 0; i < SETTINGS; i++)
        if (!read_hash(text.p + i * (DIGITS + 1), &s->of[i]) ||
            (i && text.p[i * (DIGITS + 1) - 1] != '.'))
            return false;
    return true;
}

// At the end of a line, where this program puts it: no other place needs looking at. Where another
// program wrote the line anew it may be anywhere.
bool settings_read(struct slice line, struct settings *s, bool *told) {
    static const char name[] = "\"settings\":\"";
    size_t n = sizeof name - 1;
    line = slice_trim(line);
    for (size_t more = 0; more < 2; more++) {
        size_t tail = n + HASHES + more + 2;
        const char *p = line.p + line.n - tail;
        if (line.n > tail && memcmp(p, name, n) == 0 && line.p[line.n - 2] == '"')
            return read_hashes(slice_of(p + n, HASHES + more), s, told);
    }
    if (!line.n || !memmem(line.p, line.n, "\"settings\"", sizeof "\"settings\"" - 1))
        return false;
    struct slice token = json_get(line, "settings");
    return json_type(token) == JSON_STRING &&
           read_hashes(slice_of(token.p + 1, token.n - 2), s, told);
}
