// paths.c: compares names of files by what they mean. Main thread.
// SPDX-License-Identifier: MIT
#include "runner/paths.h"

#include "jobs/base/die.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_path(const char *path) {
    return path && strcmp(path, "-") != 0;
}

static bool same_node(const struct stat *a, const struct stat *b) {
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

// Same last part, in the same folder.
static bool same_place(const char *a, const char *b) {
    char *name_a = mem_text(a, strlen(a)), *name_b = mem_text(b, strlen(b));
    char *folder_a = mem_text(a, strlen(a)), *folder_b = mem_text(b, strlen(b));
    struct stat stat_a, stat_b;
    bool same = strcmp(basename(name_a), basename(name_b)) == 0 &&
                stat(dirname(folder_a), &stat_a) == 0 && stat(dirname(folder_b), &stat_b) == 0 &&
                same_node(&stat_a, &stat_b);
    free(name_a);
    free(name_b);
    free(folder_a);
    free(folder_b);
    return same;
}

bool paths_are_same(const char *a, const char *b) {
    struct stat stat_a, stat_b;
    if (!is_path(a) || !is_path(b))
        return false;
    bool there_a = stat(a, &stat_a) == 0, there_b = stat(b, &stat_b) == 0;
    if (there_a && there_b)
        return S_ISREG(stat_a.st_mode) && same_node(&stat_a, &stat_b);
    return !there_a && !there_b && same_place(a, b);
}

bool paths_is_descriptor(const char *path, int fd) {
    struct stat named, open;
    return is_path(path) && stat(path, &named) == 0 && fstat(fd, &open) == 0 &&
           S_ISREG(open.st_mode) && same_node(&named, &open);
}
