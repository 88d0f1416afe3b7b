// done_before.c: a results file read without touching it. Main thread.
// SPDX-License-Identifier: MIT
#include "jobs/out/done_before.h"

#include "jobs/base/die.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct done_before {
    struct sent *sent;
    struct resume resume;
};

static int open_results(const struct output_options *options) {
    struct stat st;
    if (options->overwrite || strcmp(options->path, "-") == 0 || stat(options->path, &st) != 0 ||
        !S_ISREG(st.st_mode))
        return -1;
    return open(options->path, O_RDONLY | O_CLOEXEC);
}

struct done_before *done_before_open(const struct output_options *options, struct error *err) {
    struct done_before *d = mem_zero(1, sizeof *d);
    d->sent = sent_new(&options->sent);
    int fd = open_results(options);
    if (fd < 0)
        return d;
    struct resume_options how = {.path = options->path,
                                 .format = options->line.format,
                                 .keep_failed = options->no_retry_failed,
                                 .sent = d->sent};
    bool good = resume_scan(&d->resume, fd, &how, err);
    close(fd);
    if (good)
        return d;
    done_before_close(d);
    return NULL;
}

bool done_before_has(struct done_before *d, const struct job *job) {
    return d->resume.rows > 0 &&
           resume_is_done(&d->resume, job->id, sent_hash(d->sent, job->input));
}

void done_before_close(struct done_before *d) {
    if (!d)
        return;
    resume_free(&d->resume);
    sent_free(d->sent);
    free(d);
}
