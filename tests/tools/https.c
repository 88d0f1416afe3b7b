// https.c: a chat provider behind TLS with the certificate it is given. For end-to-end tests.
//
//   https CERTIFICATE KEY LOG     prints "listening on https://127.0.0.1:PORT", serves until killed
//
// Every request is answered with the text "over TLS". LOG gets a line per request: its method, path
// and bearer token.
// SPDX-License-Identifier: MIT
#include "jobs/base/buf.h"
#include "jobs/base/die.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <unistd.h>

static const char answer[] =
    "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"m\","
    "\"choices\":[{"
    "\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"over "
    "TLS\"},\"finish_reason\":\"stop\"}"
    "],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2,\"total_tokens\":3}}";

static void read_file(const char *path, struct buf *text) {
    FILE *file = fopen(path, "rb");
    if (!file || !buf_reserve(text, 65536))
        die("cannot read %s", path);
    text->n = fread(text->p, 1, 65536, file);
    fclose(file);
}

// The context is the log. The first call has the headers, the last one no body left.
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *upload, size_t *upload_size, void **request) {
    (void)version, (void)upload;
    FILE *log = context;
    if (!*request || *upload_size) {
        *request = log;
        *upload_size = 0;
        return MHD_YES;
    }
    const char *auth = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
    fprintf(log, "%s %s %s\n", method, path, auth ? auth : "-");
    fflush(log);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(sizeof answer - 1, (void *)answer, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(response, "Content-Type", "application/json");
    enum MHD_Result result = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return result;
}

int main(int argc, char **argv) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct buf certificate = BUF_INIT(1 << 20), key = BUF_INIT(1 << 20);
    if (argc != 4)
        die("usage: https CERTIFICATE KEY LOG");
    read_file(argv[1], &certificate);
    read_file(argv[2], &key);
    FILE *log = fopen(argv[3], "w");
    if (!log)
        die("cannot write %s", argv[3]);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_TLS | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, on_request, log,
        MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address, MHD_OPTION_HTTPS_MEM_CERT,
        buf_cstr(&certificate), MHD_OPTION_HTTPS_MEM_KEY, buf_cstr(&key), MHD_OPTION_END);
    if (!daemon)
        die("cannot serve TLS");
    printf("listening on https://127.0.0.1:%d\n",
           MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    for (;;)
        pause();
}
