// line_parts.c: members of a result line, and the head of one read back. Pure; any thread.
// SPDX-License-Identifier: MIT
#include "jobs/out/line_parts.h"

#include "jobs/base/hash.h"
#include "jobs/base/utf8.h"

void line_add_null(struct buf *out) {
    buf_add(out, "null", 4);
}

static void breaks_to_spaces(char *p, char *end, char line_break) {
    while (p < end && (p = memchr(p, line_break, (size_t)(end - p))))
        *p++ = ' ';
}

// A line break can only be white space between tokens there: strings have theirs escaped.
void line_add_json(struct buf *out, struct slice json) {
    size_t start = out->n;
    buf_add_slice(out, json);
    bool string = json.n && json.p[0] == '"' && json.p[json.n - 1] == '"';
    if (out->failed || string)
        return;
    breaks_to_spaces(out->p + start, out->p + out->n, '\n');
    breaks_to_spaces(out->p + start, out->p + out->n, '\r');
}

void line_add_string(struct buf *out, struct slice s) {
    buf_add_char(out, '"');
    while (s.n) {
        size_t good = utf8_valid_prefix(s);
        json_add_escaped(out, slice_of(s.p, good));
        s.p += good, s.n -= good;
        if (s.n) {
            utf8_add(out, 0xfffd);
            s.p++, s.n--;
        }
    }
    buf_add_char(out, '"');
}

void line_add_token_or_null(struct buf *out, struct slice token) {
    if (token.n)
        line_add_json(out, token);
    else
        line_add_null(out);
}

void line_add_text_or_null(struct buf *out, const char *text) {
    if (text && *text)
        line_add_string(out, slice_str(text));
    else
        line_add_null(out);
}

int64_t line_total_tokens(const struct usage *usage) {
    int64_t total;
    if (usage->total_tokens >= 0 || usage->input_tokens < 0 || usage->output_tokens < 0)
        return usage->total_tokens;
    if (__builtin_add_overflow(usage->input_tokens, usage->output_tokens, &total))
        return -1;
    return total;
}

void line_add_made_id(struct buf *out, const char *prefix, const struct job *job) {
    struct hash128 hash = hash_bytes(job->id, (const uint64_t[2]){0, 0});
    buf_addf(out, "\"%s%016llx%016llx\"", prefix, (unsigned long long)hash.high,
             (unsigned long long)(job->sent ? job->sent : hash.low));
}

// The sixteen digits between these two places; 0 when they are something else.
static uint64_t read_hex16(struct slice text) {
    uint64_t value = 0;
    for (size_t i = 0; i < 16; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = text.n == 16 ? memchr(digits, text.p[i], 16) : NULL;
        if (!digit)
            return 0;
        value = value << 4 | (uint64_t)(digit - digits);
    }
    return value;
}

uint64_t line_read_made_id(struct slice token, const char *prefix) {
    size_t n = strlen(prefix);
    if (token.n != n + 34 || memcmp(token.p + 1, prefix, n) != 0)
        return 0;
    return read_hex16(slice_of(token.p + 1 + n + 16, 16));
}

uint64_t line_read_hash(struct slice token) {
    return json_type(token) == JSON_STRING ? read_hex16(slice_of(token.p + 1, token.n - 2)) : 0;
}

void line_add_sent(struct buf *out, const struct job *job) {
    if (!job->sent)
        return;
    json_add_name(out, "input_hash");
    buf_addf(out, "\"%016llx\"", (unsigned long long)job->sent);
}

const char *line_error_code(const struct result *result) {
    return result->code[0] ? result->code : outcome_name(result->outcome);
}

void line_read_head(struct slice line, const char *const *names, struct slice *values,
                    size_t count) {
    struct json_field fields[LINE_FIELDS_MOST];
    struct json_walk walk = json_walk(line);
    struct slice name;
    size_t i = 0;
    while (i < count && json_next_member(&walk, &name, &values[i]) &&
           json_string_is(name, names[i]))
        i++;
    if (i == count)
        return;
    for (i = 0; i < count; i++)
        fields[i] = (struct json_field){names[i], &values[i]};
    json_fields(line, fields, count);
}
