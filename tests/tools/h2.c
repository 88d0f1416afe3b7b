// h2.c: a chat provider over HTTP/2 that does not take every request. For end-to-end tests.
//
//   h2 CERTIFICATE KEY LOG refuse N   every N-th stream is reset with REFUSED_STREAM: it was not processed
//   h2 CERTIFICATE KEY LOG goaway N   the N-th stream of each connection gets a GOAWAY that does not include it
//   h2 CERTIFICATE KEY LOG drop N     the N-th stream of each connection ends the connection, without a byte
//
// prints "listening on https://127.0.0.1:PORT" and serves until killed. All other streams are answered with
// the text "over HTTP/2". LOG gets a line per stream: "answered" or "refused".
// SPDX-License-Identifier: MIT
#include "jobs/base/buf.h"
#include "jobs/base/die.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// RFC 9113, sections 6 and 7.
enum {
    DATA = 0,
    HEADERS = 1,
    RST_STREAM = 3,
    SETTINGS = 4,
    PING = 6,
    GOAWAY = 7,
    WINDOW_UPDATE = 8
};
enum { ACK = 1, END_STREAM = 1, END_HEADERS = 4 };
enum { REFUSED_STREAM = 7 };
#define PREFACE 24

static struct {
    const char *certificate, *key, *mode;
    int every;
    FILE *log;
    int streams; // of all connections
    pthread_mutex_t lock;
} h2 = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const char answer[] =
    "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"m\","
    "\"choices\":[{"
    "\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"over "
    "HTTP/2\"},\"finish_reason\":\"stop\"}],"
    "\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2,\"total_tokens\":3}}";

struct peer {
    gnutls_session_t tls;
    int streams; // so far
    uint32_t last;
};

static bool receive(struct peer *p, void *bytes, size_t n) {
    for (char *at = bytes; n;) {
        ssize_t got = gnutls_record_recv(p->tls, at, n);
        if (got == GNUTLS_E_INTERRUPTED || got == GNUTLS_E_AGAIN)
            continue;
        if (got <= 0)
            return false;
        at += got;
        n -= (size_t)got;
    }
    return true;
}

static void put32(unsigned char *p, uint32_t value) {
    for (int i = 0; i < 4; i++)
        p[i] = (unsigned char)(value >> (24 - 8 * i));
}

static void send_frame(struct peer *p, int type, int flags, uint32_t stream, struct slice payload) {
    struct buf frame = BUF_INIT(1 << 20);
    unsigned char head[9] = {(unsigned char)(payload.n >> 16), (unsigned char)(payload.n >> 8),
                             (unsigned char)payload.n, (unsigned char)type, (unsigned char)flags};
    put32(head + 5, stream);
    buf_add_slice(&frame, slice_of((char *)head, sizeof head));
    buf_add_slice(&frame, payload);
    for (size_t sent = 0; sent < frame.n;) {
        ssize_t n = gnutls_record_send(p->tls, frame.p + sent, frame.n - sent);
        if (n < 0 && n != GNUTLS_E_INTERRUPTED && n != GNUTLS_E_AGAIN)
            break;
        sent += n > 0 ? (size_t)n : 0;
    }
    buf_free(&frame);
}

static void send_number(struct peer *p, int type, uint32_t stream, uint32_t number) {
    unsigned char bytes[4];
    put32(bytes, number);
    send_frame(p, type, 0, stream, slice_of((char *)bytes, 4));
}

static void go_away(struct peer *p) {
    unsigned char bytes[8] = {0};
    put32(bytes, p->last);
    send_frame(p, GOAWAY, 0, 0, slice_of((char *)bytes, 8));
}

// ":status: 200" is number 8 of the static table, content-type number 31 (RFC 7541, appendix A).
static void send_answer(struct peer *p, uint32_t stream) {
    static const char head[] = "\x88\x5f\x10"
                               "application/json";
    send_frame(p, HEADERS, END_HEADERS, stream, slice_of(head, sizeof head - 1));
    send_frame(p, DATA, END_STREAM, stream, slice_str(answer));
    p->last = stream;
}

