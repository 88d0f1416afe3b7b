// print.c: pages to standard output, usage errors to standard error. Main thread.
// SPDX-License-Identifier: MIT
#include "runner/pages/print.h"

#include "jobs/base/die.h"
#include "jobs/base/io.h"
#include "jobs/base/log.h"
#include "jobs/base/visible.h"

#include <errno.h>
#include <unistd.h>

int print_text(struct buf *text) {
    struct buf shown = BUF_INIT(SIZE_MAX / 2);
    BUG_IF(text->failed);
    visible_add(&shown, buf_slice(text), VISIBLE_LINES | VISIBLE_COLORS | VISIBLE_CREDENTIALS);
    bool good = io_write_all(STDOUT_FILENO, buf_slice(&shown), NULL);
    int reason = errno;
    buf_free(text);
    buf_free(&shown);
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
    struct buf shown = BUF_INIT(SIZE_MAX / 2);
    visible_add(&shown, slice_str(text), VISIBLE_ONE_LINE);
    fprintf(stderr, "batch-run: %s\ntry 'batch-run help%s%s'\n", buf_cstr(&shown),
            help_topic ? " " : "", help_topic ? help_topic : "");
    buf_free(&shown);
    return 2;
}
