// bare_multi.c: the least a libcurl client can do: one multi, socket_action on epoll, N requests open,
// a constant body, replies read into one buffer and forgotten. What batch-run is measured against.
// SPDX-License-Identifier: MIT
//
//   bare_multi URL KEYS-FILE OPEN COUNT [CACERT]
//
// The settings are the good ones: descriptors stay in epoll, handles are reused, the URL is parsed
// once, the cache of connections holds all that are open.
#include <curl/curl.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <unistd.h>

#define BODY_BYTES 300
#define FDS_MOST   65536
#define KEYS_MOST  4096

struct bench {
    CURLM *multi;
    CURLU *url;
    const char *cacert;
    int epoll;
    long timeout_ms; // as libcurl set it; -1: none
    uint32_t registered[FDS_MOST], wanted[FDS_MOST];
    struct curl_slist *headers[KEYS_MOST];
    int key_count;
    char body[BODY_BYTES + 1];
    long to_start, failed;
    char reply[64 * 1024];
};

__attribute__((noreturn)) static void fail(const char *what) {
    fprintf(stderr, "bare_multi: %s\n", what);
    exit(1);
}

static void read_keys(struct bench *b, const char *path) {
    FILE *file = fopen(path, "r");
    char line[256], header[300];
    if (!file)
        fail("cannot read the keys");
    while (b->key_count < KEYS_MOST && fgets(line, sizeof line, file)) {
        char *value = strchr(line, '=');
        if (line[0] == '#' || !value)
            continue;
        value[strcspn(value, "\n")] = '\0';
        snprintf(header, sizeof header, "Authorization: Bearer %s", value + 1);
        struct curl_slist *list = curl_slist_append(NULL, header);
        list = curl_slist_append(list, "User-Agent: bare-multi/0.1.0"); // requests like batch-run's
        list = curl_slist_append(list, "Content-Type: application/json");
        b->headers[b->key_count++] = curl_slist_append(list, "Expect:");
    }
    fclose(file);
    if (!b->key_count)
        fail("no keys");
}

static void make_body(char *body) {
    const char *head = "{\"model\":\"simulate-1\",\"messages\":[{\"role\":\"user\",\"content\":\"";
    size_t n = strlen(head);
    memset(body, 'a', BODY_BYTES);
    memcpy(body, head, n);
    memcpy(body + BODY_BYTES - 4, "\"}]}", 5);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *unused) {
    (void)easy, (void)unused;
    struct bench *b = context;
    if (fd >= FDS_MOST)
        fail("too many descriptors");
    b->wanted[fd] = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
    if (what == CURL_POLL_REMOVE) {
        b->wanted[fd] = 0;
        return 0;
    }
    if (b->wanted[fd] == b->registered[fd])
        return 0;
    struct epoll_event event = {.events = b->wanted[fd], .data.fd = fd};
    epoll_ctl(b->epoll, b->registered[fd] ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
    b->registered[fd] = b->wanted[fd];
    return 0;
}

static int on_close(void *context, curl_socket_t fd) {
    struct bench *b = context;
    b->registered[fd] = b->wanted[fd] = 0;
    return close(fd);
}

static int on_timer(CURLM *multi, long ms, void *context) {
    (void)multi;
    ((struct bench *)context)->timeout_ms = ms;
    return 0;
}

static size_t on_reply(char *p, size_t size, size_t count, void *context) {
    struct bench *b = context;
    size_t n = size * count;
    memcpy(b->reply, p, n < sizeof b->reply ? n : sizeof b->reply);
    return n;
}

static CURL *new_handle(struct bench *b, int i) {
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_CURLU, b->url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, b->body);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)BODY_BYTES);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, b->headers[i % b->key_count]);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_reply);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, b);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, b);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, b->cacert ? 1L : 0L);
    if (b->cacert) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, b->cacert);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    return easy;
}

static void start(struct bench *b, CURL *easy) {
    b->to_start--;
    if (curl_multi_add_handle(b->multi, easy) != CURLM_OK)
        fail("libcurl takes no more");
}

static void collect(struct bench *b) {
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(b->multi, &left))) {
        CURL *easy = message->easy_handle;
        long status = 0;
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        if (message->data.result == CURLE_HTTP2_STREAM)
            b->to_start++; // answered before the body was sent: libcurl 7.88 gives up, so once more
        else
            b->failed += message->data.result != CURLE_OK || status != 200;
        curl_multi_remove_handle(b->multi, easy);
        if (b->to_start > 0)
            start(b, easy);
        else
            curl_easy_cleanup(easy);
    }
}

static void run(struct bench *b) {
    struct epoll_event events[256];
    int running = 1;
    curl_multi_socket_action(b->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    while (running) {
        int count = epoll_wait(b->epoll, events, 256, (int)b->timeout_ms);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            int mask = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                       (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                       (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
            curl_multi_socket_action(b->multi, fd, mask, &running);
        }
        collect(b);
        if (count == 0 || b->timeout_ms == 0)
            curl_multi_socket_action(b->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        collect(b);
        if (b->to_start > 0)
            running = 1;
    }
}

int main(int argc, char **argv) {
    static struct bench b;
    if (argc < 5)
        fail("usage: bare_multi URL KEYS-FILE OPEN COUNT [CACERT]");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    int open = (int)strtol(argv[3], NULL, 10);
    b.to_start = strtol(argv[4], NULL, 10);
    b.cacert = argc > 5 ? argv[5] : NULL;
    b.epoll = epoll_create1(EPOLL_CLOEXEC);
    b.url = curl_url();
    if (curl_url_set(b.url, CURLUPART_URL, argv[1], CURLU_PATH_AS_IS) != CURLUE_OK)
        fail("no such address");
    read_keys(&b, argv[2]);
    make_body(b.body);
    b.multi = curl_multi_init();
    curl_multi_setopt(b.multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(b.multi, CURLMOPT_SOCKETDATA, &b);
    curl_multi_setopt(b.multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(b.multi, CURLMOPT_TIMERDATA, &b);
    curl_multi_setopt(b.multi, CURLMOPT_MAXCONNECTS, (long)open);
    for (int i = 0; i < open && b.to_start > 0; i++)
        start(&b, new_handle(&b, i));
    run(&b);
    if (b.failed)
        fprintf(stderr, "bare_multi: %ld of the requests failed\n", b.failed);
    return b.failed != 0;
}
