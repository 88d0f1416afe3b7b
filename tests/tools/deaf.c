// deaf.c: an address where connections are neither made nor refused. For end-to-end tests.
//
//   deaf        prints "listening on http://127.0.0.1:PORT" and waits until killed
//
// It listens with the shortest queue and fills that itself: the system then drops what comes.
// SPDX-License-Identifier: MIT
#include "jobs/base/die.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define FILLERS 8

int main(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 0) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        die("cannot listen");
    for (int i = 0; i < FILLERS; i++) {
        int filler = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(filler, (struct sockaddr *)&address,
                size); // some are made, the rest is left hanging
    }
    printf("listening on http://127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;)
        pause();
}
