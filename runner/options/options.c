// options.c: fills a command's config from defaults, environment and words. Main thread, at start.
// SPDX-License-Identifier: MIT
#include "runner/command.h"

#include "jobs/base/die.h"
#include "jobs/base/slice.h"
#include "runner/options/foreign.h"
#include "runner/options/option_value.h"
#include "runner/options/suggest.h"
#include "runner/options/words.h"

#include <stdio.h>
#include <stdlib.h>

#define SOURCE_MAX 80

struct parser {
    const struct command *command;
    void *config;
    struct error *err;
    char **words;
    int count;
    int at; // the next word
};

static const struct option no_options[] = {OPTIONS_END};

static const struct option *options_of(const struct command *command) {
    return command->options ? command->options : no_options;
}

static const struct option *find_name(const struct command *command, struct slice name) {
    for (const struct option *o = options_of(command); o->name; o++)
        if (slice_is(name, o->name))
            return o;
    return NULL;
}

static const struct option *find_letter(const struct command *command, char letter) {
    for (const struct option *o = options_of(command); o->name; o++)
        if (o->letter && o->letter == letter)
            return o;
    return NULL;
}

static bool refuse_secret(struct error *err) {
    return error_set(err, ERROR_USAGE,
                     "an API key never goes on the command line, where other users and the shell's "
                     "history see it: put it into a file for --keys FILE, into .env, or into a "
                     "variable such as OPENAI_API_KEY");
}

static bool refuse_unknown(struct parser *p, struct slice name) {
    const char *instead = foreign_advice(p->command, name);
    if (word_is_secret(name.p) || (!instead && word_names_secret(name.p, name.n)))
        return refuse_secret(p->err);
    struct suggest near = {.word = name};
    for (const struct option *o = options_of(p->command); o->name && !instead; o++)
        suggest_offer(&near, o->name);
    char *copy = mem_text(name.p, name.n); // only the name: what follows = stays unsaid
    struct word_shown shown = word_show(copy);
    free(copy);
    if (instead)
        return error_set(p->err, ERROR_USAGE, "unknown option --%s; %s", shown.text, instead);
    if (near.best)
        return error_set(p->err, ERROR_USAGE, "unknown option --%s; did you mean --%s?", shown.text,
                         near.best);
    return error_set(p->err, ERROR_USAGE, "unknown option --%s", shown.text);
}

static bool set_value(struct parser *p, const struct option *o, const char *source,
                      const char *text) {
    if (word_is_secret(text))
        return refuse_secret(p->err);
    return option_set(o, source, text, p->config, p->err);
}

// The value is what stands in the same word, else the next word.
static bool set_from_word(struct parser *p, const struct option *o, const char *source,
                          const char *attached) {
    if (o->type == OPTION_FLAG)
        return set_value(p, o, source, attached ? attached : "yes");
    if (attached)
        return set_value(p, o, source, attached);
    if (p->at >= p->count)
        return error_set(p->err, ERROR_USAGE, "%s: its value is missing; it takes %s", source,
                         o->value ? o->value : "one of its words");
    return set_value(p, o, source, p->words[p->at++]);
}

static bool parse_long(struct parser *p, const char *word) {
    const char *equals = strchr(word, '=');
    struct slice name = slice_of(word, equals ? (size_t)(equals - word) : strlen(word));
    const struct option *o = find_name(p->command, name);
    if (!o)
        return refuse_unknown(p, name);
    char source[SOURCE_MAX];
    snprintf(source, sizeof source, "--%s", o->name);
    return set_from_word(p, o, source, equals ? equals + 1 : NULL);
}

static bool refuse_letter(struct parser *p, char letter) {
    const char *instead = foreign_letter_advice(p->command, letter);
    char text[] = {letter, '\0'};
    return error_set(p->err, ERROR_USAGE, "unknown option -%s%s%s", word_show(text).text,
                     instead ? "; " : "", instead ? instead : "");
}

