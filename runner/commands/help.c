// help.c: the command `help`: the overview, one command, or the manual page. Main thread.
// SPDX-License-Identifier: MIT
#include "runner/commands/commands.h"

#include "runner/dispatch.h"
#include "runner/options/suggest.h"
#include "runner/options/words.h"
#include "runner/pages/help_text.h"
#include "runner/pages/manual.h"
#include "runner/pages/print.h"

#include <stdio.h>
#include <unistd.h>

static int refuse_topic(const char *topic) {
    struct error err = {0};
    struct suggest near = {.word = slice_str(topic)};
    for (size_t i = 0; commands[i]; i++)
        suggest_offer(&near, commands[i]->name);
    suggest_offer(&near, "manual");
    error_set(&err, ERROR_USAGE, "there is no help on '%s'%s%s%s", word_show(topic).text,
              near.best ? "; did you mean '" : "", near.best ? near.best : "",
              near.best ? "'?" : "");
    return print_usage_error(err.text, NULL);
}

static int help_run(const void *config, int count, char **operands) {
    struct buf text = BUF_INIT(PRINT_MAX);
    struct help_style style = help_style_for(STDOUT_FILENO);
    const struct command *command = count ? dispatch_command(operands[0]) : NULL;
    (void)config;
    if (command)
        help_add_command(&text, command, &style);
    else if (!count)
        help_add_overview(&text, &style);
    else if (strcmp(operands[0], "manual") == 0)
        manual_add_page(&text);
    else
        return refuse_topic(operands[0]);
    return print_text(&text);
}

const struct command help_command = {
    .name = "help",
    .operands = "COMMAND|manual",
    .operands_max = 1,
    .summary = "Explain a command and its options, or print the manual page",
    .description =
        "Without a word, an overview of all commands and of a run's options. With the name of a "
        "command, that command and its options.\n\n"
        "With `manual`, the whole manual page in the format of man, to be read with:\n\n"
        "    batch-run help manual | man -l -",
    .run = help_run,
};
