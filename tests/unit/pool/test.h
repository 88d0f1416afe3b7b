// What the unit tests of the pool share: cmocka, runs that are silent when green, a scratch
// directory, and what was logged.
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_POOL_TEST_H
#define TESTS_UNIT_POOL_TEST_H

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "jobs/base/buf.h"
#include "pool/wire/wire.h"

// Runs the tests in a child whose words are shown only if it fails or crashes.
#define RUN_TESTS(tests)                                                                           \
    do {                                                                                           \
        FILE *words = tmpfile();                                                                   \
        pid_t child = words ? fork() : -1;                                                         \
        if (child == 0) {                                                                          \
            dup2(fileno(words), STDOUT_FILENO);                                                    \
            dup2(fileno(words), STDERR_FILENO);                                                    \
        }                                                                                          \
        if (child <= 0)                                                                            \
            return cmocka_run_group_tests(tests, NULL, NULL);                                      \
        return show_if_red(child, words);                                                          \
    } while (0)

#define SCRATCH "/tmp/batch-run-test-"

// Goes into a new empty directory, so that no ./.env of the developer's is read. It is removed when
// the tests are over.
static inline void enter_scratch(void) {
    char path[] = SCRATCH "XXXXXX";
    assert_non_null(mkdtemp(path));
    assert_int_equal(chdir(path), 0);
}

static inline int remove_one(const char *path, const struct stat *status, int type,
                             struct FTW *where) {
    (void)status, (void)type, (void)where;
    return remove(path);
}

static inline void remove_scratch(void) {
    char path[256];
    if (getcwd(path, sizeof path) && strncmp(path, SCRATCH, strlen(SCRATCH)) == 0)
        nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline int show_if_red(pid_t child, FILE *words) {
    int status, c;
    bool ended = waitpid(child, &status, 0) == child;
    remove_scratch();
    if (ended && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    for (rewind(words); (c = getc(words)) != EOF;)
        fputc(c, stderr);
    return 1;
}

// Everything written to stderr between the two calls.
struct heard {
    FILE *file;
    int saved;
    struct buf text;
};

static inline struct heard hear(void) {
    struct heard h = {tmpfile(), dup(STDERR_FILENO), BUF_INIT(1 << 24)};
    assert_non_null(h.file);
    dup2(fileno(h.file), STDERR_FILENO);
    return h;
}

// Free text with buf_free().
static inline const char *heard(struct heard *h) {
    char part[4096];
    size_t n;
    dup2(h->saved, STDERR_FILENO);
    close(h->saved);
    rewind(h->file);
    while ((n = fread(part, 1, sizeof part, h->file)) > 0)
        buf_add(&h->text, part, n);
    fclose(h->file);
    return buf_cstr(&h->text);
}

static inline void write_file(const char *path, struct slice text) {
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text.p, 1, text.n, f), text.n);
    assert_int_equal(fclose(f), 0);
}

#endif
