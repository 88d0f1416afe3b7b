// Tests runner/paths.c: links, folders written differently, and files that are not there yet.
// SPDX-License-Identifier: MIT
#include "runner/paths.h"

#include "tests/unit/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/batch-run-paths.XXXXXX";

static int enter(void **state) {
    (void)state;
    if (!mkdtemp(folder) || chdir(folder) != 0 || mkdir("d", 0700) != 0)
        return -1;
    close(open("a", O_CREAT | O_WRONLY, 0600));
    close(open("b", O_CREAT | O_WRONLY, 0600));
    return symlink("a", "link") || link("a", "hard");
}

static int leave(void **state) {
    (void)state;
    unlink("a"), unlink("b"), unlink("link"), unlink("hard"), rmdir("d");
    return chdir("/") || rmdir(folder);
}

static void names_of_one_file(void **state) {
    (void)state;
    char absolute[64];
    snprintf(absolute, sizeof absolute, "%s/a", folder);
    assert_true(paths_are_same("a", "a"));
    assert_true(paths_are_same("a", "./d/../a"));
    assert_true(paths_are_same(absolute, "link"));
    assert_true(paths_are_same("hard", "a"));
    assert_false(paths_are_same("a", "b"));
}

static void files_that_are_not_there(void **state) {
    (void)state;
    assert_true(paths_are_same("new", "d/../new"));
    assert_false(paths_are_same("new", "d/new"));
    assert_false(paths_are_same("new", "a"));
    assert_false(paths_are_same("nowhere/new", "elsewhere/new"));
}

static void what_is_no_file(void **state) {
    (void)state;
    assert_false(paths_are_same("-", "-"));
    assert_false(paths_are_same(NULL, "a"));
    assert_false(paths_are_same("/dev/null", "/dev/null"));
}

static void descriptors(void **state) {
    (void)state;
    int fd = open("a", O_RDONLY), null = open("/dev/null", O_RDONLY);
    assert_true(paths_is_descriptor("link", fd));
    assert_false(paths_is_descriptor("b", fd));
    assert_false(paths_is_descriptor("/dev/null", null));
    close(fd);
    close(null);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_one_file),
        cmocka_unit_test(files_that_are_not_there),
        cmocka_unit_test(what_is_no_file),
        cmocka_unit_test(descriptors),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
