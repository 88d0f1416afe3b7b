// peak.c: runs a command and prints "peak N KiB": the most memory it had at once, as the kernel saw it.
// SPDX-License-Identifier: MIT
#include "jobs/base/die.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
    struct rusage usage;
    int status;
    if (argc < 2)
        die("usage: peak COMMAND…");
    pid_t child = fork();
    if (child == 0) {
        execvp(argv[1], argv + 1);
        die("cannot start %s", argv[1]);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child)
        die("cannot wait for %s", argv[1]);
    printf("peak %ld KiB\n", usage.ru_maxrss);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
