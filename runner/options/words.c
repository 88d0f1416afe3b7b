// words.c: splits a line into words, and keeps unfit words out of messages. Any thread.
// SPDX-License-Identifier: MIT
#include "runner/options/words.h"

#include "jobs/base/die.h"
#include "jobs/base/slice.h"
#include "jobs/base/utf8.h"

#include <stdlib.h>

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// Copies one word from *line to *to and terminates it there. False: a quote is not closed.
static bool take_word(const char **line, char **to) {
    char quote = 0;
    const char *p = *line;
    for (; *p && (quote || !is_space(*p)); p++) {
        if (quote ? *p == quote : *p == '\'' || *p == '"') {
            quote = quote ? 0 : *p;
            continue;
        }
        if (*p == '\\' && quote != '\'' && p[1])
            p++;
        *(*to)++ = *p;
    }
    *(*to)++ = '\0';
    *line = p;
    return quote == 0;
}

bool words_split(const char *line, struct words *words, struct error *err) {
    size_t n = strlen(line);
    // a word takes a byte and a space at least, and its terminator the place of the space
    *words = (struct words){.text = mem_new(n + 2), .word = mem_zero(n / 2 + 2, sizeof(char *))};
    char *to = words->text;
    for (;;) {
        while (is_space(*line))
            line++;
        if (!*line)
            return true;
        words->word[words->count++] = to;
        if (!take_word(&line, &to)) {
            words_free(words);
            return error_set(err, ERROR_USAGE, "a quotation mark is not closed");
        }
    }
}

void words_free(struct words *words) {
    free(words->text);
    free(words->word);
    *words = (struct words){0};
}

struct word_shown word_show(const char *word) {
    struct word_shown shown = {""};
    struct buf clean = BUF_INIT(1024);
    struct slice all = slice_str(word);
    struct slice cut = utf8_cut(slice_of(all.p, all.n < 200 ? all.n : 200), 60);
    utf8_add_repaired(&clean, cut);
    struct slice fit = utf8_cut(buf_slice(&clean), WORD_SHOWN_MAX - 4);
    for (size_t i = 0; i < fit.n; i++)
        shown.text[i] = (unsigned char)fit.p[i] < 0x20 || fit.p[i] == 0x7f ? '?' : fit.p[i];
    if (cut.n < all.n || fit.n < clean.n)
        memcpy(shown.text + fit.n, "...", 4);
    buf_free(&clean);
    return shown;
}

static size_t span_of(const char *p, const char *more) {
    size_t n = 0;
    while ((p[n] >= '0' && p[n] <= '9') || (p[n] >= 'a' && p[n] <= 'z') ||
           (p[n] >= 'A' && p[n] <= 'Z') || (p[n] && strchr(more, p[n])))
        n++;
    return n;
}

// 32 hexadecimal digits, a dot, letters and digits: the keys of BigModel and Z.ai.
static bool is_hex_dot_key(const char *word) {
    size_t hex = strspn(word, "0123456789abcdef");
    size_t rest = hex == 32 && word[hex] == '.' ? span_of(word + 33, "") : 0;
    return rest >= 12 && !word[33 + rest];
}

static bool has_key_prefix(const char *word) {
    static const char *const prefixes[] = {"sk-", "sk_", "gsk_", "AIza", "nvapi-", "xai-"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (slice_starts(slice_str(word), prefixes[i]))
            return span_of(word, "-_") >= 20 && !word[span_of(word, "-_")];
    return false;
}

bool word_is_secret(const char *word) {
    if (slice_starts(slice_str(word), "Bearer "))
        word += 7;
    const char *equals = strchr(word, '=');
    if (equals && word[0] != '-' && word_names_secret(word, (size_t)(equals - word)))
        return true;
    return has_key_prefix(word) || is_hex_dot_key(word);
}

bool word_names_secret(const char *name, size_t n) {
    static const char *const ends[] = {"key",           "token",      "secret",
                                       "password",      "bearer",     "auth",
                                       "authorization", "credential", "credentials"};
    char lower[64];
    if (n >= sizeof lower)
        n = sizeof lower - 1;
    for (size_t i = 0; i < n; i++)
        lower[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
    while (n && lower[n - 1] >= '0' && lower[n - 1] <= '9') // openai_api_key_2
        n--;
    while (n && (lower[n - 1] == '_' || lower[n - 1] == '-'))
        n--;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t size = strlen(ends[i]);
        if (n >= size && memcmp(lower + n - size, ends[i], size) == 0)
            return true;
    }
    return false;
}
