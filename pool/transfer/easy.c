// easy.c: sets up, fills and reads one libcurl easy handle. On its engine's thread.
// SPDX-License-Identifier: MIT
#include "pool/transfer/easy.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "pool/catalogue.h"
#include "pool/transfer/plain_words.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

// Request bodies beyond this are given back between requests.
#define KEEP_BYTES (64 * 1024)
#define USER_AGENT "batch-run/" BATCH_RUN_VERSION
// libcurl's own default: so long an answer of the resolver is used.
#define NAMES_SECONDS 60L

static bool has_part(CURLU *url, CURLUPart part) {
    char *text = NULL;
    bool there = curlu_is_good(curl_url_get(url, part, &text, 0)) && text && *text;
    curl_free(text);
    return there;
}

bool engine_takes_base_url(const char *url, const char **what) {
    CURLU *parsed = curl_url();
    *what = NULL;
    if (!parsed)
        die("out of memory for an address");
    if (!address_is_web(url))
        *what = "it does not start with http:// or https://";
    else if (!curlu_is_good(curl_url_set(parsed, CURLUPART_URL, url, 0)))
        *what = "it is no valid address";
    else if (!has_part(parsed, CURLUPART_HOST))
        *what = "it names no host";
    else if (has_part(parsed, CURLUPART_QUERY) || has_part(parsed, CURLUPART_FRAGMENT))
        *what = "it has a query or a fragment, and the requests' path goes behind it";
    curl_url_cleanup(parsed);
    return !*what;
}

static struct curl_slist *add_header(struct curl_slist *headers, const char *text) {
    struct curl_slist *more = curl_slist_append(headers, text);
    if (!more)
        die("out of memory for a request header");
    return more;
}

static struct curl_slist *add_secret(struct curl_slist *headers, const char *prefix,
                                     const struct secret *secret) {
    struct buf line = BUF_INIT(64 * 1024);
    secret_add_header(secret, prefix, &line);
    headers = add_header(headers, buf_cstr(&line));
    buf_wipe(&line);
    buf_free(&line);
    return headers;
}

// Whether the user declared a header of the same name as this line's.
static bool is_declared(const struct provider *provider, const char *line) {
    size_t n = strcspn(line, ":");
    for (const struct provider_header *h = provider->headers; h && h->name; h++)
        if (strlen(h->name) == n && strncasecmp(h->name, line, n) == 0)
            return true;
    return false;
}

static struct curl_slist *add_declared(struct curl_slist *headers,
                                       const struct provider *provider) {
    for (const struct provider_header *h = provider->headers; h && h->name; h++) {
        char prefix[128];
        snprintf(prefix, sizeof prefix, "%s: ", h->name);
        headers = add_secret(headers, prefix, h->value);
    }
    return headers;
}

void *transfer_auth_new(const struct provider *provider, const struct secret *secret) {
    static const char user_agent[] = "User-Agent: " USER_AGENT; // as an option it is printed twice
    const struct wire *wire = provider->wire;
    const char *prefix = provider->auth_prefix ? provider->auth_prefix : wire->auth_prefix;
    struct curl_slist *headers = NULL;
    if (*prefix && !secret_is_empty(secret) && !is_declared(provider, prefix))
        headers = add_secret(headers, prefix, secret);
    headers = add_declared(headers, provider);
    if (!is_declared(provider, user_agent))
        headers = add_header(headers, user_agent);
    for (const char *const *more = wire->headers; more && *more; more++)
        if (!is_declared(provider, *more))
            headers = add_header(headers, *more);
    return headers;
}

void transfer_auth_free(void *auth) {
    for (struct curl_slist *header = auth; header; header = header->next)
        explicit_bzero(header->data, strlen(header->data));
    curl_slist_free_all(auth);
}

static bool need_readable(const char *what, const char *path, struct error *err) {
    if (access(path, R_OK) == 0)
        return true;
    return error_set(err, ERROR_USAGE, "%s: cannot read %s: %s", what, path, strerror(errno));
}

