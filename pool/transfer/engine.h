// Requests in flight: HTTP transfers on libcurl, driven by one epoll.
//
// The caller (one thread, which owns the engine for life):
//   1. engine_take() a transfer, fill its request, engine_start();
//   2. engine_wait() until something happened or a time has come;
//   3. engine_next_done() until NULL: read what came, engine_give() the transfer back.
// A transfer is given to libcurl only when it may start now: what waits inside libcurl would use up
// its own time limit (CURLMOPT_MAX_HOST_CONNECTIONS(3)). Transfers are spread over several multis
// ("lanes"), since libcurl walks its list of connections for every request.
// A request that an HTTP/2 server says it did not process (REFUSED_STREAM, GOAWAY) is sent again here and
// remains one transfer. One whose kept connection ends at once, before a byte of the answer, was most likely
// not processed: the caller sees TRANSFER_UNPROCESSED and sends it again, within its limits. A connection
// that ends later is TRANSFER_NETWORK: the request may have been answered, and paid.
// Redirects are not followed: the key would go to a stranger.
// SPDX-License-Identifier: MIT
#ifndef POOL_TRANSFER_ENGINE_H
#define POOL_TRANSFER_ENGINE_H

#include "jobs/base/buf.h"
#include "jobs/base/error.h"
#include "jobs/base/heap.h"
#include "jobs/base/list.h"
#include "pool/secret.h"
#include "pool/transfer/body_unpack.h"
#include "pool/wire/wire.h"

#include <stdint.h>

struct engine;

// HTTP_AUTO: HTTP/2, as many requests over one connection as the server lets through at once, where a
// server behind TLS offers it; the handshake tells. HTTP_2: the same, and a warning where it does not.
// Without TLS it is HTTP/1.1: libcurl 7.88 cannot use an HTTP/2 connection there again.
enum http_version { HTTP_AUTO, HTTP_1_1, HTTP_2 };

struct engine_options {
    int64_t connect_timeout; // microseconds, until the connection stands
    const char
        *cacert; // file of trusted certificates; NULL: SSL_CERT_FILE or its like, else the system's
    bool tls;    // some requests go over TLS
    enum http_version http;
    size_t hosts;  // to so many a transfer's connections may be kept
    bool no_proxy; // for the simulator inside the process: HTTP_PROXY is not asked
    int wake_fd;   // an eventfd: engine_wait() returns when it is written to
};

enum transfer_status {
    TRANSFER_ANSWERED,    // a whole HTTP answer; see http_status
    TRANSFER_TIMEOUT,     // not in time
    TRANSFER_STALLED,     // a stream from which nothing came for stall_timeout
    TRANSFER_NETWORK,     // no connection, or it broke before the answer was whole
    TRANSFER_UNPROCESSED, // its kept connection ended at once, before a byte of the answer
    TRANSFER_UNTRUSTED,   // the server's certificate is not trusted: no use trying again
    TRANSFER_NO_PROXY,    // the proxy wants a user and password before it opens a tunnel
    TRANSFER_GARBLED,     // what came is not HTTP
    TRANSFER_TOO_LARGE,   // the answer is beyond reply->max
};

struct transfer {
    // The request, set by the caller before engine_start(); all borrowed until it is done.
    void *owner;
    void *auth;     // from transfer_auth_new()
    struct buf url; // the transfer's own buffers, kept between requests: write the address here …
    struct buf body;          // … and the JSON here
    struct buf *reply;        // where the answer's bytes go; its max is the ceiling
    int64_t timeout;          // microseconds, from start to last byte
    bool get;                 // asks for what is at the address, without a body
    int64_t delay;            // microseconds to wait before it begins. engine_take() empties both
    char idempotency_key[40]; // "": none is sent. engine_take() empties it

    // How an answer that comes as events (2xx, and by its first bytes or its type) is taken: on_events is given its
    // bytes as they come, and `reply` none. When it says false nothing that follows is of interest:
    // the transfer ends as ANSWERED, by itself or a second later. NULL: `reply` gets these too.
    // engine_take() empties these three; they may be set until the engine_wait() after the start.
    bool (*on_events)(void *context, struct slice bytes);
    void *events_context;
    int64_t stall_timeout; // microseconds, the longest silence after the first byte; 0: any

    // What came.
    enum transfer_status status;
    int http_status;
    bool streamed;             // on_events was given the answer
    int64_t started, finished; // monotonic
    char error[256];           // what libcurl says went wrong, "" if nothing

    // The engine's own.
    struct list node;
    void *easy; // CURL *
    struct lane *lane;
    struct address *address; // NULL before the first request
    void *own_headers;       // what is sent before those of `auth`
    void *headers_set;
    enum body_kind kind;        // as far as its first bytes tell
    struct body_unpack *unpack; // NULL: the answer is not compressed
    bool is_get;                // libcurl is set to
    int64_t end_at;             // engine time, when it takes too long
    int sends;                  // how often libcurl began to send this request …
    int64_t sent_at;            // … and when it did last, monotonic
    bool too_large;
    bool any;               // something of the answer's body has come
    bool over;              // on_events wants no more
    bool late;              // its time was up while bytes were flowing in
    uint64_t event_bytes;   // of a stream
    int64_t last_byte;      // engine time, of a stream
    struct heap_node timer; // when it is looked at: does it take too long, has its stream stalled
};

// Call once in the program, before any thread starts.
bool engine_global_init(struct error *err);

// NULL with err filled when the certificates file cannot be read or the kernel gives no epoll.
struct engine *engine_open(const struct engine_options *options, struct error *err);
void engine_close(struct engine *e); // NULL is fine; nothing is in flight any more

// The most descriptors that an engine needs for so many requests at once, besides a connection each.
size_t engine_descriptors(size_t transfers);

// Whether requests can be sent below this address: http or https, a host, no query and no fragment.
// False: *what says in words what is wrong with it.
bool engine_takes_base_url(const char *url, const char **what);

// Whether its requests go over TLS.
bool engine_uses_tls(const char *url);

// The headers of a key's requests: its secret, unless there is none or the provider is not told, those
// that the user declared for the provider, and the wire's own. Any thread, freed by
// transfer_auth_free().
void *transfer_auth_new(const struct provider *provider, const struct secret *secret);
void transfer_auth_free(void *auth);

// A transfer that is in nobody's hands, with url and body empty. There is no limit here: the pool has it.
struct transfer *engine_take(struct engine *e);

// False, and nothing was sent: t->url is no address. The transfer is still to be given back.
bool engine_start(struct engine *e, struct transfer *t);

// Runs what is due, then waits for events until `until` (monotonic; TIME_NEVER; 0 does not wait), then
// runs those. Returns at once when transfers are done already. Whether anything happened.
bool engine_wait(struct engine *e, int64_t until);

// The next finished transfer, or NULL. It stays the caller's until engine_give().
struct transfer *engine_next_done(struct engine *e);

// A header of the answer, SLICE_NONE if it was not sent; valid until engine_give().
struct slice transfer_header(const struct transfer *t, const char *name);

// Whether anything of the request may have left this machine.
static inline bool transfer_was_sent(const struct transfer *t) {
    return t->sends > 0;
}

void engine_give(struct engine *e, struct transfer *t);

// Breaks off a transfer that was started and was not handed out as done, as TRANSFER_NETWORK; give it
// back afterwards.
void engine_cancel(struct engine *e, struct transfer *t);

#endif
