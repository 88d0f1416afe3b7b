// plain_words.c: says what went wrong with a connection. On the thread that owns the engine.
// SPDX-License-Identifier: MIT
#include "pool/transfer/plain_words.h"

#include "pool/transfer/address.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

// "Failed to connect to HOST port N after 0 ms: …": HOST is a proxy's if the address does not name it.
static void say_refused(struct transfer *t) {
    char host[200] = "", *end;
    const char *from = strstr(t->error, "connect to ");
    long os_errno = 0;
    curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &os_errno);
    if (from)
        snprintf(host, sizeof host, "%s", from + strlen("connect to "));
    if ((end = strstr(host, " after ")))
        *end = '\0';
    if (!end || os_errno != ECONNREFUSED)
        return;
    size_t name = strcspn(host, " ");
    bool direct = memmem(t->address->text.p, t->address->text.n, host, name) != NULL;
    snprintf(t->error, sizeof t->error, "connection refused by %s%s", direct ? "" : "the proxy ",
             host);
}

// What libcurl and its TLS library say in their own terms, in plain words.
void transfer_say_plainly(struct transfer *t, CURLcode code) {
    char words[sizeof t->error];
    snprintf(words, sizeof words, "%s", t->error);
    if (code == CURLE_COULDNT_CONNECT)
        say_refused(t);
    else if (code == CURLE_SSL_CONNECT_ERROR &&
             (strstr(words, "wrong version number") || strstr(words, "packet length too long") ||
              strstr(words, "unexpected packet") || strstr(words, "unexpected message")))
        snprintf(t->error, sizeof t->error,
                 "the server does not speak TLS there: use http:// instead of https:// (%.120s)",
                 words);
    else if (code == CURLE_UNSUPPORTED_PROTOCOL && !t->address->tls)
        snprintf(t->error, sizeof t->error,
                 "what the server answers is not HTTP: does it want https://? (%.120s)", words);
}