// The distribution's libcurl has both a bundle and a directory; the directory switches off its
// cache of the parsed bundle, which then costs 20 ms for every connection.
bool easy_find_trust(struct easy_settings *settings, struct error *err) {
    // the variables of OpenSSL, curl and Python's requests, in this order
    static const char *const files[] = {"SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"};
    const char *folder = getenv("SSL_CERT_DIR");
    settings->cainfo = settings->options.cacert;
    if (settings->cainfo)
        return need_readable("--cacert", settings->cainfo, err);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const char *file = getenv(files[i]);
        if (file && *file) {
            settings->cainfo = file;
            return need_readable(files[i], file, err);
        }
    }
    if (folder && *folder) {
        settings->capath = folder;
        return true;
    }
    const char *bundle = curl_version_info(CURLVERSION_NOW)->cainfo;
    if (bundle && access(bundle, R_OK) == 0)
        settings->cainfo = bundle;
    return true;
}

// The variables that libcurl would ask for with every request.
bool easy_wants_proxy(void) {
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                        "ALL_PROXY"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (getenv(names[i]))
            return true;
    return false;
}

// A kept connection that ends so soon, and before a byte of the answer, was closed by a server that took it
// for idle, just as the request was on its way. Later, the request may have been answered.
#define SOON (2 * USEC_PER_SEC)

#define SENDS_MOST 10

// Called before every send. libcurl sends a request again by itself when an HTTP/2 server refused the stream
// or a kept connection ended; the former only is let through, since the latter is to keep to the limits.
static int on_send(void *context, char *to, char *from, int to_port, int from_port) {
    (void)to, (void)from, (void)to_port, (void)from_port;
    struct transfer *t = context;
    int64_t now = clock_now();
    bool good = t->sends == 0 || (t->address->http2 && now - t->sent_at <= SOON);
    if (good) {
        t->sends++;
        t->sent_at = now;
    }
    return good ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

// A peer that is silently gone (a machine that slept, a router that forgot) is found out within a minute,
// not at --timeout: keep-alive probes tell while an answer is waited for, this limit while a request is
// on its way.
static int on_new_socket(void *context, curl_socket_t fd, curlsocktype purpose) {
    (void)context, (void)purpose;
    unsigned ms = 60 * 1000;
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms); // refused: without it
    return CURL_SOCKOPT_OK;
}

// Texts are copied. An option that is missing for want of memory might trust whom it must not.
static void set_text(CURL *easy, CURLoption option, const char *text) {
    if (curl_easy_setopt(easy, option, text) != CURLE_OK)
        die("libcurl takes no options: out of memory");
}

static void set_trust(CURL *easy, const struct easy_settings *settings) {
    if (!settings->cainfo && !settings->capath)
        return;
    set_text(easy, CURLOPT_CAINFO, settings->cainfo);
    set_text(easy, CURLOPT_CAPATH, settings->capath);
    set_text(easy, CURLOPT_PROXY_CAINFO, settings->cainfo);
    set_text(easy, CURLOPT_PROXY_CAPATH, settings->capath);
}

static void set_constants(struct transfer *t, const struct easy_settings *settings,
                          size_t buffer_size) {
    CURL *easy = t->easy;
    const struct engine_options *o = &settings->options;
    curl_easy_setopt(easy, CURLOPT_SHARE, settings->share);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->error);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)buffer_size - 1); // a zero follows
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    set_text(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                     (long)(o->http == HTTP_1_1 ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS));
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 20L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 10L);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_new_socket);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, easy_on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_send);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, t);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, settings->on_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, settings->context);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(o->connect_timeout / USEC_PER_MS));
    if (o->no_proxy)
        set_text(easy, CURLOPT_NOPROXY, "*");
    else
        set_text(easy, CURLOPT_USERAGENT, USER_AGENT); // what a proxy gets to see
    set_trust(easy, settings);
}

// Headers of a single request, in front of the list that all requests of a key share. Every header that
// is in it costs something with every request.
#define OWN_NAME "Idempotency-Key: "
struct own_headers {
    struct curl_slist expect, idempotency;
    char text[sizeof OWN_NAME - 1 + sizeof((struct transfer *)0)->idempotency_key];
};

// libcurl would have the server asked to say "100 Continue" before a body that is larger is sent, and
// wait for that.
#define EXPECT_BYTES ((size_t)1024 * 1024)

static void set_headers(struct transfer *t) {
    struct own_headers *own = t->own_headers;
    struct curl_slist *headers = t->auth;
    if (t->body.n >= EXPECT_BYTES) {
        static char none[] = "Expect:";
        own->expect = (struct curl_slist){none, headers};
        headers = &own->expect;
    }
    if (t->idempotency_key[0]) {
        memcpy(own->text, OWN_NAME, sizeof OWN_NAME - 1);
        memcpy(own->text + sizeof OWN_NAME - 1, t->idempotency_key, sizeof t->idempotency_key);
        own->idempotency = (struct curl_slist){own->text, headers};
        headers = &own->idempotency;
    }
    if (headers != t->headers_set)
        curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, headers);
    t->headers_set = headers;
}

