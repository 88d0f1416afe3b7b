// phrase.c: finds a phrase in a message and tells whether its clause says or denies it. Pure.
// SPDX-License-Identifier: MIT
#include "pool/signals/phrase.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

// Words before the phrase that are looked at.
#define REACH 4

static bool is_alnum(char c) {
    return isalnum((unsigned char)c) != 0;
}

static bool is_word_char(char c) {
    return is_alnum(c) || c == '\'' || c == '-' || c == '_';
}

static bool is_one_of(const char *word, size_t n, const char *const *list, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strlen(list[i]) == n && strncasecmp(word, list[i], n) == 0)
            return true;
    return false;
}

static bool denies(const char *word, size_t n) {
    static const char *const words[] = {"no",    "not",     "never",  "without", "neither", "nor",
                                        "if",    "whether", "unless", "avoid",   "avoids",  "isnt",
                                        "wasnt", "prevent", "non",    "prevents"};
    bool contracted = n > 3 && strncasecmp(word + n - 3, "n't", 3) == 0;
    return contracted || is_one_of(word, n, words, COUNT(words));
}

static bool starts_clause(const char *word, size_t n) {
    static const char *const words[] = {"because", "since", "due", "as", "but", "and", "when"};
    return is_one_of(word, n, words, COUNT(words));
}

// "不是", "并非", "没有" right before the phrase.
static bool is_denied_in_chinese(const char *start, const char *at) {
    static const char *const words[] = {"\xe4\xb8\x8d\xe6\x98\xaf", "\xe5\xb9\xb6\xe9\x9d\x9e",
                                        "\xe6\xb2\xa1\xe6\x9c\x89"};
    for (size_t i = 0; i < COUNT(words); i++)
        if (at - start >= 6 && memcmp(at - 6, words[i], 6) == 0)
            return true;
    return false;
}

static bool is_denied(const char *start, const char *at) {
    if (is_denied_in_chinese(start, at))
        return true;
    for (int words = 0; words < REACH; words++) {
        while (at > start && at[-1] == ' ')
            at--;
        const char *end = at;
        while (at > start && is_word_char(at[-1]))
            at--;
        size_t n = (size_t)(end - at);
        if (!n || starts_clause(at, n)) // a mark: the clause begins here
            return false;
        if (denies(at, n))
            return true;
    }
    return false;
}

// The value of a member in JSON or in Python's notation: "message": "…", 'message': '…'.
static bool is_member_value(const char *start, const char *quote) {
    while (quote > start && quote[-1] == ' ')
        quote--;
    if (quote == start || quote[-1] != ':')
        return false;
    for (quote--; quote > start && quote[-1] == ' ';)
        quote--;
    return quote > start && strchr("\"'", quote[-1]);
}

static bool opens_quote(const char *start, const char *p) {
    return (p == start || strchr(" \n([{=:,", p[-1])) && p[1] && p[1] != ' ';
}

static bool is_quoted(const char *start, const char *at) {
    const char *opened = NULL;
    for (const char *p = start; p < at; p++) {
        if (!strchr("\"'`", *p))
            continue;
        if (!opened && opens_quote(start, p))
            opened = p;
        else if (opened && *opened == *p && !is_alnum(p[1]))
            opened = NULL;
    }
    return opened && !is_member_value(start, opened);
}

bool phrase_is_said(const char *texts, const char *phrase, bool quotes_input) {
    size_t n = strlen(phrase);
    for (const char *at = texts; n && (at = strcasestr(at, phrase)); at++) {
        bool inside = at > texts && is_alnum(*phrase) && is_alnum(at[-1]);
        if (!inside && !is_denied(texts, at) && !(quotes_input && is_quoted(texts, at)))
            return true;
    }
    return false;
}
