// address.c: parses addresses and shares them. On the engine's thread.
// SPDX-License-Identifier: MIT
#include "pool/transfer/address.h"

#include "jobs/base/die.h"
#include "pool/transfer/engine.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <strings.h>

// Nearly all runs send to a few addresses. Where each row has its own, those beyond are not shared: to look
// for one among them would cost more than to parse it.
#define SHARED_MOST 32

// Longer ones are gone with the request.
#define SHARED_BYTES 4096

bool engine_uses_tls(const char *url) {
    return strncasecmp(url, "https://", 8) == 0;
}

bool address_is_web(const char *text) {
    return strncasecmp(text, "http://", 7) == 0 || engine_uses_tls(text);
}

bool curlu_is_good(CURLUcode code) {
    if (code == CURLUE_OUT_OF_MEMORY)
        die("out of memory for an address");
    return code == CURLUE_OK;
}

static void address_free(struct address *address) {
    curl_url_cleanup(address->url);
    buf_free(&address->text);
    buf_free(&address->target);
    free(address);
}

void addresses_init(struct addresses *a, bool by_proxy) {
    list_init(&a->shared);
    a->count = 0;
    a->by_proxy = by_proxy;
}

void addresses_free(struct addresses *a) {
    struct list *node;
    while ((node = list_pop(&a->shared)))
        address_free(LIST_ENTRY(node, struct address, node));
}

static struct address *find(const struct addresses *a, struct slice text) {
    for (struct list *node = a->shared.next; node != &a->shared; node = node->next) {
        struct address *address = LIST_ENTRY(node, struct address, node);
        if (slice_eq(buf_slice(&address->text), text))
            return address;
    }
    return NULL;
}

// Nobody's, if there is one: its place is another's.
static void make_room(struct addresses *a) {
    for (struct list *node = a->shared.next; node != &a->shared; node = node->next) {
        struct address *address = LIST_ENTRY(node, struct address, node);
        if (address->users)
            continue;
        list_remove(node);
        address_free(address);
        a->count--;
        return;
    }
}

static bool has_number(CURLU *url) {
    struct in6_addr parsed;
    char *host = NULL;
    bool good = curlu_is_good(curl_url_get(url, CURLUPART_HOST, &host, 0));
    // IPv6 stands in brackets
    bool number = good && (host[0] == '[' || inet_pton(AF_INET, host, &parsed) == 1);
    curl_free(host);
    return number;
}

// False: the url has none, or none that libcurl can print.
static bool add_part(struct buf *out, CURLU *url, CURLUPart part, unsigned flags) {
    char *text = NULL;
    bool there = curlu_is_good(curl_url_get(url, part, &text, flags));
    if (there)
        buf_add_str(out, text);
    curl_free(text);
    return there;
}

// libcurl would make it anew for every request, byte by byte. The url keeps neither path nor query.
static void take_target(struct address *address) {
    struct buf *target = &address->target;
    if (!add_part(target, address->url, CURLUPART_PATH, CURLU_URLENCODE))
        return;
    buf_add_char(target, '?');
    if (!add_part(target, address->url, CURLUPART_QUERY, 0))
        target->n--;
    curlu_is_good(curl_url_set(address->url, CURLUPART_PATH, "/", 0));
    curlu_is_good(curl_url_set(address->url, CURLUPART_QUERY, NULL, 0));
}

static struct address *parse(const struct addresses *a, struct slice text) {
    struct address *address = mem_zero(1, sizeof *address);
    list_init(&address->node);
    address->text = address->target = BUF_INIT(SIZE_MAX / 2); // bounded by the row it comes from
    buf_add_slice(&address->text, text);
    address->url = curl_url();
    if (!address->url)
        die("out of memory for an address");
    const char *url = buf_cstr(&address->text);
    address->tls = engine_uses_tls(url);
    if (address_is_web(url) &&
        curlu_is_good(curl_url_set(address->url, CURLUPART_URL, url, CURLU_PATH_AS_IS))) {
        address->is_number = !a->by_proxy && has_number(address->url);
        if (!a->by_proxy) // which may have to be told the whole address
            take_target(address);
        return address;
    }
    address_free(address);
    return NULL;
}

struct address *address_use(struct addresses *a, struct slice text) {
    struct address *address = find(a, text);
    if (!address && (address = parse(a, text))) {
        bool is_long = text.n > SHARED_BYTES;
        if (a->count == SHARED_MOST && !is_long)
            make_room(a);
        if (a->count < SHARED_MOST && !is_long) {
            list_push(&a->shared, &address->node);
            a->count++;
        }
    }
    if (address)
        address->users++;
    return address;
}

void address_let_go(struct address *address) {
    if (address && --address->users == 0 && list_is_empty(&address->node))
        address_free(address);
}
