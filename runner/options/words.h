// Words of a command line: splitting a line as a shell would, and showing a word in a message.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_WORDS_H
#define RUNNER_WORDS_H

#include "jobs/base/error.h"

#include <stdbool.h>

struct words {
    char *text;  // owns the words
    char **word; // NULL-terminated
    int count;
};

// Splits at white space; '…' and "…" keep it, \x is x (inside '…' a backslash is itself). False
// with err filled when a quote is not closed.
bool words_split(const char *line, struct words *words, struct error *err);
void words_free(struct words *words);

// The word as a message may repeat it: at most 60 bytes of valid UTF-8 without control characters.
#define WORD_SHOWN_MAX 72
struct word_shown {
    char text[WORD_SHOWN_MAX];
};
struct word_shown word_show(const char *word);

// Whether a word looks like an API key (sk-…, AIza…, OPENAI_API_KEY=…): never to be repeated.
bool word_is_secret(const char *word);

// Whether an unknown option's name ("api-key", "token") says that a secret follows. n bytes of it.
bool word_names_secret(const char *name, size_t n);

#endif