// What a new connection can take over from those before it: no second handshake in full, and for a
// minute no second question for the host's addresses, so that all of an engine's connections go to the
// same ones meanwhile. One thread has it all, so there is nothing to lock.
CURLSH *easy_new_share(void) {
    CURLSH *share = curl_share_init();
    if (!share ||
        curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) != CURLSHE_OK ||
        curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) != CURLSHE_OK)
        die("libcurl gives no share handle: out of memory");
    return share;
}

struct transfer *easy_new_transfer(const struct easy_settings *settings, size_t buffer_size) {
    struct transfer *t = mem_zero(1, sizeof *t);
    list_init(&t->node);
    t->url = t->body = BUF_INIT(SIZE_MAX / 2); // bounded by the row they come from
    t->easy = curl_easy_init();
    t->own_headers = mem_zero(1, sizeof(struct own_headers));
    if (!t->easy)
        die("libcurl gives no handle: out of memory");
    set_constants(t, settings, buffer_size);
    return t;
}

void easy_free_transfer(struct transfer *t) {
    curl_easy_cleanup(t->easy);
    body_unpack_free(t->unpack);
    address_let_go(t->address);
    buf_free(&t->url);
    buf_free(&t->body);
    free(t->own_headers);
    free(t);
}

// Behind TLS it is worth waiting for the handshake, which says whether one connection can take all
// requests. Without TLS that is known with the first answer only: too long a wait.
static bool set_address(struct transfer *t, struct addresses *all) {
    struct address *address = address_use(all, buf_slice(&t->url));
    if (!address)
        return false;
    curl_easy_setopt(t->easy, CURLOPT_CURLU, address->url);
    set_text(t->easy, CURLOPT_REQUEST_TARGET,
             address->target.n ? buf_cstr(&address->target) : NULL);
    curl_easy_setopt(t->easy, CURLOPT_PIPEWAIT, address->tls ? 1L : 0L);
    // after each request libcurl looks which names are old; a number never is
    curl_easy_setopt(t->easy, CURLOPT_DNS_CACHE_TIMEOUT, address->is_number ? -1L : NAMES_SECONDS);
    address_let_go(t->address);
    t->address = address;
    return true;
}

static void forget_packing(struct transfer *t) {
    body_unpack_free(t->unpack);
    t->unpack = NULL;
}

bool easy_prepare(struct transfer *t, struct addresses *all) {
    buf_clear(t->reply);
    // nearly all requests of a transfer go to the address of the one before
    bool same = t->address && slice_eq(buf_slice(&t->url), buf_slice(&t->address->text));
    if (!same && !set_address(t, all))
        return false;
    if (t->get != t->is_get)
        curl_easy_setopt(t->easy, t->get ? CURLOPT_HTTPGET : CURLOPT_POST, 1L);
    t->is_get = t->get;
    if (!t->get) {
        curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body.n);
        curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, t->body.p);
    }
    forget_packing(t);
    set_headers(t);
    t->error[0] = '\0';
    t->http_status = 0;
    t->sends = 0;
    t->kind = BODY_UNKNOWN;
    t->too_large = t->any = t->over = t->streamed = t->late = false;
    t->event_bytes = 0;
    return true;
}

static enum transfer_status status_of(const struct transfer *t, CURLcode code) {
    switch (code) {
    case CURLE_OK: return TRANSFER_ANSWERED;
    case CURLE_OPERATION_TIMEDOUT: return TRANSFER_TIMEOUT;
    case CURLE_WRITE_ERROR:
        if (t->over)
            return TRANSFER_ANSWERED;
        return t->too_large ? TRANSFER_TOO_LARGE : TRANSFER_NETWORK;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CACERT_BADFILE: return TRANSFER_UNTRUSTED;
    case CURLE_UNSUPPORTED_PROTOCOL: // an answer that is HTTP/0.9
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING: return TRANSFER_GARBLED;
    default: return TRANSFER_NETWORK;
    }
}

static void note_end(struct transfer *t, enum transfer_status status) {
    long http_status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &http_status);
    t->http_status = (int)http_status;
    t->finished = clock_now();
    t->status = status;
}

