// completion_zsh.c: the script for zsh. Any thread; owns nothing.
// SPDX-License-Identifier: MIT
#include "runner/pages/completion_script.h"

static const char head[] = "#compdef batch-run\n"
                           "# zsh completion for batch-run, made by `batch-run completion zsh`.\n"
                           "# To try it: source <(batch-run completion zsh)\n"
                           "_batch_run_at_files() {\n"
                           "    compset -P @ && _files\n"
                           "}\n"
                           "_batch_run() {\n"
                           "    local curcontext=$curcontext state line\n"
                           "    local -a commands\n";

// Works from a directory of completions (where the file is the function) and when it is sourced.
static const char tail[] = "if [ \"$funcstack[1]\" = _batch-run ]; then\n"
                           "    _batch_run \"$@\"\n"
                           "else\n"
                           "    compdef _batch_run batch-run\n"
                           "fi\n";

// Text inside '…' of an _arguments or _describe specification.
static void add_quoted(struct buf *out, const char *text) {
    for (; *text; text++)
        if (*text == '\'')
            buf_add_str(out, "'\\''");
        else if (strchr("[]:\\", *text))
            buf_addf(out, "\\%c", *text);
        else
            buf_add_char(out, *text);
}

static void add_action(struct buf *out, const struct option *o, const char *providers) {
    switch (completion_kind_of(o)) {
    case COMPLETE_NOTHING: return;
    case COMPLETE_ANY: buf_add_str(out, ": "); return;
    case COMPLETE_FILE: buf_add_str(out, ":_files"); return;
    case COMPLETE_AT_FILE: buf_add_str(out, ":_batch_run_at_files"); return;
    case COMPLETE_PROVIDER: buf_addf(out, ":(%s)", providers); return;
    case COMPLETE_WORDS: break;
    }
    buf_add_str(out, ":(");
    for (size_t i = 0; o->choices[i]; i++)
        buf_addf(out, "%s%s", i ? " " : "", o->choices[i]);
    buf_add_char(out, ')');
}

static void add_option(struct buf *out, const struct option *o, const char *providers) {
    bool flag = o->type == OPTION_FLAG;
    buf_add_str(out, "            ");
    if (o->letter)
        buf_addf(out, "'(-%c --%s)'{-%c%s,--%s%s}'[", o->letter, o->name, o->letter,
                 flag ? "" : "+", o->name, flag ? "" : "=");
    else
        buf_addf(out, "'--%s%s[", o->name, flag ? "" : "=");
    add_quoted(out, o->help);
    buf_add_char(out, ']');
    if (!flag) {
        buf_add_char(out, ':');
        add_quoted(out, o->value ? o->value : "value");
    }
    add_action(out, o, providers);
    buf_add_str(out, "' \\\n");
}

static void add_arguments(struct buf *out, const struct command *command, const char *providers) {
    struct buf words = BUF_INIT(4096);
    buf_add_str(out, "        _arguments -s -S \\\n");
    for (const struct option *o = command->options; o && o->name; o++)
        add_option(out, o, providers);
    buf_add_str(out, "            '(- *)'{-h,--help}'[show help]' \\\n"
                     "            '(- *)'{-V,--version}'[show the version]'");
    if (completion_add_operands(&words, command))
        buf_addf(out, " \\\n            '1: :(%s)'", buf_cstr(&words));
    else if (command->operands_max > 0)
        buf_add_str(out, " \\\n            '*:input:_files'");
    buf_add_str(out, "\n        ;;\n");
    buf_free(&words);
}

void completion_add_zsh(struct buf *out, const char *providers) {
    buf_add_str(out, head);
    buf_add_str(out, "    commands=(\n");
    for (size_t i = 0; commands[i]; i++) {
        buf_addf(out, "        '%s:", commands[i]->name);
        add_quoted(out, commands[i]->summary);
        buf_add_str(out, "'\n");
    }
    buf_add_str(out, "    )\n"
                     "    if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n"
                     "        _describe -t commands command commands\n"
                     "        _files\n"
                     "        return\n"
                     "    fi\n"
                     "    local command=run\n"
                     "    if (( ${commands[(I)$words[2]:*]} )); then\n"
                     "        command=$words[2]\n"
                     "        shift words\n"
                     "        (( CURRENT-- ))\n"
                     "    fi\n"
                     "    case $command in\n");
    for (size_t i = 0; commands[i]; i++) {
        buf_addf(out, "    (%s)\n", commands[i]->name);
        add_arguments(out, commands[i], providers);
    }
    buf_add_str(out, "    esac\n}\n");
    buf_add_str(out, tail);
}
