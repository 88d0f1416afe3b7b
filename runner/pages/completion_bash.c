// completion_bash.c: the script for bash. Any thread; owns nothing.
// SPDX-License-Identifier: MIT
#include "runner/pages/completion_script.h"

// Needs nothing but bash 4: many machines come without the package bash-completion.
static const char head[] =
    "# bash completion for batch-run, made by `batch-run completion bash`.\n"
    "# To try it: source <(batch-run completion bash)\n"
    "_batch_run_words() {\n"
    "    mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$cur\")\n"
    "}\n"
    "_batch_run_files() {\n"
    "    compopt -o filenames 2>/dev/null\n"
    "    mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
    "}\n"
    "_batch_run_at_files() {\n"
    "    [[ $cur == @* ]] && mapfile -t COMPREPLY < <(compgen -P @ -f -- \"${cur#@}\")\n"
    "}\n"
    "_batch_run() {\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=run\n"
    "    COMPREPLY=()\n"
    "    # --name=value comes as three words\n"
    "    if [[ $cur == = ]]; then\n"
    "        cur=\n"
    "    elif [[ $prev == = ]] && ((COMP_CWORD > 2)); then\n"
    "        prev=${COMP_WORDS[COMP_CWORD-2]}\n"
    "    fi\n";

static void add_names(struct buf *out, const char *between) {
    for (size_t i = 0; commands[i]; i++)
        buf_addf(out, "%s%s", i ? between : "", commands[i]->name);
}

// Options of a command that are completed alike, as one pattern: "run:--keys|run:--env-file".
static size_t add_pattern(struct buf *out, enum completion_kind kind) {
    size_t n = 0;
    for (size_t i = 0; commands[i]; i++)
        for (const struct option *o = commands[i]->options; o && o->name; o++) {
            if (completion_kind_of(o) != kind)
                continue;
            buf_addf(out, "%s%s:--%s", n++ ? "|" : "    ", commands[i]->name, o->name);
            if (o->letter)
                buf_addf(out, "|%s:-%c", commands[i]->name, o->letter);
        }
    return n;
}

static void add_value_case(struct buf *out, enum completion_kind kind, const char *action) {
    if (add_pattern(out, kind))
        buf_addf(out, ") %s; return ;;\n", action);
}

static void add_choice_cases(struct buf *out) {
    for (size_t i = 0; commands[i]; i++)
        for (const struct option *o = commands[i]->options; o && o->name; o++) {
            if (completion_kind_of(o) != COMPLETE_WORDS)
                continue;
            buf_addf(out, "    %s:--%s", commands[i]->name, o->name);
            if (o->letter)
                buf_addf(out, "|%s:-%c", commands[i]->name, o->letter);
            buf_add_str(out, ") _batch_run_words \"");
            for (size_t c = 0; o->choices[c]; c++)
                buf_addf(out, "%s%s", c ? " " : "", o->choices[c]);
            buf_add_str(out, "\"; return ;;\n");
        }
}

static void add_value_cases(struct buf *out, const char *providers) {
    struct buf names = BUF_INIT(4096);
    buf_addf(&names, "_batch_run_words \"%s\"", providers);
    buf_add_str(out, "    case $command:$prev in\n");
    add_choice_cases(out);
    add_value_case(out, COMPLETE_FILE, "_batch_run_files");
    add_value_case(out, COMPLETE_AT_FILE, "_batch_run_at_files");
    add_value_case(out, COMPLETE_PROVIDER, buf_cstr(&names));
    add_value_case(out, COMPLETE_ANY, ":");
    buf_add_str(out, "    esac\n");
    buf_free(&names);
}

static void add_option_cases(struct buf *out) {
    buf_add_str(out, "    case $command:$cur in\n");
    for (size_t i = 0; commands[i]; i++) {
        buf_addf(out, "    %s:-*) _batch_run_words \"", commands[i]->name);
        for (const struct option *o = commands[i]->options; o && o->name; o++) {
            if (o->letter)
                buf_addf(out, "-%c ", o->letter);
            buf_addf(out, "--%s ", o->name);
        }
        buf_add_str(out, "-h --help -V --version\" ;;\n");
    }
}

static void add_operand_cases(struct buf *out) {
    for (size_t i = 0; commands[i]; i++) {
        struct buf words = BUF_INIT(4096);
        if (completion_add_operands(&words, commands[i]))
            buf_addf(out, "    %s:*) _batch_run_words \"%s\" ;;\n", commands[i]->name,
                     buf_cstr(&words));
        else if (commands[i]->operands_max == 0)
            buf_addf(out, "    %s:*) ;;\n", commands[i]->name);
        buf_free(&words);
    }
}

void completion_add_bash(struct buf *out, const char *providers) {
    buf_add_str(out, head);
    buf_add_str(out, "    case ${COMP_WORDS[1]} in\n    ");
    add_names(out, "|");
    buf_add_str(out, ") ((COMP_CWORD > 1)) && command=${COMP_WORDS[1]} ;;\n    esac\n");
    add_value_cases(out, providers);
    add_option_cases(out);
    add_operand_cases(out);
    buf_add_str(out, "    *)\n        _batch_run_files\n"
                     "        ((COMP_CWORD == 1)) && "
                     "mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -W \"");
    add_names(out, " ");
    buf_add_str(
        out, "\" -- \"$cur\") ;;\n    esac\n    return 0\n}\ncomplete -F _batch_run batch-run\n");
}
