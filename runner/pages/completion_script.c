// completion_script.c: what can be completed, whatever the shell. Any thread; owns nothing.
// SPDX-License-Identifier: MIT
#include "runner/pages/completion_script.h"

#include <string.h>

const struct completion_shell completion_shells[] = {
    {"bash", completion_add_bash},
    {"zsh", completion_add_zsh},
    {"fish", completion_add_fish},
    {NULL, NULL},
};

enum completion_kind completion_kind_of(const struct option *option) {
    if (option->type == OPTION_FLAG)
        return COMPLETE_NOTHING;
    if (option->choices)
        return COMPLETE_WORDS;
    if (option->type == OPTION_TEXT_AT)
        return COMPLETE_AT_FILE;
    if (option->type == OPTION_TEXT && strcmp(option->name, "provider") == 0)
        return COMPLETE_PROVIDER;
    if (option->type == OPTION_TEXT && option->value && strstr(option->value, "FILE"))
        return COMPLETE_FILE;
    return COMPLETE_ANY;
}

bool completion_add_operands(struct buf *out, const struct command *command) {
    if (strcmp(command->name, "help") == 0) {
        for (size_t i = 0; commands[i]; i++)
            buf_addf(out, "%s ", commands[i]->name);
        buf_add_str(out, "manual");
        return true;
    }
    if (strcmp(command->name, "completion") != 0)
        return false;
    for (const struct completion_shell *s = completion_shells; s->name; s++)
        buf_addf(out, "%s%s", s == completion_shells ? "" : " ", s->name);
    return true;
}
