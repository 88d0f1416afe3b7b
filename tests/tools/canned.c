// canned.c: a server that answers with the bytes it is given, however wrong. For end-to-end tests.
//
//   canned LOG [TEXT[+TEXT…][%PERCENT]=ANSWER]… ANSWER…
//
// prints "listening on http://127.0.0.1:PORT" and serves until killed. A request that holds every TEXT, in
// its head (a key, a path) or its body (a row), gets the ANSWER behind it, the first that fits, by chance
// where a PERCENT is given. Of the others the n-th gets the n-th ANSWER, the last one goes on for ever.
// An ANSWER is a file sent as it stands (its \r\n included), in which @KEY@ stands for the bearer token
// that came, @HEAD@ for the head of the request, @PAUSE@ for a rest of 300 ms, and what is behind @AGAIN@
// is sent over and over; or one of the words reset, close, hang. After an answer whose file name ends in
// ".close" the connection closes; one whose name has ".drip" in it leaves byte by byte.
// LOG gets a line per request: milliseconds since the start, number of the connection, bearer token
// ("-" when there is none), request line, body.
// SPDX-License-Identifier: MIT
#include "jobs/base/buf.h"
#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "jobs/base/random.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static struct {
    FILE *log;
    char **fitting; // TEXT=ANSWER
    int fitting_count;
    char **answers;
    int count;
    struct random random;
    int next;
    int connections;
    int64_t began;
    pthread_mutex_t lock;
} canned = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct slice header(struct slice head, const char *name) {
    size_t n = strlen(name);
    for (size_t i = 0; i + n < head.n; i++) {
        if (head.p[i] != '\n' || strncasecmp(head.p + i + 1, name, n) != 0)
            continue;
        const char *start = head.p + i + 1 + n;
        const char *end = memchr(start, '\r', (size_t)(head.p + head.n - start));
        return end ? slice_trim(slice_of(start, (size_t)(end - start))) : SLICE_NONE;
    }
    return SLICE_NONE;
}

static struct slice token_of(struct slice head) {
    struct slice value = header(head, "authorization:");
    return slice_starts(value, "Bearer ") ? slice_of(value.p + 7, value.n - 7) : value;
}

// Reads until head and body are whole; false when the peer is gone.
static bool read_request(int fd, struct buf *in, size_t *head) {
    for (;;) {
        const char *end = in->n ? memmem(in->p, in->n, "\r\n\r\n", 4) : NULL;
        if (end) {
            *head = (size_t)(end - in->p) + 4;
            char digits[24] = "0";
            struct slice length = header(slice_of(in->p, *head), "content-length:");
            memcpy(digits, length.p ? length.p : "0", length.n < 20 ? length.n : 20);
            if (in->n >= *head + strtoul(digits, NULL, 10))
                return true;
        }
        if (!buf_reserve(in, 65536))
            return false;
        ssize_t n = read(fd, in->p + in->n, 65536);
        if (n <= 0)
            return false;
        in->n += (size_t)n;
    }
}

static int next_connection(void) {
    pthread_mutex_lock(&canned.lock);
    int number = ++canned.connections;
    pthread_mutex_unlock(&canned.lock);
    return number;
}

// The ANSWER of "TEXT+TEXT%PERCENT=ANSWER" when the request is one of those; else NULL.
static const char *fits(const char *rule, struct slice request) {
    const char *equals = strchr(rule, '='), *percent = memchr(rule, '%', (size_t)(equals - rule));
    const char *end = percent ? percent : equals;
    for (const char *text = rule; text < end;) {
        const char *plus = memchr(text, '+', (size_t)(end - text)), *stop = plus ? plus : end;
        if (!memmem(request.p, request.n, text, (size_t)(stop - text)))
            return NULL;
        text = stop + 1;
    }
    bool chosen = !percent || random_unit(&canned.random) * 100 < strtod(percent + 1, NULL);
    return chosen ? equals + 1 : NULL;
}

// With the lock held.
static const char *choose_answer(struct slice request) {
    for (int i = 0; i < canned.fitting_count; i++) {
        const char *answer = fits(canned.fitting[i], request);
        if (answer)
            return answer;
    }
    const char *answer = canned.answers[canned.next];
    if (canned.next + 1 < canned.count)
        canned.next++;
    return answer;
}

