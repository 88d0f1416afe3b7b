// dispatch.c: finds the command that is meant and calls it. Main thread; owns the command's config.
// SPDX-License-Identifier: MIT
#include "runner/dispatch.h"

#include "jobs/base/die.h"
#include "jobs/base/slice.h"
#include "runner/options/suggest.h"
#include "runner/options/words.h"
#include "runner/pages/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const struct command *dispatch_command(const char *name) {
    for (size_t i = 0; commands[i]; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static bool is_reserved(const char *word) {
    static const char *const reserved[] = {"keys", "serve", "bench"};
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (strcmp(reserved[i], word) == 0)
            return true;
    return false;
}

// "simulat" is hardly a file of prompts that happens to be missing.
static const char *meant_command(const char *word) {
    struct suggest near = {.word = slice_str(word)};
    if (word[0] == '-' || strpbrk(word, "./") || access(word, F_OK) == 0)
        return NULL;
    for (size_t i = 0; commands[i]; i++)
        suggest_offer(&near, commands[i]->name);
    return near.best;
}

bool dispatch_find(int argc, char **argv, struct call *call, struct error *err) {
    const char *first = argv[1];
    const struct command *named = dispatch_command(first);
    if (is_reserved(first))
        return error_set(err, ERROR_USAGE,
                         "'%s' is the name of a command of later versions; a file of that name is "
                         "given as ./%s",
                         first, first);
    const char *meant = named ? NULL : meant_command(first);
    if (meant)
        return error_set(err, ERROR_USAGE,
                         "there is neither a file nor a command '%s'; did you mean '%s'?",
                         word_show(first).text, meant);
    int skip = named ? 2 : 1;
    *call = (struct call){named ? named : dispatch_command("run"), argc - skip, argv + skip};
    return true;
}

bool dispatch_asks(const struct call *call, const char *long_word, const char *short_word) {
    for (int i = 0; i < call->count && strcmp(call->words[i], "--") != 0; i++)
        if (strcmp(call->words[i], long_word) == 0 || strcmp(call->words[i], short_word) == 0)
            return true;
    return false;
}

bool dispatch_wants_json(int argc, char **argv) {
    const char *variable = getenv("BATCH_RUN_PROGRESS"), *how = variable ? variable : "";
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--progress") == 0 && i + 1 < argc)
            how = argv[i + 1];
        else if (strncmp(argv[i], "--progress=", 11) == 0)
            how = argv[i] + 11;
    return strcmp(how, "json") == 0;
}

static bool check_operands(const struct command *command, int count, struct error *err) {
    if (count < command->operands_min)
        return error_set(err, ERROR_USAGE, "%s is missing", command->operands);
    if (count <= command->operands_max)
        return true;
    if (command->operands_max == 0)
        return error_set(err, ERROR_USAGE, "%s takes options only, no further words",
                         command->name);
    return error_set(err, ERROR_USAGE, "%s takes one %s, but %d words are no options",
                     command->name, command->operands, count);
}

int dispatch_run(const struct call *call) {
    const struct command *command = call->command;
    struct error err = {0};
    int operands = 0, code;
    void *config = mem_zero(1, command->config_size);
    if (!options_parse(command, call->count, call->words, config, &operands, &err)) {
        code = print_usage_error(err.text, command->name);
    } else {
        code = check_operands(command, operands, &err) ? command->run(config, operands, call->words)
                                                       : print_usage_error(err.text, command->name);
        options_free(command, config);
    }
    free(config);
    return code;
}
