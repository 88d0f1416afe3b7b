// main.c: where it begins: prepares the process, finds the command, calls it. Main thread.
// SPDX-License-Identifier: MIT
#include "jobs/base/log.h"
#include "runner/dispatch.h"
#include "runner/pages/help_text.h"
#include "runner/pages/print.h"
#include "runner/pages/version.h"
#include "runner/process.h"

static int print_version(void) {
    struct buf text = BUF_INIT(PRINT_MAX);
    version_add(&text);
    return print_text(&text);
}

static int print_help(const struct command *command) {
    struct buf text = BUF_INIT(PRINT_MAX);
    struct help_style style = help_style_for(1);
    if (command)
        help_add_command(&text, command, &style);
    else
        help_add_overview(&text, &style);
    return print_text(&text);
}

// `batch-run --help` is about everything, `batch-run simulate --help` about that command.
static bool is_about_all(const struct call *call, char **argv) {
    return call->words == argv + 1 && call->words[0][0] == '-';
}

int main(int argc, char **argv) {
    struct error err = {0};
    struct call call;
    process_prepare();
    log_set_json(dispatch_wants_json(argc, argv));
    if (argc < 2) {
        fputs(help_short(), stderr);
        return 2;
    }
    if (!dispatch_find(argc, argv, &call, &err))
        return print_usage_error(err.text, NULL);
    if (dispatch_asks(&call, "--help", "-h"))
        return print_help(is_about_all(&call, argv) ? NULL : call.command);
    if (dispatch_asks(&call, "--version", "-V"))
        return print_version();
    return dispatch_run(&call);
}
