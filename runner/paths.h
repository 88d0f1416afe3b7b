// Whether two names mean one file.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_PATHS_H
#define RUNNER_PATHS_H

#include <stdbool.h>

// Also for files that are not there yet: then folder and name decide. "-" is no file, NULL neither.
bool paths_are_same(const char *a, const char *b);

// The same for a path and an open descriptor; only regular files can be the same.
bool paths_is_descriptor(const char *path, int fd);

#endif
