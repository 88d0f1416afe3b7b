// process.c: tests of runner/process.c, each in a process of its own.
// SPDX-License-Identifier: MIT
#include "runner/process.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

// The exit code of a child that does this.
static int in_child(int (*work)(void)) {
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(work());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int closed_streams(void) {
    struct stat null, s;
    close(0);
    close(1);
    close(2);
    process_prepare();
    if (stat("/dev/null", &null) != 0)
        return 1;
    for (int fd = 0; fd <= 2; fd++)
        if (fstat(fd, &s) != 0 || s.st_rdev != null.st_rdev)
            return 2;
    return open("/dev/null", O_RDONLY) == 3 ? 0 : 3; // nothing else was opened
}

static int open_streams(void) {
    int before = dup(1);
    struct stat a, b;
    process_prepare();
    if (fstat(before, &a) != 0 || fstat(1, &b) != 0)
        return 1;
    return a.st_ino == b.st_ino && a.st_dev == b.st_dev ? 0 : 2;
}

static int one_closed_stream(void) {
    close(1);
    process_prepare();
    return fcntl(1, F_GETFD) >= 0 ? 0 : 1;
}

static int broken_pipe(void) {
    int ends[2];
    process_prepare();
    if (pipe(ends) != 0)
        return 1;
    close(ends[0]);
    return write(ends[1], "x", 1) == -1 ? 0 : 2; // and we are still here
}

static int many_files(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    rlim_t hard = limit.rlim_max;
    limit.rlim_cur = hard < 100 ? hard : 100;
    setrlimit(RLIMIT_NOFILE, &limit);
    process_prepare();
    getrlimit(RLIMIT_NOFILE, &limit);
    rlim_t wanted = hard < 1048576 ? hard : 1048576;
    return limit.rlim_cur == wanted && limit.rlim_max == hard ? 0 : 1;
}

static int private_memory(void) {
    struct rlimit limit;
    process_prepare();
    getrlimit(RLIMIT_CORE, &limit);
#ifdef SANITIZED
    return 0; // the leak checker must be able to look
#else
    return limit.rlim_cur == 0 && limit.rlim_max == 0 && prctl(PR_GET_DUMPABLE) == 0 ? 0 : 1;
#endif
}

#define TEST(name)                                                                                 \
    static void test_##name(void **state) {                                                        \
        (void)state;                                                                               \
        assert_int_equal(in_child(name), 0);                                                       \
    }

TEST(closed_streams)
TEST(open_streams)
TEST(one_closed_stream)
TEST(broken_pipe)
TEST(many_files)
TEST(private_memory)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closed_streams),    cmocka_unit_test(test_open_streams),
        cmocka_unit_test(test_one_closed_stream), cmocka_unit_test(test_broken_pipe),
        cmocka_unit_test(test_many_files),        cmocka_unit_test(test_private_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