void easy_break_off(struct transfer *t, enum transfer_status status) {
    note_end(t, status);
    if (status == TRANSFER_STALLED)
        snprintf(t->error, sizeof t->error, "the stream stalled: nothing came for %g s",
                 (double)t->stall_timeout / USEC_PER_SEC);
    if (status == TRANSFER_TIMEOUT)
        snprintf(t->error, sizeof t->error, "no %s within %g s", t->any ? "whole answer" : "answer",
                 (double)t->timeout / USEC_PER_SEC);
}

// What was compressed must be whole.
static void note_damage(struct transfer *t) {
    bool damaged = t->unpack && body_unpack_is_damaged(t->unpack);
    bool short_ = t->unpack && !t->over && !body_unpack_is_whole(t->unpack);
    if (!damaged && (t->status != TRANSFER_ANSWERED || !short_))
        return;
    t->status = TRANSFER_GARBLED;
    snprintf(t->error, sizeof t->error, "the answer is compressed, and %s",
             damaged ? "damaged" : "cut short");
}

static bool has_come(const struct transfer *t) {
    long status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    return status || t->any;
}

// libcurl 7.88 reports a GOAWAY that leaves a request out as an error of the framing layer, and counts sends
// from request to request of a handle.
bool easy_is_refused(struct transfer *t, CURLcode code) {
    bool gave_up = (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR) &&
                   strncmp(t->error, "Connection died, tried", 22) == 0;
    bool refused = (code == CURLE_HTTP2 || gave_up) && !has_come(t) && t->address->http2 &&
                   t->sends < SENDS_MOST && clock_now() - t->sent_at <= SOON;
    if (refused)
        t->error[0] = '\0';
    return refused;
}

static bool is_end_of_connection(CURLcode code) {
    return code == CURLE_ABORTED_BY_CALLBACK || code == CURLE_HTTP2 || code == CURLE_HTTP2_STREAM ||
           code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR || code == CURLE_GOT_NOTHING ||
           code == CURLE_PARTIAL_FILE;
}

// After libcurl's own second send was stopped, the connection that counts as made is the one for that.
static bool is_unprocessed(const struct transfer *t, CURLcode code) {
    long connects = 1;
    if (!is_end_of_connection(code))
        return false;
    curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &connects);
    bool was_kept = connects == 0 || code == CURLE_ABORTED_BY_CALLBACK;
    return was_kept && !has_come(t) && clock_now() - t->sent_at <= SOON;
}

struct transfer *easy_owner(CURL *easy) {
    struct transfer *t;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &t);
    return t;
}

// A proxy on the way to a TLS server refuses the tunnel: RFC 9110, section 15.5.8.
static bool wants_proxy_password(CURL *easy) {
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &status);
    return status == 407;
}

void easy_finish(struct transfer *t, CURLcode code) {
    if (t->late) {
        easy_break_off(t, TRANSFER_TIMEOUT);
        return;
    }
    note_end(t, is_unprocessed(t, code) ? TRANSFER_UNPROCESSED : status_of(t, code));
    t->address->http2 |= t->status == TRANSFER_ANSWERED && easy_is_http2(t);
    note_damage(t);
    if (code != CURLE_OK && wants_proxy_password(t->easy))
        t->status = TRANSFER_NO_PROXY;
    if (code == CURLE_ABORTED_BY_CALLBACK)
        snprintf(t->error, sizeof t->error, "the connection closed without an answer");
    else if (code != CURLE_OK && !t->error[0])
        snprintf(t->error, sizeof t->error, "%s", curl_easy_strerror(code));
    transfer_say_plainly(t, code);
}

bool easy_is_http2(const struct transfer *t) {
    long version = 0;
    curl_easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &version);
    return version >= CURL_HTTP_VERSION_2_0;
}

struct slice transfer_header(const struct transfer *t, const char *name) {
    struct curl_header *header;
    if (curl_easy_header(t->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return SLICE_NONE;
    return slice_str(header->value);
}

void easy_rest(struct transfer *t) {
    forget_packing(t);
    buf_recycle(&t->url, KEEP_BYTES);
    buf_recycle(&t->body, KEEP_BYTES);
    if (t->address && list_is_empty(&t->address->node)) { // nobody else's
        curl_easy_setopt(t->easy, CURLOPT_CURLU, NULL);
        address_let_go(t->address);
        t->address = NULL;
    }
}
