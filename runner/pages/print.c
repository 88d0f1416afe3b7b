// print.c: pages to standard output, usage errors to standard error. Main thread.
// SPDX-License-Identifier: MIT
#include "runner/pages/print.h"

#include "jobs/base/die.h"
#include "jobs/base/io.h"
#include "jobs/base/log.h"

#include <errno.h>
#include <unistd.h>

int print_text(struct buf *text) {
    BUG_IF(text->failed);
    bool good = io_write_all(STDOUT_FILENO, buf_slice(text), NULL);
    int reason = errno;
    buf_free(text);
    if (good)
        return 0;
    if (reason != EPIPE)
        fprintf(stderr, "batch-run: cannot write to standard output: %s\n", strerror(reason));
    return 4;
}

int print_usage_error(const char *text, const char *help_topic) {
    if (log_is_json()) {
        log_error("%s", text);
        return 2;
    }
    fprintf(stderr, "batch-run: %s\ntry 'batch-run help%s%s'\n", text, help_topic ? " " : "",
            help_topic ? help_topic : "");
    return 2;
}
