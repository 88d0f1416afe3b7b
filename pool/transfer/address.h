// The addresses that requests go to, each parsed once for all transfers of an engine. Private to
// pool/transfer/; on the engine's thread.
// SPDX-License-Identifier: MIT
#ifndef POOL_TRANSFER_ADDRESS_H
#define POOL_TRANSFER_ADDRESS_H

#include "jobs/base/buf.h"
#include "jobs/base/list.h"

#include <curl/curl.h>

struct address {
    struct list node; // among those that are shared, or alone: of a transfer that has it to itself
    struct buf text;
    CURLU *url;
    struct buf target; // RFC 9112, section 3.2; empty: libcurl makes it, of the url
    bool tls;
    bool http2;     // its server has answered over HTTP/2
    bool is_number; // its host is, and there is no proxy: no name is looked up
    size_t users;   // transfers that are set up for it
};

struct addresses {
    struct list shared;
    size_t count;
    bool by_proxy; // whose name is looked up, whatever the host is
};

void addresses_init(struct addresses *a, bool by_proxy);
void addresses_free(struct addresses *a); // those that are shared; the users are gone

// With one user more. NULL: the text is no address that a request can be sent to.
struct address *address_use(struct addresses *a, struct slice text);
void address_let_go(struct address *address); // NULL is fine

// Whether this begins as an address of the web does.
bool address_is_web(const char *text);

// Whether libcurl could do what was asked; memory that runs out ends the program.
bool curlu_is_good(CURLUcode code);

#endif