// "-q", "-ofile", "-qo file": flags may be followed by further letters.
static bool parse_letters(struct parser *p, const char *letters) {
    for (const char *l = letters; *l; l++) {
        const struct option *o = find_letter(p->command, *l);
        if (!o && (word_names_secret(letters, strcspn(letters, "=")) || word_is_secret(letters)))
            return refuse_secret(p->err);
        if (!o)
            return refuse_letter(p, *l);
        char source[SOURCE_MAX];
        snprintf(source, sizeof source, "-%c", *l);
        if (o->type != OPTION_FLAG)
            return set_from_word(p, o, source, l[1] ? l + 1 : NULL);
        if (!set_from_word(p, o, source, NULL))
            return false;
    }
    return true;
}

// Operands are gathered at the front of words: their number never overtakes the place of reading.
static bool parse_words(struct parser *p, int *operands) {
    bool only_operands = false;
    *operands = 0;
    while (p->at < p->count) {
        char *word = p->words[p->at++];
        bool good = true;
        if (only_operands || word[0] != '-' || !word[1]) {
            good = !word_is_secret(word) || refuse_secret(p->err);
            p->words[(*operands)++] = word;
        } else if (strcmp(word, "--") == 0)
            only_operands = true;
        else
            good = word[1] == '-' ? parse_long(p, word + 2) : parse_letters(p, word + 1);
        if (!good)
            return false;
    }
    return true;
}

static void set_fallbacks(const struct parser *p) {
    memset(p->config, 0, p->command->config_size);
    for (const struct option *o = options_of(p->command); o->name; o++) {
        struct error err = {0};
        if (o->type == OPTION_CHOICE && !o->fallback)
            *(int *)((char *)p->config + o->offset) = -1;
        if (o->fallback && !option_set(o, o->name, o->fallback, p->config, &err))
            die("bug: the default of --%s: %s", o->name, err.text);
    }
}

static bool set_environment(const struct parser *p) {
    char name[OPTION_VARIABLE_MAX];
    for (const struct option *o = options_of(p->command); o->name; o++) {
        const char *text = option_variable(p->command, o, name) ? getenv(name) : NULL;
        if (text && *text && !option_set(o, name, text, p->config, p->err))
            return false;
    }
    return true;
}

static bool is_about_one_call(const struct option *option) {
    static const char *const names[] = {"output", "overwrite", "dry-run", "write-keys"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(option->name, names[i]) == 0)
            return true;
    return false;
}

bool option_variable(const struct command *command, const struct option *option,
                     char name[OPTION_VARIABLE_MAX]) {
    bool is_run = strcmp(command->name, "run") == 0;
    if (is_about_one_call(option))
        return false;
    int n = snprintf(name, OPTION_VARIABLE_MAX, "BATCH_RUN_%s%s%s", is_run ? "" : command->name,
                     is_run ? "" : "_", option->name);
    BUG_IF(n < 0 || n >= OPTION_VARIABLE_MAX);
    for (char *c = name; *c; c++)
        *c = (char)(*c == '-' ? '_' : *c >= 'a' && *c <= 'z' ? *c - 32 : *c);
    return true;
}

bool options_parse(const struct command *command, int argc, char **argv, void *config,
                   int *operand_count, struct error *err) {
    struct parser p = {command, config, err, argv, argc, 0};
    set_fallbacks(&p);
    if (set_environment(&p) && parse_words(&p, operand_count))
        return true;
    options_free(command, config);
    return false;
}

bool options_parse_line(const struct command *command, const char *line, void *config,
                        struct error *err) {
    struct words words;
    int operands = 0;
    struct parser p = {.command = command, .config = config, .err = err};
    set_fallbacks(&p);
    bool good = words_split(line, &words, err);
    if (good) {
        p.words = words.word;
        p.count = words.count;
        good = parse_words(&p, &operands);
        if (good && operands > 0)
            good = error_set(err, ERROR_USAGE, "'%s' is not an option: options begin with --",
                             word_show(words.word[0]).text);
        words_free(&words);
    }
    if (!good)
        options_free(command, config);
    return good;
}

void options_free(const struct command *command, void *config) {
    for (const struct option *o = options_of(command); o->name; o++)
        option_release(o, config);
    memset(config, 0, command->config_size);
}
