// Runs a group of cmocka tests and says nothing when all are green.
//
// The tests run in a child whose output goes to a nameless file; a failure, a crash or a
// sanitizer's report brings it to light. With UNIT_VERBOSE set everything is shown as it comes.
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_QUIET_H
#define TESTS_UNIT_QUIET_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static inline int quiet_verdict(pid_t child, FILE *output) {
    int status;
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    rewind(output);
    for (int c; (c = getc(output)) != EOF;)
        putc(c, stderr);
    return 1;
}

#define QUIET_RUN(tests)                                                                           \
    do {                                                                                           \
        FILE *output = getenv("UNIT_VERBOSE") ? NULL : tmpfile();                                  \
        pid_t child = output ? fork() : 0;                                                         \
        if (child > 0)                                                                             \
            return quiet_verdict(child, output);                                                   \
        if (output && (dup2(fileno(output), 1) < 0 || dup2(fileno(output), 2) < 0))                \
            return 1;                                                                              \
        return cmocka_run_group_tests(tests, NULL, NULL);                                          \
    } while (0)

#endif
