// completion.c: the command `completion`: prints a shell's completion script. Main thread.
// SPDX-License-Identifier: MIT
#include "runner/commands/commands.h"

#include "pool/catalogue.h"
#include "runner/options/words.h"
#include "runner/pages/completion_script.h"
#include "runner/pages/print.h"

static int completion_run(const void *config, int count, char **operands) {
    struct error err = {0};
    struct buf text = BUF_INIT(PRINT_MAX), providers = BUF_INIT(4096);
    (void)config;
    (void)count;
    for (const struct completion_shell *s = completion_shells; s->name; s++) {
        if (strcmp(s->name, operands[0]) != 0)
            continue;
        for (const struct provider *p = catalogue; p->name; p++)
            buf_addf(&providers, "%s%s", p == catalogue ? "" : " ", p->name);
        s->add_script(&text, buf_cstr(&providers));
        buf_free(&providers);
        return print_text(&text);
    }
    error_set(&err, ERROR_USAGE, "'%s' is none of the shells bash, zsh, fish",
              word_show(operands[0]).text);
    return print_usage_error(err.text, "completion");
}

const struct command completion_command = {
    .name = "completion",
    .operands = "bash|zsh|fish",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "Print the completion script of a shell",
    .description =
        "The script completes commands, options, their values and files. `make install` puts "
        "it where the shells look; to try it in a running shell:\n\n"
        "    source <(batch-run completion bash)\n"
        "    source <(batch-run completion zsh)\n"
        "    batch-run completion fish | source",
    .run = completion_run,
};