static const char *log_request(const struct buf *in, size_t head, int connection) {
    struct slice all = buf_slice(in), top = slice_of(in->p, head), token = token_of(top);
    const char *line_end = memchr(top.p, '\r', top.n);
    if (!token.n)
        token = SLICE("-");
    pthread_mutex_lock(&canned.lock);
    fprintf(canned.log, "%lld %d %.*s %.*s ",
            (long long)((clock_now() - canned.began) / USEC_PER_MS), connection, SLICE_ARG(token),
            (int)(line_end - top.p), top.p);
    fwrite(all.p + head, 1, all.n - head, canned.log); // whatever bytes it holds
    fputc('\n', canned.log);
    fflush(canned.log);
    const char *answer = choose_answer(all);
    pthread_mutex_unlock(&canned.lock);
    return answer;
}

// False when the peer is gone.
static bool send_all(int fd, const char *p, size_t n) {
    while (n) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        p += sent;
        n -= (size_t)sent;
    }
    return true;
}

// A packet for each byte, as far as the reader keeps up.
static bool send_dripping(int fd, const char *p, size_t n) {
    bool there = true;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    for (size_t i = 0; i < n && there; i++) {
        there = send_all(fd, p + i, 1);
        usleep(50);
    }
    return there;
}

static void read_answer(const char *path, struct buf *text) {
    FILE *file = fopen(path, "rb");
    if (!file)
        die("cannot read %s", path);
    while (buf_reserve(text, 65536)) {
        size_t n = fread(text->p + text->n, 1, 65536, file);
        text->n += n;
        if (!n)
            break;
    }
    fclose(file);
}

static void send_file(int fd, const char *path, struct slice head) {
    bool (*put)(int, const char *, size_t) = strstr(path, ".drip") ? send_dripping : send_all;
    struct buf text = BUF_INIT(1 << 30);
    struct slice key = token_of(head);
    read_answer(path, &text);
    const char *p = text.p, *end = text.p + text.n, *again = NULL, *mark;
    for (bool there = true; there && (p < end || again);) {
        if (p == end)
            p = again;
        mark = memchr(p, '@', (size_t)(end - p));
        mark = mark ? mark : end;
        there = put(fd, p, (size_t)(mark - p));
        p = mark;
        struct slice rest = slice_of(mark, (size_t)(end - mark));
        if (slice_starts(rest, "@KEY@")) {
            put(fd, key.p, key.n);
            p += 5;
        } else if (slice_starts(rest, "@HEAD@")) {
            put(fd, head.p, head.n);
            p += 6;
        } else if (slice_starts(rest, "@PAUSE@")) {
            usleep(300000);
            p += 7;
        } else if (slice_starts(rest, "@AGAIN@")) {
            again = p += 7;
        } else if (p < end) {
            put(fd, p++, 1);
        }
    }
    buf_free(&text);
}

// False when the connection is to close.
static bool answer(int fd, const char *what, struct slice head) {
    if (strcmp(what, "hang") == 0)
        pause();
    if (strcmp(what, "reset") == 0)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
    if (strcmp(what, "reset") == 0 || strcmp(what, "close") == 0)
        return false;
    send_file(fd, what, head);
    const char *ending = strrchr(what, '.');
    return !ending || strcmp(ending, ".close") != 0;
}

static void *serve(void *socket) {
    int fd = *(int *)socket, connection = next_connection();
    struct buf in = BUF_INIT(256 << 20);
    size_t head;
    free(socket);
    while (read_request(fd, &in, &head)) {
        const char *what = log_request(&in, head, connection);
        if (!answer(fd, what, slice_of(in.p, head)))
            break;
        buf_clear(&in);
    }
    buf_free(&in);
    close(fd);
    return NULL;
}

int main(int argc, char **argv) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    signal(SIGPIPE, SIG_IGN);
    canned.log = argc > 2 ? fopen(argv[1], "w") : NULL;
    canned.fitting = argv + 2;
    while (2 + canned.fitting_count < argc && strchr(argv[2 + canned.fitting_count], '='))
        canned.fitting_count++;
    canned.answers = canned.fitting + canned.fitting_count;
    canned.count = argc - 2 - canned.fitting_count;
    if (canned.count < 1)
        die("usage: canned LOG [TEXT[+TEXT…][%%PERCENT]=ANSWER]… ANSWER…");
    canned.began = clock_now();
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (!canned.log || bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 512) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        die("cannot listen");
    printf("listening on http://127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        int *peer = mem_new(sizeof *peer);
        pthread_t thread;
        *peer = accept(fd, NULL, NULL);
        if (*peer < 0 || pthread_create(&thread, NULL, serve, peer) != 0)
            die("cannot serve");
        pthread_detach(thread);
    }
}
