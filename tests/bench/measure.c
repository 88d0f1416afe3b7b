// measure.c: runs a command and prints what the kernel counted for it, as JSON into a file.
// SPDX-License-Identifier: MIT
//
// A helper as small as this one matters: a child's peak memory includes that of the process it was
// forked from. For the same reason the numbers do not come from the benchmark's own process.
//
//   measure FILE COMMAND…                {"status", "wall_us", "cpu_us", "peak_kib"}
//   measure FILE --first PORT COMMAND…   the same with "first_us": from just before the command starts
//                                        until the first byte of a request is at 127.0.0.1:PORT; the
//                                        command is ended then
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

__attribute__((noreturn)) static void fail(const char *what) {
    fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int listen_on(const char *port) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((uint16_t)strtol(port, NULL, 10))};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 128) != 0)
        fail("cannot listen");
    return fd;
}

// Blocks until a request's first byte is there; the time of it.
static int64_t first_byte(int listener) {
    char byte;
    int fd = accept(listener, NULL, NULL);
    if (fd < 0 || read(fd, &byte, 1) != 1)
        fail("no request came");
    return now_us();
}

static pid_t start(char **command) {
    pid_t child = fork();
    if (child < 0)
        fail("cannot fork");
    if (child == 0) {
        execvp(command[0], command);
        fail(command[0]);
    }
    return child;
}

static int64_t usec_of(struct timeval t) {
    return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

static void report(const char *path, const struct rusage *usage, int status,
                   const int64_t took[2]) {
    FILE *file = fopen(path, "w");
    if (!file)
        fail(path);
    fprintf(file,
            "{\"status\":%d,\"wall_us\":%lld,\"cpu_us\":%lld,\"peak_kib\":%ld,\"first_us\":%lld}\n",
            WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), (long long)took[0],
            (long long)(usec_of(usage->ru_utime) + usec_of(usage->ru_stime)), usage->ru_maxrss,
            (long long)took[1]);
    fclose(file);
}

int main(int argc, char **argv) {
    bool until_first = argc > 4 && strcmp(argv[2], "--first") == 0;
    if (argc < 3)
        fail("usage: measure FILE [--first PORT] COMMAND");
    int listener = until_first ? listen_on(argv[3]) : -1;
    int64_t begun = now_us(), took[2] = {0, 0};
    pid_t child = start(argv + (until_first ? 4 : 2));
    if (until_first) {
        took[1] = first_byte(listener) - begun;
        kill(child, SIGKILL);
    }
    struct rusage usage;
    int status;
    if (wait4(child, &status, 0, &usage) != child)
        fail("cannot wait");
    took[0] = now_us() - begun;
    report(argv[1], &usage, status, took);
    return 0;
}