// A request is complete. False when the connection is to end.
static bool serve_stream(struct peer *p, uint32_t stream) {
    p->streams++;
    pthread_mutex_lock(&h2.lock);
    bool each = strcmp(h2.mode, "refuse") == 0;
    bool refuses = each ? ++h2.streams % h2.every == 0 : p->streams == h2.every;
    fprintf(h2.log, "%s\n", refuses ? "refused" : "answered");
    fflush(h2.log);
    pthread_mutex_unlock(&h2.lock);
    if (!refuses)
        send_answer(p, stream);
    else if (each)
        send_number(p, RST_STREAM, stream, REFUSED_STREAM);
    else if (strcmp(h2.mode, "goaway") == 0)
        go_away(p);
    else
        return false;
    return true;
}

static bool serve_frame(struct peer *p) {
    unsigned char head[9];
    static const uint32_t most = 1 << 20;
    if (!receive(p, head, sizeof head))
        return false;
    uint32_t n = (uint32_t)head[0] << 16 | (uint32_t)head[1] << 8 | head[2];
    uint32_t stream = (uint32_t)(head[5] & 0x7f) << 24 | (uint32_t)head[6] << 16 |
                      (uint32_t)head[7] << 8 | head[8];
    int type = head[3], flags = head[4];
    char *payload = mem_new(most);
    bool good = n < most && receive(p, payload, n);
    if (good && type == SETTINGS && !(flags & ACK))
        send_frame(p, SETTINGS, ACK, 0, SLICE(""));
    if (good && type == PING && !(flags & ACK))
        send_frame(p, PING, ACK, 0, slice_of(payload, n));
    if (good && type == DATA && n)
        send_number(p, WINDOW_UPDATE, 0, n);
    if (good && (type == DATA || type == HEADERS) && flags & END_STREAM)
        good = serve_stream(p, stream);
    free(payload);
    return good;
}

static void *serve(void *socket) {
    int fd = *(int *)socket;
    struct peer p = {0};
    char preface[PREFACE];
    gnutls_certificate_credentials_t credentials;
    gnutls_datum_t h2_name = {(unsigned char *)"h2", 2};
    free(socket);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    gnutls_certificate_allocate_credentials(&credentials);
    gnutls_certificate_set_x509_key_file(credentials, h2.certificate, h2.key, GNUTLS_X509_FMT_PEM);
    gnutls_init(&p.tls, GNUTLS_SERVER);
    gnutls_set_default_priority(p.tls);
    gnutls_credentials_set(p.tls, GNUTLS_CRD_CERTIFICATE, credentials);
    gnutls_alpn_set_protocols(p.tls, &h2_name, 1, 0);
    gnutls_transport_set_int(p.tls, fd);
    if (gnutls_handshake(p.tls) == GNUTLS_E_SUCCESS && receive(&p, preface, PREFACE)) {
        send_frame(&p, SETTINGS, 0, 0, SLICE(""));
        while (serve_frame(&p))
            ;
    }
    close(fd);
    gnutls_deinit(p.tls);
    gnutls_certificate_free_credentials(credentials);
    return NULL;
}

int main(int argc, char **argv) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (argc != 6)
        die("usage: h2 CERTIFICATE KEY LOG refuse|goaway|drop N");
    signal(SIGPIPE, SIG_IGN);
    h2.certificate = argv[1];
    h2.key = argv[2];
    h2.log = fopen(argv[3], "w");
    h2.mode = argv[4];
    h2.every = (int)strtol(argv[5], NULL, 10);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (!h2.log || bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 512) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        die("cannot listen");
    printf("listening on https://127.0.0.1:%d\n", ntohs(address.sin_port));
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
