// One request in libcurl's terms. Private to pool/transfer/.
// SPDX-License-Identifier: MIT
#ifndef POOL_TRANSFER_EASY_H
#define POOL_TRANSFER_EASY_H

#include "pool/transfer/address.h"
#include "pool/transfer/engine.h"

#include <curl/curl.h>

struct easy_settings {
    struct engine_options options;
    curl_closesocket_callback on_close;
    void *context;      // of on_close
    CURLSH *share;      // TLS sessions and addresses, of all of an engine's transfers
    const char *cainfo; // the file of trusted certificates, or NULL: libcurl's own default
    const char *capath; // a directory of them, or NULL
};

// Decides where trust comes from: --cacert, SSL_CERT_FILE, SSL_CERT_DIR, the system's bundle.
bool easy_find_trust(struct easy_settings *settings, struct error *err);

// Whether the environment names a proxy.
bool easy_wants_proxy(void);

// What all connections of an engine share.
CURLSH *easy_new_share(void);

// A transfer with an easy handle that has all the options that never change. It reads at most
// buffer_size bytes at a time.
struct transfer *easy_new_transfer(const struct easy_settings *settings, size_t buffer_size);
void easy_free_transfer(struct transfer *t);

// Sets what changes from request to request. False when t->url is no address. The transfer uses one of
// `all` until it is set to another or freed.
bool easy_prepare(struct transfer *t, struct addresses *all);

// The transfer of a handle.
struct transfer *easy_owner(CURL *easy);

// Whether a transfer that ended with this code was refused unprocessed, and is to be added to its multi once
// more.
bool easy_is_refused(struct transfer *t, CURLcode code);

// Copies what came of a finished transfer.
void easy_finish(struct transfer *t, CURLcode code);

// The same for one that is broken off with this status.
void easy_break_off(struct transfer *t, enum transfer_status status);

// Whether its answer came over HTTP/2.
bool easy_is_http2(const struct transfer *t);

// engine.c's part in a stream: looks at it at this time at the latest.
void engine_look_by(struct transfer *t, int64_t due);

// The time by which requests are late: the monotonic clock without what this process was kept from
// running.
int64_t engine_time(const struct transfer *t);

// Between two requests: keeps a modest body buffer.
void easy_rest(struct transfer *t);

// libcurl's CURLOPT_WRITEFUNCTION.
size_t easy_on_body(char *p, size_t size, size_t count, void *transfer);

// What a transfer that is looked at has to end with, or TRANSFER_ANSWERED and *due says when to look again.
enum transfer_status easy_status_by(const struct transfer *t, int64_t now, int64_t *due);

#endif
